package dev.ascribe.ledger;

import dev.ascribe.VerificationException;

/** An event that a rule forbids, among several that were to be logged together; none of them was. */
public final class RefusedDraftException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int position;
    private final String reason;

    RefusedDraftException(int position, VerificationException reason) {
        super(reason);
        this.position = position;
        this.reason = reason.getMessage();
    }

    @Override
    public String getMessage() {
        return reason;
    }

    /** Which one, counted from 0. */
    public int position() {
        return position;
    }
}
