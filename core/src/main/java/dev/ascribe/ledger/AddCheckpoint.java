package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a log asks of a witness (C2SP tlog-witness, {@code POST /add-checkpoint}).
 *
 * <pre>
 * old &lt;size&gt; LF ‖ base64(hash) LF … ‖ LF ‖ the checkpoint's signed note
 * </pre>
 *
 * @param old the size that the witness cosigned last; 0: none
 * @param proof that the checkpoint's tree extends the tree of that size
 */
public record AddCheckpoint(long old, List<Hash> proof, SignedNote note) {
    private static final String OLD = "old ";
    private static final int LONGEST_PROOF = 63;

    public AddCheckpoint {
        proof = List.copyOf(proof);
        if (proof.size() > LONGEST_PROOF) {
            throw new VerificationException(
                    "a consistency proof of %d hashes is longer than %d".formatted(proof.size(), LONGEST_PROOF));
        }
        Checkpoint checkpoint = Checkpoint.parse(note.text());
        if (old > checkpoint.size()) {
            throw new VerificationException(
                    "the old size %d is above the checkpoint's, %d".formatted(old, checkpoint.size()));
        }
    }

    /** Reads a request's body. */
    public static AddCheckpoint parse(byte[] body) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new VerificationException("the request is not valid UTF-8", e);
        }
        int end = text.indexOf("\n\n");
        if (!text.startsWith(OLD) || end < 0) {
            throw new VerificationException("expected 'old <size>', a proof, a blank line and the checkpoint");
        }
        List<String> lines = List.of(text.substring(OLD.length(), end).split("\n", -1));
        if (lines.size() - 1 > LONGEST_PROOF) {
            throw new VerificationException("the proof has more than %d lines".formatted(LONGEST_PROOF));
        }
        return new AddCheckpoint(
                Canonical.decimal(lines.getFirst()),
                lines.subList(1, lines.size()).stream().map(Canonical::hash).toList(),
                SignedNote.parse(text.substring(end + 2)));
    }

    /** The request's body. */
    public byte[] bytes() {
        StringBuilder text = new StringBuilder(OLD).append(old).append('\n');
        proof.forEach(hash -> text.append(hash.base64()).append('\n'));
        return text.append('\n').append(note).toString().getBytes(StandardCharsets.UTF_8);
    }

    /** What is asked to be cosigned. */
    public Checkpoint checkpoint() {
        return Checkpoint.parse(note.text());
    }

    /** The size that a witness says it cosigned last, as the body of its answer 409. */
    public static long witnessedSize(String body) {
        if (!body.endsWith("\n")) {
            throw new VerificationException("a witness's size must end in a line feed");
        }
        return Canonical.decimal(body.substring(0, body.length() - 1));
    }
}
