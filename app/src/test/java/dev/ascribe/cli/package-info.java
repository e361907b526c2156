@NullMarked
package dev.ascribe.cli;

import org.jspecify.annotations.NullMarked;
