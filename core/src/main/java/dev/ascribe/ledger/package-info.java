/**
 * The ledger: what happened to each sample, in a tamper-evident log of public formats (RFC 6962, C2SP tlog-tiles and signed notes).
 */
@NullMarked
package dev.ascribe.ledger;

import org.jspecify.annotations.NullMarked;
