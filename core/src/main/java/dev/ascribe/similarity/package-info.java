/** The similarity lens: how alike a query and the rows of a corpus are, by words and by meaning. */
@NullMarked
package dev.ascribe.similarity;

import org.jspecify.annotations.NullMarked;
