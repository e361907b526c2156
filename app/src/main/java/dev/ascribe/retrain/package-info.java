/** Models of trees trained again by their own libraries, whose natives are loaded here and nowhere else. */
@NullMarked
package dev.ascribe.retrain;

import org.jspecify.annotations.NullMarked;
