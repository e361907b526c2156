@NullMarked
package dev.ascribe.torch.text;

import org.jspecify.annotations.NullMarked;
