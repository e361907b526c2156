/** Everything that needs libtorch. */
@NullMarked
package dev.ascribe.torch;

import org.jspecify.annotations.NullMarked;
