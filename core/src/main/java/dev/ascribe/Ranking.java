package dev.ascribe;

import java.util.Arrays;

/** Orders rows by score: highest first, ties to the lower row. */
public final class Ranking {
    private Ranking() {}

    /**
     * The positions of the highest scores, best first.
     *
     * @param scores one score a position; NaN is not allowed
     * @param top how many at most
     */
    public static int[] top(double[] scores, int top) {
        long[] keys = new long[scores.length];
        for (int i = 0; i < keys.length; i++) {
            if (Double.isNaN(scores[i])) {
                throw new IllegalArgumentException("the score of row " + i + " is not a number");
            }
            // Monotone in the score as a float, then in the row: one primitive sort instead of boxed comparisons.
            keys[i] = (long) ~sortable((float) scores[i]) << 32 | i;
        }
        Arrays.sort(keys);
        int[] order = new int[keys.length];
        for (int i = 0; i < keys.length; i++) {
            order[i] = (int) keys[i];
        }
        refineTies(order, scores);
        return top < order.length ? Arrays.copyOf(order, top) : order;
    }

    /** The positions of the lowest scores, lowest first; ties to the lower row. */
    public static int[] bottom(double[] scores, int top) {
        double[] negated = new double[scores.length];
        Arrays.setAll(negated, i -> -scores[i]);
        return top(negated, top);
    }

    /** The rank of every position, 1 = highest score. */
    public static int[] ranks(double[] scores) {
        int[] order = top(scores, scores.length);
        int[] ranks = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            ranks[order[i]] = i + 1;
        }
        return ranks;
    }

    private static int sortable(float value) {
        int bits = Float.floatToIntBits(value == 0 ? 0f : value);
        return bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    }

    /** Sorts again, by the exact double, the runs that are equal as floats. */
    private static void refineTies(int[] order, double[] scores) {
        int from = 0;
        while (from < order.length) {
            int to = from + 1;
            while (to < order.length && (float) scores[order[to]] == (float) scores[order[from]]) {
                to++;
            }
            for (int i = from + 1; i < to; i++) {
                int moved = order[i];
                int at = i;
                while (at > from && scores[order[at - 1]] < scores[moved]) {
                    order[at] = order[at - 1];
                    at--;
                }
                order[at] = moved;
            }
            from = to;
        }
    }
}
