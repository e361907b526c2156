package dev.ascribe;

/** The machine lacks something that Ascribe needs: the native engine, memory, a JDK feature. */
public final class EngineUnavailableException extends AscribeException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and the remedy */
    public EngineUnavailableException(String message) {
        super(message, null);
    }

    /**
     * @param message what is wrong, where, and the remedy
     * @param cause what led to it
     */
    public EngineUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    @Override
    public int exitCode() {
        return 3;
    }
}
