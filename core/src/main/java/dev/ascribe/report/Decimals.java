package dev.ascribe.report;

import java.util.Collection;
import java.util.Locale;

/**
 * How the numbers of one list are written: all with the same decimals, about three significant digits for the largest.
 *
 * @param places digits after the point, or {@link #SCIENTIFIC}
 */
record Decimals(int places) {
    private static final int SCIENTIFIC = -1;
    private static final double SMALLEST_PLAIN = 1e-5;
    private static final double LARGEST_PLAIN = 1e6;

    static Decimals of(Collection<Double> values) {
        double largest = values.stream().mapToDouble(Math::abs).max().orElse(0);
        if (largest == 0) {
            return new Decimals(1);
        }
        if (largest < SMALLEST_PLAIN || largest >= LARGEST_PLAIN) {
            return new Decimals(SCIENTIFIC);
        }
        return new Decimals(Math.clamp(3 - (int) Math.ceil(Math.log10(largest)), 0, 8));
    }

    /** A number as it is. */
    String plain(double value) {
        String text = String.format(Locale.ROOT, places == SCIENTIFIC ? "%.2e" : "%." + places + "f", Math.abs(value));
        boolean zero = text.chars().noneMatch(c -> '1' <= c && c <= '9');
        return (value < 0 && !zero ? "−" : "") + text;
    }

    /** A number with its sign, unless it rounds to zero. */
    String signed(double value) {
        String text = plain(value);
        boolean positive = text.charAt(0) != '−' && text.chars().anyMatch(c -> '1' <= c && c <= '9');
        return (positive ? "+" : "") + text;
    }
}
