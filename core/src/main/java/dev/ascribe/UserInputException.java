package dev.ascribe;

/** The user's options or data are wrong: a missing file, an unknown key, a row that cannot be used, a full disk. */
public final class UserInputException extends AscribeException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and the remedy */
    public UserInputException(String message) {
        super(message, null);
    }

    /**
     * @param message what is wrong, where, and the remedy
     * @param cause what led to it
     */
    public UserInputException(String message, Throwable cause) {
        super(message, cause);
    }

    @Override
    public int exitCode() {
        return 2;
    }
}
