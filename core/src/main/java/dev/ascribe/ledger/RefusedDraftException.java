package dev.ascribe.ledger;

/** An event that a rule forbids, among several that were to be logged together; none of them was. */
public final class RefusedDraftException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int position;

    RefusedDraftException(int position, RuntimeException reason) {
        super(reason.getMessage(), reason);
        this.position = position;
    }

    /** Which one, counted from 0. */
    public int position() {
        return position;
    }
}
