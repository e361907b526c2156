package dev.ascribe.tree;

import org.jspecify.annotations.Nullable;

/**
 * The splits of a {@link Tree}.
 *
 * @param left a split's child for values that go left, (splits)
 * @param right the other child, (splits)
 * @param feature which feature it looks at, (splits)
 * @param threshold largest value that goes left, (splits)
 * @param missingLeft whether a missing value goes left, (splits)
 * @param sets bit b of word b / 64: category b goes left; null where the threshold decides, (splits)
 */
record Splits(
        int[] left,
        int[] right,
        int[] feature,
        double[] threshold,
        boolean[] missingLeft,
        long[] @Nullable [] sets) {
    /** How many. */
    int splits() {
        return left.length;
    }
}

