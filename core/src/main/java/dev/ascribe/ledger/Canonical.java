package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.math.BigInteger;
import java.util.Base64;

/** Texts of which each value has exactly one form; every other form is refused. */
final class Canonical {
    private static final BigInteger LARGEST = BigInteger.valueOf(Long.MAX_VALUE);
    private static final int LONGEST_DECIMAL = 19;

    private Canonical() {}

    /** Standard base64 with its padding, its spare bits zero, without white space. */
    static byte[] base64(String text) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new VerificationException("'" + shortened(text) + "' is not base64: " + e.getMessage(), e);
        }
        // the decoder is lenient about padding and spare bits, the encoder writes the one form
        if (!Base64.getEncoder().encodeToString(bytes).equals(text)) {
            throw new VerificationException("'" + shortened(text)
                    + "' is not canonical base64: padding must be there, spare bits must be zero");
        }
        return bytes;
    }

    /** Base64 of 32 bytes. */
    static Hash hash(String base64) {
        return Hash.of(base64(base64));
    }

    /** ASCII digits without sign or leading zeros, at most 2^63 − 1. */
    static long decimal(String text) {
        if (!text.matches("0|[1-9][0-9]*")) {
            throw new VerificationException(
                    "'" + shortened(text) + "' is not a number in decimal without leading zeros");
        }
        if (text.length() > LONGEST_DECIMAL) {
            throw new VerificationException(shortened(text) + " is above the limit of " + LARGEST);
        }
        return number(new BigInteger(text));
    }

    /** A size or index of a log: 0 to 2^63 − 1. */
    static long number(BigInteger value) {
        if (value.signum() < 0 || value.compareTo(LARGEST) > 0) {
            throw new VerificationException(
                    shortened(value.toString()) + " is no size or index of a log; expected 0 to " + LARGEST);
        }
        return value.longValueExact();
    }

    /** What a message repeats of a text. */
    static String shortened(String text) {
        return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }
}
