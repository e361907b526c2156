package dev.ascribe;

/** A file is damaged or not what its header claims: truncated, overlapping, of a wrong checksum. */
public final class CorruptDataException extends AscribeException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and the remedy */
    public CorruptDataException(String message) {
        super(message, null);
    }

    /**
     * @param message what is wrong, where, and the remedy
     * @param cause what led to it
     */
    public CorruptDataException(String message, Throwable cause) {
        super(message, cause);
    }

    @Override
    public int exitCode() {
        return 2;
    }
}
