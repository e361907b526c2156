package dev.ascribe.evaluate;

import dev.ascribe.Proof;

/** The mean of paired differences with Student's 95 % interval. */
public final class PairedEffect {
    /** Student's t at 97.5 % for 1, 2, … degrees of freedom (Fisher and Yates' table). */
    private static final double[] T975 = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
        2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042
    };

    private static final double NORMAL = 1.959964;

    private PairedEffect() {}

    /**
     * The effect of a treatment over a control, pair by pair.
     *
     * @param treated one value a seed
     * @param control the same seeds
     * @return mean and interval; the interval of a single pair is the pair itself, and says nothing
     */
    public static Proof.Effect of(double[] treated, double[] control, String unit) {
        if (treated.length != control.length || treated.length == 0) {
            throw new IllegalArgumentException(treated.length + " and " + control.length + " values are no pairs");
        }
        int n = treated.length;
        double mean = 0;
        for (int i = 0; i < n; i++) {
            mean += (treated[i] - control[i]) / n;
        }
        double squares = 0;
        for (int i = 0; i < n; i++) {
            double off = treated[i] - control[i] - mean;
            squares += off * off;
        }
        double half = n == 1 ? 0 : quantile(n - 1) * Math.sqrt(squares / (n - 1) / n);
        return new Proof.Effect(mean, mean - half, mean + half, unit);
    }

    private static double quantile(int freedom) {
        if (freedom <= T975.length) {
            return T975[freedom - 1];
        }
        double z = NORMAL; // the first terms of the expansion in 1/freedom (Abramowitz and Stegun, 26.7.5)
        double cube = z * z * z;
        return z + (cube + z) / (4.0 * freedom) + (5 * cube * z * z + 16 * cube + 3 * z) / (96.0 * freedom * freedom);
    }
}
