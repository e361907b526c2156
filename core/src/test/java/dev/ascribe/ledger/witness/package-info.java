@NullMarked
package dev.ascribe.ledger.witness;

import org.jspecify.annotations.NullMarked;
