/** The embedded demo: a corpus with one planted falsehood, and the whole job done on it. */
@NullMarked
package dev.ascribe.demo;

import org.jspecify.annotations.NullMarked;
