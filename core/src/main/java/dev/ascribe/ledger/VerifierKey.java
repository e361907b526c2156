package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/**
 * A public key and the name it signs under, written {@code name+hex8(key ID)+base64(type ‖ public key)} (C2SP
 * signed-note). The key ID is the first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
 */
public final class VerifierKey {
    private final KeyType type;
    private final String name;
    private final byte[] raw;
    private final PublicKey key;
    private final int id;

    private VerifierKey(KeyType type, String name, byte[] raw) {
        type.requireName(name);
        this.type = type;
        this.name = name;
        this.raw = raw.clone();
        this.key = type.publicKey(raw);
        this.id = ByteBuffer.wrap(Hash.sha256((name + "\n").getBytes(UTF_8), new byte[] {type.code()}, raw)
                        .bytes())
                .getInt();
    }

    static VerifierKey of(KeyType type, String name, PublicKey key) {
        return new VerifierKey(type, name, type.raw(key));
    }

    /**
     * Reads a key.
     *
     * @throws UserInputException when it is none, or its ID is not its own
     */
    public static VerifierKey parse(String text) {
        String[] parts = text.split("\\+", 3); // base64 may have more of them
        if (parts.length != 3) {
            throw new UserInputException("'" + Canonical.shortened(text)
                    + "' is no verifier key; expected name+hex8(key ID)+base64(type, public key)");
        }
        try {
            byte[] typed = Canonical.base64(parts[2]);
            if (typed.length == 0) {
                throw new VerificationException("it has no type");
            }
            VerifierKey key =
                    new VerifierKey(KeyType.of(typed[0]), parts[0], Arrays.copyOfRange(typed, 1, typed.length));
            if (!key.hexId().equals(parts[1])) {
                throw new VerificationException("its key ID is " + key.hexId() + ", not " + parts[1]);
            }
            return key;
        } catch (VerificationException e) {
            throw new UserInputException(
                    "'" + Canonical.shortened(text) + "' is no verifier key: " + e.getMessage(), e);
        }
    }

    /** The name under which the key signs. */
    public String name() {
        return name;
    }

    /** How the key signs. */
    public KeyType type() {
        return type;
    }

    /** The key ID as a big-endian number. */
    int id() {
        return id;
    }

    /** The key ID: 8 hexadecimal digits. */
    String hexId() {
        return HexFormat.of().toHexDigits(id);
    }

    /**
     * Requires that this key has signed a note, and that every signature under its name and ID is right.
     *
     * @return the signatures; more than one when the key signed again
     */
    List<SignedNote.Signature> verify(SignedNote note) {
        List<SignedNote.Signature> ours =
                note.signatures().stream().filter(this::isNamedBy).toList();
        if (ours.isEmpty()) {
            throw new VerificationException("not signed by " + shortName());
        }
        for (SignedNote.Signature signature : ours) {
            if (!type.verifyNote(key, name, note.text(), signature.field())) {
                throw new VerificationException("the signature of " + shortName() + " is wrong");
            }
        }
        return ours;
    }

    /** Whether a signature claims to be this key's. */
    boolean isNamedBy(SignedNote.Signature signature) {
        return signature.name().equals(name) && signature.keyId() == id;
    }

    /** When a cosignature of this key was made, in seconds since 1970; 0 when it does not say. */
    long time(SignedNote.Signature signature) {
        return type.time(signature.field());
    }

    /** Whether bytes other than a note's are signed by this key. */
    boolean verifies(byte[] message, byte[] signature) {
        return type.verify(key, message, signature);
    }

    private String shortName() {
        return name + "+" + hexId();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VerifierKey that && toString().equals(that.toString());
    }

    @Override
    public int hashCode() {
        return id;
    }

    /** The key as {@link #parse} reads it. */
    @Override
    public String toString() {
        byte[] typed =
                ByteBuffer.allocate(1 + raw.length).put(type.code()).put(raw).array();
        return shortName() + "+" + Base64.getEncoder().encodeToString(typed);
    }
}
