package dev.ascribe;

/** A ledger cannot be opened or go on: locked, rolled back, forked, without its guard, damaged, or the disk is full. */
public final class LedgerUnavailableException extends AscribeException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and the remedy */
    public LedgerUnavailableException(String message) {
        super(message, null);
    }

    /**
     * @param message what is wrong, where, and the remedy
     * @param cause what led to it
     */
    public LedgerUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    @Override
    public int exitCode() {
        return 3;
    }
}
