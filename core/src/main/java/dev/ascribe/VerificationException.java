package dev.ascribe;

/** What was to be verified does not hold: a proof, a signature, a log, an event. The message says why. */
public final class VerificationException extends AscribeException {
    private static final long serialVersionUID = 1L;

    /** @param message what does not hold, and why */
    public VerificationException(String message) {
        super(message, null);
    }

    /**
     * @param message what does not hold, and why
     * @param cause what led to it
     */
    public VerificationException(String message, Throwable cause) {
        super(message, cause);
    }

    @Override
    public int exitCode() {
        return 1;
    }
}
