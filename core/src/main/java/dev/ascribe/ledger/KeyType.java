package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;

/** How a key signs a note (C2SP signed-note and tlog-cosignature). */
public enum KeyType {
    /** Ed25519 over the note's text. */
    ED25519(0x01, "Ed25519", 32, 64, "302a300506032b6570032100"),
    /** Ed25519 over a time and the text of a checkpoint. */
    ED25519_COSIGNATURE(0x04, "Ed25519", 32, 64, "302a300506032b6570032100"),
    /** ML-DSA-44 (FIPS 204) over cosigner, time, and a checkpoint's origin, size and root; not its extension lines. */
    ML_DSA_44_COSIGNATURE(0x06, "ML-DSA-44", 1312, 2420, "30820532300b06096086480165030403110382052100");

    /** Bytes of the seed that a private key is kept as. */
    static final int SEED_BYTES = 32;

    private static final int TIME_BYTES = Long.BYTES;
    private static final byte[] SUBTREE_LABEL = "subtree/v1\n\0".getBytes(UTF_8);
    private static final int LONGEST_NAME = 255;

    private final int code;
    private final String algorithm;
    private final int publicKeyBytes;
    private final int signatureBytes;
    private final String x509Header;

    KeyType(int code, String algorithm, int publicKeyBytes, int signatureBytes, String x509Header) {
        this.code = code;
        this.algorithm = algorithm;
        this.publicKeyBytes = publicKeyBytes;
        this.signatureBytes = signatureBytes;
        this.x509Header = x509Header;
    }

    /** The type with this signature type byte. */
    static KeyType of(byte code) {
        for (KeyType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        throw new VerificationException(
                "unknown key type 0x%02x; known are 0x01, 0x04 and 0x06".formatted(code & 0xff));
    }

    byte code() {
        return (byte) code;
    }

    /** Whether a signature carries the time at which it was made. */
    public boolean isCosignature() {
        return this != ED25519;
    }

    /** Refuses what is no key name, or too long to be signed. */
    void requireName(String name) {
        SignedNote.requireName(name);
        if (this == ML_DSA_44_COSIGNATURE) {
            shortText("cosigner name", name);
        }
    }

    /** The key pair of a seed, as RFC 8032 and FIPS 204 derive it. */
    KeyPair keyPair(byte[] seed) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(new NamedParameterSpec(algorithm), new Seeded(seed));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError("Java 25 has " + algorithm, e);
        }
    }

    /** The bytes of a public key without its X.509 header. */
    byte[] raw(PublicKey key) {
        byte[] encoded = key.getEncoded();
        return Arrays.copyOfRange(encoded, encoded.length - publicKeyBytes, encoded.length);
    }

    /** A public key from its bytes. */
    PublicKey publicKey(byte[] raw) {
        if (raw.length != publicKeyBytes) {
            throw new VerificationException(
                    "a public key of " + algorithm + " has " + publicKeyBytes + " bytes, not " + raw.length);
        }
        byte[] header = HexFormat.of().parseHex(x509Header);
        byte[] encoded = Arrays.copyOf(header, header.length + raw.length);
        System.arraycopy(raw, 0, encoded, header.length, raw.length);
        try {
            PublicKey key = KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(encoded));
            verifier(key); // a point that is not on the curve shows only here
            return key;
        } catch (InvalidKeySpecException | InvalidKeyException e) {
            throw new VerificationException("not a public key of " + algorithm + ": " + e.getMessage(), e);
        } catch (GeneralSecurityException e) {
            throw new AssertionError("Java 25 has " + algorithm, e);
        }
    }

    /** What stands in a note after the key ID: the signature of the text, behind its time if it is a cosignature. */
    byte[] signNote(PrivateKey key, String name, long time, String text) {
        if (time < 0) {
            throw new IllegalArgumentException("a cosignature's time must not be negative: " + time);
        }
        byte[] signature = sign(key, message(name, time, text));
        if (!isCosignature()) {
            return signature;
        }
        return ByteBuffer.allocate(TIME_BYTES + signature.length)
                .putLong(time)
                .put(signature)
                .array();
    }

    /** Whether these bytes, which stand after the key ID, sign the text of a note. */
    boolean verifyNote(PublicKey key, String name, String text, byte[] field) {
        int start = isCosignature() ? TIME_BYTES : 0;
        if (field.length != start + signatureBytes) {
            return false;
        }
        long time = time(field);
        return time >= 0 && verify(key, message(name, time, text), Arrays.copyOfRange(field, start, field.length));
    }

    /** The time of a cosignature in seconds since 1970; 0 without. */
    long time(byte[] field) {
        return isCosignature() && field.length >= TIME_BYTES
                ? ByteBuffer.wrap(field).getLong()
                : 0;
    }

    byte[] sign(PrivateKey key, byte[] message) {
        try {
            Signature signer = Signature.getInstance(algorithm);
            signer.initSign(key);
            signer.update(message);
            return signer.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot sign with " + algorithm, e);
        }
    }

    boolean verify(PublicKey key, byte[] message, byte[] signature) {
        try {
            Signature verifier = verifier(key);
            verifier.update(message);
            return verifier.verify(signature);
        } catch (SignatureException e) {
            return false; // malformed
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot verify with " + algorithm, e);
        }
    }

    private Signature verifier(PublicKey key) throws GeneralSecurityException {
        Signature verifier = Signature.getInstance(algorithm);
        verifier.initVerify(key);
        return verifier;
    }

    /** The bytes that are signed; for a cosignature the text must be a checkpoint's. */
    private byte[] message(String name, long time, String text) {
        return switch (this) {
            case ED25519 -> text.getBytes(UTF_8);
            case ED25519_COSIGNATURE -> {
                Checkpoint.parse(text);
                yield ("cosignature/v1\ntime " + time + "\n" + text).getBytes(UTF_8);
            }
            case ML_DSA_44_COSIGNATURE -> subtree(name, time, Checkpoint.parse(text));
        };
    }

    private static byte[] subtree(String cosigner, long time, Checkpoint checkpoint) {
        byte[] name = shortText("cosigner name", cosigner);
        byte[] origin = shortText("origin", checkpoint.origin());
        ByteBuffer message = ByteBuffer.allocate(
                SUBTREE_LABEL.length + 1 + name.length + TIME_BYTES + 1 + origin.length + 2 * Long.BYTES + Hash.BYTES);
        message.put(SUBTREE_LABEL).put((byte) name.length).put(name).putLong(time);
        message.put((byte) origin.length).put(origin);
        message.putLong(0).putLong(checkpoint.size()).put(checkpoint.root().bytes());
        return message.array();
    }

    private static byte[] shortText(String what, String text) {
        byte[] bytes = text.getBytes(UTF_8);
        if (bytes.length > LONGEST_NAME) {
            throw new VerificationException("an ML-DSA-44 cosignature takes as " + what + " at most " + LONGEST_NAME
                    + " bytes, not " + bytes.length);
        }
        return bytes;
    }

    /** Gives a key generator its seed, once; both algorithms start from 32 random bytes. */
    private static final class Seeded extends SecureRandom {
        private static final long serialVersionUID = 1L;

        private final byte[] seed;
        private boolean used;

        Seeded(byte[] seed) {
            this.seed = seed.clone();
        }

        @Override
        public void nextBytes(byte[] bytes) {
            if (used || bytes.length != SEED_BYTES) {
                throw new IllegalStateException("this Java derives keys from more than a seed of 32 bytes");
            }
            System.arraycopy(seed, 0, bytes, 0, SEED_BYTES);
            used = true;
        }
    }
}
