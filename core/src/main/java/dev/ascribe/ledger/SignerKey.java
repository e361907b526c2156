package dev.ascribe.ledger;

import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;

/**
 * A private key and the name it signs under, written {@code PRIVATE+KEY+name+hex8(key ID)+base64(type ‖ seed)}. No message
 * and no {@link #toString} shows the seed.
 */
public final class SignerKey {
    private static final String START = "PRIVATE+KEY+";

    private final VerifierKey verifierKey;
    private final byte[] seed;
    private final PrivateKey key;

    private SignerKey(KeyType type, String name, byte[] seed) {
        KeyPair pair = type.keyPair(seed);
        this.verifierKey = VerifierKey.of(type, name, pair.getPublic());
        this.seed = seed.clone();
        this.key = pair.getPrivate();
    }

    /**
     * A new key.
     *
     * @throws UserInputException when the name is empty or has a space or plus
     */
    public static SignerKey generate(KeyType type, String name) {
        byte[] seed = new byte[KeyType.SEED_BYTES];
        new SecureRandom().nextBytes(seed);
        try {
            return new SignerKey(type, name, seed);
        } catch (VerificationException e) {
            throw new UserInputException("no key can be made: " + e.getMessage(), e);
        }
    }

    /**
     * Reads a key.
     *
     * @throws UserInputException when it is none, or its ID is not its own; the message does not repeat the key
     */
    public static SignerKey parse(String text) {
        String[] parts = text.startsWith(START) ? text.substring(START.length()).split("\\+", 3) : new String[0];
        if (parts.length != 3) {
            throw new UserInputException("no signer key; expected " + START + "name+hex8(key ID)+base64(type, seed)");
        }
        byte[] typed;
        try {
            typed = Canonical.base64(parts[2]);
        } catch (VerificationException e) {
            // without its cause, whose message has the seed
            throw new UserInputException("the signer key of " + parts[0] + " is not canonical base64");
        }
        if (typed.length != 1 + KeyType.SEED_BYTES) {
            throw new UserInputException("the signer key of " + parts[0] + " has " + typed.length
                    + " bytes; expected its type and a seed, " + (1 + KeyType.SEED_BYTES));
        }
        SignerKey key;
        try {
            key = new SignerKey(KeyType.of(typed[0]), parts[0], Arrays.copyOfRange(typed, 1, typed.length));
        } catch (VerificationException e) {
            throw new UserInputException("the signer key of " + parts[0] + " is none: " + e.getMessage(), e);
        }
        if (!key.verifierKey.hexId().equals(parts[1])) {
            throw new UserInputException(
                    "the signer key of " + parts[0] + " has key ID " + key.verifierKey.hexId() + ", not " + parts[1]);
        }
        return key;
    }

    /** The public half. */
    public VerifierKey verifierKey() {
        return verifierKey;
    }

    /**
     * Signs the text of a note.
     *
     * @param text a checkpoint's when the key makes cosignatures
     * @param time seconds since 1970, which a cosignature says; a plain signature does not
     */
    public SignedNote.Signature sign(String text, long time) {
        String name = verifierKey.name();
        return SignedNote.Signature.of(
                name, verifierKey.id(), verifierKey.type().signNote(key, name, time, text));
    }

    /** Signs bytes that are not a note's text; they must not be taken for one, so start them with what they are. */
    byte[] signBytes(byte[] message) {
        return verifierKey.type().sign(key, message);
    }

    /** The key as {@link #parse} reads it: a secret. */
    public String secretText() {
        byte[] typed = ByteBuffer.allocate(1 + seed.length)
                .put(verifierKey.type().code())
                .put(seed)
                .array();
        return START + verifierKey.name() + "+" + verifierKey.hexId() + "+"
                + Base64.getEncoder().encodeToString(typed);
    }

    /** The public half. */
    @Override
    public String toString() {
        return verifierKey.toString();
    }
}
