@NullMarked
package dev.ascribe.ledger.export;

import org.jspecify.annotations.NullMarked;
