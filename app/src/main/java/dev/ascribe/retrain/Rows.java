package dev.ascribe.retrain;

import dev.ascribe.Digests;
import dev.ascribe.tree.Table;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;

/** Rows as a library takes them. */
final class Rows {
    private final double[][] features; // (n, F)
    private final double[] labels; // (n)
    private final double[] weights; // (n)

    /**
     * Rows.
     *
     * @param features categories as their codes, missing values NaN, (n, F)
     * @param labels numbers or classes 0 … K − 1, (n)
     * @param weights (n)
     */
    Rows(double[][] features, double[] labels, double[] weights) {
        this.features = features;
        this.labels = labels;
        this.weights = weights;
    }

    double[][] features() {
        return features;
    }

    double[] labels() {
        return labels;
    }

    double[] weights() {
        return weights;
    }

    static Rows of(Table table) {
        double[][] columns = table.features(); // (F, n)
        double[][] features = new double[table.size()][columns.length];
        for (int row = 0; row < features.length; row++) {
            for (int f = 0; f < columns.length; f++) {
                features[row][f] = columns[f][row];
            }
        }
        return new Rows(features, table.labels(), table.weights());
    }

    int size() {
        return labels.length;
    }

    Rows only(int[] rows) {
        return new Rows(
                Arrays.stream(rows).mapToObj(row -> features[row]).toArray(double[][]::new),
                Arrays.stream(rows).mapToDouble(row -> labels[row]).toArray(),
                Arrays.stream(rows).mapToDouble(row -> weights[row]).toArray());
    }

    /** All values one after the other, (n · F). */
    double[] flat() {
        return Arrays.stream(features).flatMapToDouble(Arrays::stream).toArray();
    }

    static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /** The SHA-256 of all values. */
    String digest() {
        MessageDigest sha = Digests.sha256();
        for (double[] row : features) {
            add(sha, row);
        }
        add(sha, labels);
        add(sha, weights);
        return Digests.name(sha.digest());
    }

    private static void add(MessageDigest sha, double[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Double.BYTES * values.length);
        bytes.asDoubleBuffer().put(values);
        sha.update(bytes);
    }
}
