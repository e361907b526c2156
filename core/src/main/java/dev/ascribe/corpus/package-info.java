/** Corpora in files: rows found once, read when asked for, named by content. */
@NullMarked
package dev.ascribe.corpus;

import org.jspecify.annotations.NullMarked;
