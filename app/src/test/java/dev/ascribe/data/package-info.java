@NullMarked
package dev.ascribe.data;

import org.jspecify.annotations.NullMarked;
