package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import java.nio.charset.StandardCharsets;

/**
 * What stands for a sample in the log: HMAC-SHA-256(salt, "ascribe-sample-v1" ‖ id), with salt = HMAC-SHA-256(bucket key,
 * "ascribe-salt-v1" ‖ id). One content has one commitment, fixed by the bucket keys before anything was recorded.
 */
public final class Commitment {
    /** Bucket keys of a log. */
    public static final int BUCKETS = 65_536;

    private static final byte[] SALT = "ascribe-salt-v1".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SAMPLE = "ascribe-sample-v1".getBytes(StandardCharsets.US_ASCII);
    private static final int BLOCK = 64; // of SHA-256
    private static final byte INNER = 0x36;
    private static final byte OUTER = 0x5c;

    private Commitment() {}

    /** The bucket of an id: its first two bytes. */
    public static int bucket(SampleId sample) {
        return (int) (sample.a() >>> 48);
    }

    /** The salt that a bucket key gives a sample. */
    public static Hash salt(Hash bucketKey, SampleId sample) {
        return hmac(bucketKey, SALT, sample);
    }

    /** The commitment to a sample under its salt. */
    public static Hash of(Hash salt, SampleId sample) {
        return hmac(salt, SAMPLE, sample);
    }

    /** HMAC (RFC 2104) of a key shorter than a block; the library's sets up objects and copies for each key, and every event has two. */
    private static Hash hmac(Hash key, byte[] label, SampleId sample) {
        byte[] inner = new byte[BLOCK + label.length + Hash.BYTES];
        pad(key, INNER, inner);
        System.arraycopy(label, 0, inner, BLOCK, label.length);
        BigEndian.putLong(inner, inner.length - 4 * Long.BYTES, sample.a());
        BigEndian.putLong(inner, inner.length - 3 * Long.BYTES, sample.b());
        BigEndian.putLong(inner, inner.length - 2 * Long.BYTES, sample.c());
        BigEndian.putLong(inner, inner.length - Long.BYTES, sample.d());
        byte[] outer = new byte[BLOCK + Hash.BYTES];
        pad(key, OUTER, outer);
        Hash.sha256(inner).copyTo(outer, BLOCK);
        return Hash.sha256(outer);
    }

    private static void pad(Hash key, byte with, byte[] block) {
        key.copyTo(block, 0);
        for (int i = 0; i < BLOCK; i++) {
            block[i] ^= with;
        }
    }
}
