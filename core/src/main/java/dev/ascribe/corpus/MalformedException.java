package dev.ascribe.corpus;

/** Where and why text is not a row, or bytes are not rows. It has no stack trace: a file may hold a million of them. */
final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final long at;

    /** @param at a UTF-16 unit of the row when a row is parsed, a byte of the file when a file is split */
    MalformedException(long at, String message) {
        super(message, null, false, false);
        this.at = at;
    }

    long at() {
        return at;
    }

    String what() {
        return String.valueOf(getMessage());
    }
}
