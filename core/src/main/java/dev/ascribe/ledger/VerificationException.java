package dev.ascribe.ledger;

import dev.ascribe.AscribeException;

/** What was to be verified does not hold: a proof, a signature, a log, an event. The message says why. */
public final class VerificationException extends AscribeException {
    private static final long serialVersionUID = 1;
    private static final int FAILED = 1;

    public VerificationException(String message) {
        super(message, FAILED);
    }

    public VerificationException(String message, Throwable cause) {
        super(message, FAILED, cause);
    }
}
