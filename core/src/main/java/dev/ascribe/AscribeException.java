package dev.ascribe;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An error with a message for the user: it names the file, line or row, the value, the limit, and what to do.
 *
 * <p>The command line prints the message alone and leaves with {@link #exitCode()}.
 */
public abstract sealed class AscribeException extends RuntimeException
        permits UserInputException,
                CorruptDataException,
                UnsupportedModelException,
                EngineUnavailableException,
                LedgerUnavailableException,
                VerificationException {
    private static final long serialVersionUID = 1L;

    AscribeException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** What to tell the user; never null. */
    @Override
    public String getMessage() {
        return Objects.requireNonNullElse(super.getMessage(), "");
    }

    /** The process exit code: 1 when a check fails, 2 for bad input, 3 for the environment. */
    public abstract int exitCode();
}
