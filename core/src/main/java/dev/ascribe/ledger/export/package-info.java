/** What a log says, in the public formats of lineage, provenance, attestation, bills of materials and data set descriptions. */
@NullMarked
package dev.ascribe.ledger.export;

import org.jspecify.annotations.NullMarked;
