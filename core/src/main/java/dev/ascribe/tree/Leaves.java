package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Which leaf of each tree every row falls into: one byte a row and tree of up to 256 leaves, two up to 65,536, else four. A million
 * rows and 500 trees of 64 leaves take 500 MB.
 */
final class Leaves {
    private static final int BYTE = 1 << Byte.SIZE;
    private static final int SHORT = 1 << Short.SIZE;

    private final int rows;
    private final Object[] columns; // [tree] byte[n], short[n] or int[n]

    private Leaves(int rows, Object[] columns) {
        this.rows = rows;
        this.columns = columns;
    }

    /**
     * Routes rows through all trees.
     *
     * @param features values of each feature as the table has them, (F, n)
     */
    static Leaves of(TreeEnsemble ensemble, double[][] features, Progress progress) {
        List<Tree> trees = ensemble.trees();
        int rows = features[0].length;
        Object[] columns = new Object[trees.size()];
        for (int t = 0; t < columns.length; t++) {
            int leaves = trees.get(t).leaves();
            columns[t] = leaves <= BYTE ? new byte[rows] : leaves <= SHORT ? new short[rows] : new int[rows];
        }
        AtomicInteger done = new AtomicInteger();
        Chunks.of(rows).forEach((chunk, from, to) -> {
            double[] block = comparable(ensemble, features, from, to);
            for (int t = 0; t < columns.length; t++) {
                route(trees.get(t), block, features.length, columns[t], from, to);
            }
            synchronized (done) {
                progress.at("rows routed", done.addAndGet(to - from), rows);
            }
        });
        return new Leaves(rows, columns);
    }

    /** The values of rows as the model compares them, (rows, F). */
    static double[] comparable(TreeEnsemble ensemble, double[][] features, int from, int to) {
        int width = features.length;
        double[] block = new double[(to - from) * width];
        for (int f = 0; f < width; f++) {
            for (int row = from; row < to; row++) {
                block[(row - from) * width + f] = ensemble.comparable(f, features[f][row]);
            }
        }
        return block;
    }

    private static void route(Tree tree, double[] block, int width, Object column, int from, int to) {
        switch (column) {
            case byte[] bytes -> {
                for (int row = from; row < to; row++) {
                    bytes[row] = (byte) tree.leaf(block, (row - from) * width);
                }
            }
            case short[] shorts -> {
                for (int row = from; row < to; row++) {
                    shorts[row] = (short) tree.leaf(block, (row - from) * width);
                }
            }
            case int[] ints -> {
                for (int row = from; row < to; row++) {
                    ints[row] = tree.leaf(block, (row - from) * width);
                }
            }
            default -> throw new AssertionError(column.getClass());
        }
    }

    /** How many rows, n. */
    int rows() {
        return rows;
    }

    /** The leaves of rows {@code from} … {@code to - 1} in a tree, put at the start of {@code into}. */
    void read(int tree, int from, int to, int[] into) {
        switch (columns[tree]) {
            case byte[] bytes -> {
                for (int row = from; row < to; row++) {
                    into[row - from] = bytes[row] & 0xFF;
                }
            }
            case short[] shorts -> {
                for (int row = from; row < to; row++) {
                    into[row - from] = shorts[row] & 0xFFFF;
                }
            }
            case int[] ints -> System.arraycopy(ints, from, into, 0, to - from);
            default -> throw new AssertionError(columns[tree].getClass());
        }
    }

    /** The leaf of a row in each tree, (T). */
    int[] of(int row) {
        int[] leaves = new int[columns.length];
        int[] one = new int[1];
        for (int t = 0; t < leaves.length; t++) {
            read(t, row, row + 1, one);
            leaves[t] = one[0];
        }
        return leaves;
    }

    /** How many rows are in each leaf of a tree, (leaves). */
    int[] counts(int tree, int leaves) {
        int[] counts = new int[leaves];
        int[] column = new int[rows];
        read(tree, 0, rows, column);
        for (int leaf : column) {
            counts[leaf]++;
        }
        return counts;
    }

    /** Bytes of memory. */
    long bytes() {
        return Arrays.stream(columns)
                .mapToLong(column -> switch (column) {
                    case byte[] bytes -> bytes.length;
                    case short[] shorts -> 2L * shorts.length;
                    default -> 4L * rows;
                })
                .sum();
    }
}
