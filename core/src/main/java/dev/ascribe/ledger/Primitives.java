package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.util.List;

/** The rules that hold for a field in bytes and in JSON alike; each returns what it was given. */
public final class Primitives {
    private static final char SPACE = 0x20;
    private static final char DELETE = 0x7f;

    private Primitives() {}

    /** 0 to 2⁵³ − 1. */
    public static long number(String name, long value) {
        if (value < 0 || value > Event.GREATEST) {
            throw new VerificationException("'%s' is %s; it must be a whole number from 0 to %d"
                    .formatted(name, Long.toUnsignedString(value), Event.GREATEST));
        }
        return value;
    }

    /** Finite. */
    public static double real(String name, double value) {
        if (!Double.isFinite(value)) {
            throw new VerificationException("'%s' is %s; it must be a finite number".formatted(name, value));
        }
        return value;
    }

    /** Without control characters; surrogates are the encoder's matter. */
    public static String text(String name, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < SPACE || c == DELETE) {
                throw new VerificationException("'%s' holds the control character U+%04X".formatted(name, (int) c));
            }
        }
        return value;
    }

    /** At least one. */
    public static <T> List<T> some(String name, List<T> values) {
        if (values.isEmpty()) {
            throw new VerificationException("'" + name + "' is empty; it needs at least one");
        }
        return values;
    }
}
