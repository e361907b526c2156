package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * A text and its signatures (C2SP signed-note), of which nothing is verified yet. The form is the only one: {@link
 * #toString} of a parsed note is what was parsed.
 *
 * @param text UTF-8 that ends in a line feed, without other control characters
 * @param signatures 1 to 100 of them
 */
public record SignedNote(String text, List<Signature> signatures) {
    private static final String LINE_START = "\u2014 ";

    /** As many as Go's reader takes; C2SP asks for 16 at least. */
    private static final int MOST_SIGNATURES = 100;

    /** Checks text and signatures. */
    public SignedNote {
        requirePlain(text);
        if (!text.endsWith("\n")) {
            throw new VerificationException("the text of a note must end in a line feed");
        }
        signatures = List.copyOf(signatures);
        if (signatures.isEmpty() || signatures.size() > MOST_SIGNATURES) {
            throw new VerificationException(
                    "a note has 1 to " + MOST_SIGNATURES + " signatures, not " + signatures.size());
        }
    }

    /**
     * A line {@code — name base64(key ID ‖ signature)}.
     *
     * @param name the key's
     * @param base64 of the key ID's 4 bytes and the signature
     */
    public record Signature(String name, String base64) {
        private static final int ID_BYTES = Integer.BYTES;

        /** Checks both. */
        public Signature {
            requireName(name);
            if (Canonical.base64(base64).length <= ID_BYTES) {
                throw new VerificationException("the signature of " + name + " is empty");
            }
        }

        static Signature of(String name, int keyId, byte[] signature) {
            byte[] bytes = ByteBuffer.allocate(ID_BYTES + signature.length)
                    .putInt(keyId)
                    .put(signature)
                    .array();
            return new Signature(name, Base64.getEncoder().encodeToString(bytes));
        }

        /** Reads a line, without its line feed. */
        static Signature parse(String line) {
            int space = line.indexOf(' ', LINE_START.length());
            if (!line.startsWith(LINE_START) || space < 0) {
                throw new VerificationException("'" + Canonical.shortened(line) + "' is no signature line; expected '"
                        + LINE_START + "<name> <base64>' after the last blank line");
            }
            return new Signature(line.substring(LINE_START.length(), space), line.substring(space + 1));
        }

        int keyId() {
            return ByteBuffer.wrap(Canonical.base64(base64)).getInt();
        }

        /** What stands after the key ID. */
        byte[] field() {
            byte[] bytes = Canonical.base64(base64);
            return Arrays.copyOfRange(bytes, ID_BYTES, bytes.length);
        }

        private boolean isBySameKey(Signature other) {
            return name.equals(other.name) && keyId() == other.keyId();
        }

        /** The line, with its line feed. */
        @Override
        public String toString() {
            return LINE_START + name + " " + base64 + "\n";
        }
    }

    /** Reads a note; it must be valid UTF-8. */
    public static SignedNote parse(byte[] bytes) {
        try {
            return parse(UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
            throw new VerificationException("the note is not valid UTF-8", e);
        }
    }

    /** Reads a note. */
    public static SignedNote parse(String note) {
        requirePlain(note);
        int blank = note.lastIndexOf("\n\n");
        if (blank < 0) {
            throw new VerificationException("not a signed note: there is no blank line before its signatures");
        }
        String lines = note.substring(blank + 2);
        if (!lines.endsWith("\n")) {
            throw new VerificationException("not a signed note: it must end in signature lines, each with a line feed");
        }
        List<Signature> signatures = lines.lines().map(Signature::parse).toList();
        return new SignedNote(note.substring(0, blank + 1), signatures);
    }

    /**
     * Cosignatures of this note, out of what a witness answered. Lines of other keys are ignored.
     *
     * @param lines signature lines
     * @param keys each must have cosigned, and said when
     */
    public List<Signature> cosignatures(String lines, List<VerifierKey> keys) {
        requirePlain(lines);
        if (!lines.endsWith("\n")) {
            throw new VerificationException("not signature lines: they must end in a line feed");
        }
        SignedNote answered =
                new SignedNote(text, lines.lines().map(Signature::parse).toList());
        List<Signature> found = new ArrayList<>();
        for (VerifierKey key : keys) {
            for (Signature signature : key.verify(answered)) {
                if (key.time(signature) == 0) {
                    throw new VerificationException(
                            "the cosignature of " + key.name() + " does not say when it was made");
                }
                found.add(signature);
            }
        }
        return found;
    }

    /** This note with more signatures; each takes the place of those that the same key made before. */
    public SignedNote with(List<Signature> more) {
        List<Signature> all = new ArrayList<>(signatures);
        for (Signature signature : more) {
            all.removeIf(signature::isBySameKey);
            all.add(signature);
        }
        return new SignedNote(text, all);
    }

    /**
     * Requires that every one of the keys has signed, and that no signature under one of them is wrong. Signatures of
     * other keys are ignored.
     *
     * @param keys at least one
     */
    public void verify(List<VerifierKey> keys) {
        if (keys.isEmpty()) {
            throw new VerificationException("a note cannot be verified without a key");
        }
        for (VerifierKey key : keys) {
            key.verify(this);
        }
    }

    /** The note as it is written to a file. */
    public byte[] bytes() {
        return toString().getBytes(UTF_8);
    }

    /** The note as it is written. */
    @Override
    public String toString() {
        StringBuilder note = new StringBuilder(text).append('\n');
        signatures.forEach(note::append);
        return note.toString();
    }

    /** Refuses a key's name that is empty or has a space of any script, a plus or a control character. */
    static void requireName(String name) {
        requirePlain(name);
        if (name.isEmpty() || name.codePoints().anyMatch(c -> c == '+' || isSpace(c))) {
            throw new VerificationException(
                    "'" + Canonical.shortened(name) + "' is no key name; expected text without spaces and '+'");
        }
    }

    /** Refuses what has no UTF-8 form, and control characters other than the line feed. */
    static void requirePlain(String text) {
        if (!UTF_8.newEncoder().canEncode(text)) {
            throw new VerificationException("the text is not valid Unicode");
        }
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < ' ' && text.charAt(i) != '\n') {
                throw new VerificationException(
                        "control character U+%04X at character %d".formatted((int) text.charAt(i), i + 1));
            }
        }
    }

    /** Unicode's property White_Space: Java's two notions of it, and the next line character. */
    private static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }
}
