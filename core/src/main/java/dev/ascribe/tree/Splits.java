package dev.ascribe.tree;

import org.jspecify.annotations.Nullable;

/** The splits of a {@link Tree}, numbered from 0, the root; a negative child is the leaf {@code ~child}. */
final class Splits {
    private final int[] left;
    private final int[] right;
    private final int[] feature;
    private final double[] threshold;
    private final boolean[] missingLeft;
    private final long[] @Nullable [] sets;

    /** Of so many splits, whose arrays are then filled in. */
    Splits(int count) {
        this(new int[count], new int[count], new int[count], new double[count], new boolean[count], new long[count][]);
    }

    Splits(
            int[] left,
            int[] right,
            int[] feature,
            double[] threshold,
            boolean[] missingLeft,
            long[] @Nullable [] sets) {
        this.left = left;
        this.right = right;
        this.feature = feature;
        this.threshold = threshold;
        this.missingLeft = missingLeft;
        this.sets = sets;
    }

    /** How many. */
    int splits() {
        return left.length;
    }

    /** A split's child for values that go left, (splits). */
    int[] left() {
        return left;
    }

    /** The other child, (splits). */
    int[] right() {
        return right;
    }

    /** Which feature it looks at, (splits). */
    int[] feature() {
        return feature;
    }

    /** Largest value that goes left, (splits). */
    double[] threshold() {
        return threshold;
    }

    /** Whether a missing value goes left, (splits). */
    boolean[] missingLeft() {
        return missingLeft;
    }

    /** Bit b of word b / 64: category b goes left; null where the threshold decides, (splits). */
    long[] @Nullable [] sets() {
        return sets;
    }
}
