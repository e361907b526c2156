package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;

/**
 * Signatures over a payload and its type, as DSSE defines them (Dead Simple Signing Envelope, protocol 1.0.2). What is signed begins with
 * {@code DSSEv1}, so that it can be taken neither for a note nor for a cosignature.
 */
public final class Dsse {
    /** The type of a payload that is an in-toto statement. */
    public static final String IN_TOTO = "application/vnd.in-toto+json";

    private Dsse() {}

    /** Signs a payload. */
    public static byte[] sign(String payloadType, byte[] payload, SignerKey key) {
        return key.signBytes(encode(payloadType, payload));
    }

    /** Whether a payload is signed by a key. */
    public static boolean verify(String payloadType, byte[] payload, byte[] signature, VerifierKey key) {
        return key.verifies(encode(payloadType, payload), signature);
    }

    /** The pre-authentication encoding: {@code "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload}, lengths in decimal bytes. */
    static byte[] encode(String payloadType, byte[] payload) {
        byte[] head = "DSSEv1 %d %s %d "
                .formatted(payloadType.getBytes(UTF_8).length, payloadType, payload.length)
                .getBytes(UTF_8);
        byte[] encoded = Arrays.copyOf(head, head.length + payload.length);
        System.arraycopy(payload, 0, encoded, head.length, payload.length);
        return encoded;
    }
}
