package dev.ascribe.ledger;

import dev.ascribe.Digests;
import dev.ascribe.SampleId;
import dev.ascribe.VerificationException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/** A SHA-256 hash: 32 bytes. Leaves and nodes are those of RFC 6962, section 2.1. */
public final class Hash {
    /** Bytes of a hash. */
    public static final int BYTES = 32;

    /** 32 zero bytes, which stand for "none". */
    public static final Hash ZERO = new Hash(new byte[BYTES]);

    private static final byte LEAF = 0;
    private static final byte NODE = 1;
    private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(Digests::sha256);

    private final byte[] bytes;

    private Hash(byte[] bytes) {
        this.bytes = bytes;
    }

    /** @param bytes 32 of them */
    public static Hash of(byte[] bytes) {
        return of(bytes, 0, bytes.length);
    }

    /** Some bytes out of many; {@code length} must be 32. */
    public static Hash of(byte[] bytes, int offset, int length) {
        if (length != BYTES) {
            throw new VerificationException("a hash has 32 bytes, not " + length);
        }
        return new Hash(Arrays.copyOfRange(bytes, offset, offset + length));
    }

    /** @param hex 64 hexadecimal digits in lower case */
    public static Hash ofHex(String hex) {
        if (!hex.matches("[0-9a-f]{64}")) {
            throw new VerificationException("'" + hex + "' is no hash; expected 64 hexadecimal digits in lower case");
        }
        return new Hash(HexFormat.of().parseHex(hex));
    }

    /** @param digest {@code sha256:} and 64 hexadecimal digits, as everything else names files */
    public static Hash ofDigest(String digest) {
        return of(SampleId.parse(digest).bytes());
    }

    /** SHA-256 over parts laid end to end. */
    public static Hash sha256(byte[]... parts) {
        MessageDigest digest = SHA_256.get();
        for (byte[] part : parts) {
            digest.update(part);
        }
        return new Hash(digest.digest());
    }

    /** The hash of a log's entry: SHA-256(0x00 ‖ entry). */
    public static Hash leaf(byte[] entry) {
        MessageDigest digest = SHA_256.get();
        digest.update(LEAF);
        return new Hash(digest.digest(entry));
    }

    /** The hash of two subtrees: SHA-256(0x01 ‖ left ‖ right). */
    public static Hash node(Hash left, Hash right) {
        MessageDigest digest = SHA_256.get();
        digest.update(NODE);
        digest.update(left.bytes);
        return new Hash(digest.digest(right.bytes));
    }

    /** The root of a tree without leaves: SHA-256 of nothing. */
    public static Hash ofNothing() {
        return sha256();
    }

    /** A copy of the 32 bytes. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** Copies the 32 bytes into an array. */
    void copyTo(byte[] into, int offset) {
        System.arraycopy(bytes, 0, into, offset, BYTES);
    }

    /** Whether these 32 bytes stand in an array from an offset on. */
    boolean matches(byte[] array, int offset) {
        return Arrays.equals(bytes, 0, BYTES, array, offset, offset + BYTES);
    }

    /** Four of the bytes as a number. */
    int intAt(int offset) {
        return BigEndian.getInt(bytes, offset);
    }

    /** Bit d, counted from the most significant of the first byte: 0 or 1. */
    int bit(int d) {
        return (bytes[d >> 3] >> (7 - (d & 7))) & 1;
    }

    /** In standard base64 with padding. */
    public String base64() {
        return Base64.getEncoder().encodeToString(bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Hash hash && Arrays.equals(bytes, hash.bytes);
    }

    @Override
    public int hashCode() {
        return BigEndian.getInt(bytes, 0);
    }

    /** 64 hexadecimal digits. */
    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes);
    }
}
