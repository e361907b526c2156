/** The ledger's commands, and its events as JSON. */
@NullMarked
package dev.ascribe.cli.ledger;

import org.jspecify.annotations.NullMarked;
