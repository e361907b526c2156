/** The few types that every room of Ascribe shares: samples, corpora, attributions, provenance, errors. */
@NullMarked
package dev.ascribe;

import org.jspecify.annotations.NullMarked;
