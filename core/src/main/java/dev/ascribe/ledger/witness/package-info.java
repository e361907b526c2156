/** Witnesses over HTTP: the only package that opens a socket. */
@NullMarked
package dev.ascribe.ledger.witness;

import org.jspecify.annotations.NullMarked;
