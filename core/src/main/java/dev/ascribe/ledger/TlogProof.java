package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * A proof file (C2SP tlog-proof): that a leaf stands at an index of the log of a signed checkpoint. What is Ascribe's own, a {@link
 * LedgerProof}, is in its {@code extra} line.
 *
 * @param extra a proof of ours, where there is one
 * @param path inclusion proof, leaf to root
 * @param checkpoint the signed note, verbatim
 */
public record TlogProof(Optional<LedgerProof> extra, long index, List<Hash> path, SignedNote checkpoint) {
    private static final String FIRST = "c2sp.org/tlog-proof@v1";
    private static final String EXTRA = "extra ";
    private static final String INDEX = "index ";
    private static final int LONGEST_PATH = 63;

    public TlogProof {
        path = List.copyOf(path);
    }

    /** Whether a file's beginning says that it is one. */
    public static boolean recognises(String text) {
        return text.startsWith(FIRST + "\n");
    }

    /** Reads a file's text. */
    public static TlogProof parse(String text) {
        if (!recognises(text)) {
            throw new VerificationException("the file does not begin with " + FIRST);
        }
        int end = text.indexOf("\n\n");
        if (end < 0) {
            throw new VerificationException("the file ends before the blank line in front of the checkpoint");
        }
        List<String> lines = new ArrayList<>(List.of(text.substring(0, end).split("\n", -1)));
        lines.removeFirst();
        Optional<LedgerProof> extra = Optional.empty();
        if (!lines.isEmpty() && lines.getFirst().startsWith(EXTRA)) {
            extra = Optional.of(
                    LedgerProof.decode(Canonical.base64(lines.removeFirst().substring(EXTRA.length()))));
        }
        if (lines.isEmpty() || !lines.getFirst().startsWith(INDEX)) {
            throw new VerificationException("the line with the index is missing");
        }
        long index = Canonical.decimal(lines.removeFirst().substring(INDEX.length()));
        if (lines.size() > LONGEST_PATH) {
            throw new VerificationException(
                    "the inclusion proof has %d hashes, more than %d".formatted(lines.size(), LONGEST_PATH));
        }
        List<Hash> path = lines.stream().map(Canonical::hash).toList();
        return new TlogProof(extra, index, path, SignedNote.parse(text.substring(end + 2)));
    }

    /** The file's text. */
    public String text() {
        StringBuilder text = new StringBuilder(FIRST).append('\n');
        extra.ifPresent(proof -> text.append(EXTRA)
                .append(Base64.getEncoder().encodeToString(proof.encode()))
                .append('\n'));
        text.append(INDEX).append(index).append('\n');
        path.forEach(hash -> text.append(hash.base64()).append('\n'));
        return text.append('\n').append(checkpoint).toString();
    }

    /** The same in UTF-8. */
    public byte[] bytes() {
        return text().getBytes(StandardCharsets.UTF_8);
    }
}
