package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What stands for a sample in the log: HMAC-SHA-256(salt, "ascribe-sample-v1" ‖ id), with salt = HMAC-SHA-256(bucket key,
 * "ascribe-salt-v1" ‖ id). One content has one commitment, fixed by the bucket keys before anything was recorded.
 */
public final class Commitment {
    /** Bucket keys of a log. */
    public static final int BUCKETS = 65_536;

    private static final byte[] SALT = "ascribe-salt-v1".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SAMPLE = "ascribe-sample-v1".getBytes(StandardCharsets.US_ASCII);
    private static final String HMAC = "HmacSHA256";
    private static final ThreadLocal<Mac> MAC = ThreadLocal.withInitial(Commitment::mac);

    private Commitment() {}

    private static Mac mac() {
        try {
            return Mac.getInstance(HMAC);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has " + HMAC, e);
        }
    }

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

    private static Hash hmac(Hash key, byte[] label, SampleId sample) {
        Mac mac = MAC.get();
        try {
            mac.init(new SecretKeySpec(key.bytes(), HMAC));
        } catch (InvalidKeyException e) {
            throw new AssertionError("any 32 bytes are a key", e);
        }
        mac.update(label);
        return Hash.of(mac.doFinal(sample.bytes()));
    }
}
