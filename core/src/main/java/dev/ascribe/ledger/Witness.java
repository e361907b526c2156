package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.util.List;
import java.util.function.LongFunction;

/** Somebody else who cosigns a log's checkpoints, each only if it extends the one before. */
@FunctionalInterface
public interface Witness {
    /**
     * Asks for cosignatures.
     *
     * @param checkpoint signed by the log
     * @param proofFrom the consistency proof from a size, at most the checkpoint's, to that of the checkpoint; empty from 0
     * @return one or more, verified
     * @throws VerificationException when there is none to be had; the message names the witness and the reason
     */
    List<SignedNote.Signature> cosign(SignedNote checkpoint, LongFunction<List<Hash>> proofFrom);
}
