package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.util.List;

/**
 * The state of a log (C2SP tlog-checkpoint): the text {@code origin LF size LF base64(root) LF} of a signed note.
 *
 * @param origin the log's name
 * @param size number of its entries
 * @param root of the tree over them
 */
public record Checkpoint(String origin, long size, Hash root) {
    private static final int LINES = 3;

    /** Checks the origin, and that an empty tree has its root. */
    public Checkpoint {
        SignedNote.requirePlain(origin);
        if (origin.isEmpty() || origin.indexOf('\n') >= 0) {
            throw new VerificationException("a checkpoint's origin must be one line that is not empty");
        }
        if (size < 0) {
            throw new VerificationException("a log of size " + size);
        }
        if (size == 0 && !root.equals(Hash.ofNothing())) {
            throw new VerificationException(
                    "a checkpoint of size 0 has the root " + root + " instead of SHA-256 of nothing");
        }
    }

    /** Reads the text of a note; lines after the third, if any, are left out. */
    public static Checkpoint parse(String text) {
        SignedNote.requirePlain(text);
        if (!text.endsWith("\n")) {
            throw new VerificationException("a checkpoint must end in a line feed");
        }
        List<String> lines = List.of(text.substring(0, text.length() - 1).split("\n", -1));
        if (lines.size() < LINES || lines.contains("")) {
            throw new VerificationException("a checkpoint has the lines origin, size and root, and none is empty");
        }
        return new Checkpoint(lines.get(0), Canonical.decimal(lines.get(1)), Canonical.hash(lines.get(2)));
    }

    /**
     * The checkpoint that a note is.
     *
     * @param keys at least one; every one of them must have signed
     * @throws VerificationException when one has not, or the note is no checkpoint
     */
    public static Checkpoint open(SignedNote note, List<VerifierKey> keys) {
        note.verify(keys);
        return parse(note.text());
    }

    /** The text that is signed. */
    public String text() {
        return origin + "\n" + size + "\n" + root.base64() + "\n";
    }

    /**
     * The note over this checkpoint.
     *
     * @param keys one or more, in the order of the signatures
     * @param time seconds since 1970, for cosignatures
     */
    public SignedNote sign(List<SignerKey> keys, long time) {
        return new SignedNote(
                text(), keys.stream().map(key -> key.sign(text(), time)).toList());
    }
}
