package dev.ascribe;

/** A model, tensor type or option that Ascribe does not support, named. */
public final class UnsupportedModelException extends AscribeException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and the remedy */
    public UnsupportedModelException(String message) {
        super(message, null);
    }

    /**
     * @param message what is wrong, where, and the remedy
     * @param cause what led to it
     */
    public UnsupportedModelException(String message, Throwable cause) {
        super(message, cause);
    }

    @Override
    public int exitCode() {
        return 2;
    }
}
