package dev.ascribe;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * The identity of a sample: SHA-256 of its canonical bytes. A row number is a position, not an identity.
 *
 * <p>The four longs are the digest's 32 bytes, big-endian.
 */
public record SampleId(long a, long b, long c, long d) {
    private static final String PREFIX = "sha256:";

    /** The id of a sample with these canonical bytes. */
    public static SampleId of(byte[] canonical) {
        return fromDigest(Digests.sha256(canonical));
    }

    /** @param digest 32 bytes */
    public static SampleId fromDigest(byte[] digest) {
        if (digest.length != 32) {
            throw new IllegalArgumentException("a sample id has 32 bytes, not " + digest.length);
        }
        ByteBuffer bytes = ByteBuffer.wrap(digest);
        return new SampleId(bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong());
    }

    /** @param text {@code sha256:} and 64 hexadecimal digits */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static SampleId parse(String text) {
        if (!text.matches("sha256:[0-9a-f]{64}")) {
            throw new UserInputException("'" + text + "' is not a sample id; expected sha256: and 64 hex digits");
        }
        return fromDigest(HexFormat.of().parseHex(text, PREFIX.length(), text.length()));
    }

    /** The digest's 32 bytes. */
    public byte[] bytes() {
        return ByteBuffer.allocate(32)
                .putLong(a)
                .putLong(b)
                .putLong(c)
                .putLong(d)
                .array();
    }

    /** Whether a digest equals this id. */
    public boolean matches(byte[] digest) {
        return MessageDigest.isEqual(bytes(), digest);
    }

    /** {@code sha256:} and 64 hexadecimal digits. */
    @Override
    @JsonValue
    public String toString() {
        return PREFIX + HexFormat.of().formatHex(bytes());
    }
}
