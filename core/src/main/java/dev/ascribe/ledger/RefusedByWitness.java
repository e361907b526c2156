package dev.ascribe.ledger;

import dev.ascribe.VerificationException;

/** A witness did not cosign; told apart from a log that does not hold. */
final class RefusedByWitness extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final VerificationException reason;

    RefusedByWitness(VerificationException reason) {
        super(reason);
        this.reason = reason;
    }

    /** What to say: which witness, and why. */
    VerificationException reason() {
        return reason;
    }
}
