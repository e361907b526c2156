package dev.ascribe.tree;

import dev.ascribe.CorruptDataException;
import java.util.Arrays;
import java.util.BitSet;

/**
 * One decision tree in flat arrays. Immutable.
 *
 * <p>Splits are numbered from 0, the root; a child that is not negative is a split, a negative one is the leaf {@code ~child}. A tree
 * without splits is the leaf 0. A value x goes left at a split when it is missing (NaN) and {@code missingLeft}, when it is in the
 * split's category set, or, where there is none, when {@code x <= threshold}. What the libraries write otherwise (strictly less, the set
 * that goes right) their readers turn into this.
 */
public final class Tree {
    private static final int MOST_CATEGORIES = 1 << 24; // XGBoost's own limit; LightGBM's are smaller

    private final Splits shape;
    private final int output;
    private final int width;
    private final double[] values; // (leaves, width)
    private final double[] cover; // (leaves)
    private final double[] extraLambda; // (leaves)
    private final boolean constant;
    private final int[] drawn; // (n), or empty

    private Tree(
            Splits shape,
            int output,
            int width,
            double[] values,
            double[] cover,
            double[] extraLambda,
            boolean constant,
            int[] drawn) {
        this.shape = shape;
        this.output = output;
        this.width = width;
        this.values = values;
        this.cover = cover;
        this.extraLambda = extraLambda;
        this.constant = constant;
        this.drawn = drawn;
    }

    /**
     * Checks that the arrays are a tree.
     *
     * @param where names file and tree in messages
     * @param features how many features the model has
     * @param output the first output that its leaves add to
     * @param width how many outputs a leaf adds to, from {@code output} on
     * @param values leaf values, (leaves, width)
     * @param cover what weight of training rows the library says is in each leaf, (leaves)
     * @throws CorruptDataException when a number is not finite, an index is out of range, or children form no tree
     */
    static Tree of(String where, Splits shape, int features, int output, int width, double[] values, double[] cover) {
        int leaves = shape.splits() + 1;
        if (values.length != leaves * width || cover.length != leaves) {
            throw new CorruptDataException(
                    "%s: %d leaf values and %d covers for %d leaves of %d values; the file is damaged"
                            .formatted(where, values.length, cover.length, leaves, width));
        }
        for (double value : values) {
            if (!Double.isFinite(value)) {
                throw new CorruptDataException(
                        where + ": leaf value " + value + " is not a finite number; the file is damaged");
            }
        }
        for (double one : cover) {
            if (!(one >= 0 && one < Double.POSITIVE_INFINITY)) {
                throw new CorruptDataException(
                        where + ": a leaf's cover of " + one + " is not a weight; the file is damaged");
            }
        }
        BitSet splits = new BitSet();
        BitSet ends = new BitSet();
        splits.set(0);
        for (int split = 0; split < shape.splits(); split++) {
            for (int child : new int[] {shape.left()[split], shape.right()[split]}) {
                boolean leaf = child < 0;
                int number = leaf ? ~child : child;
                BitSet seen = leaf ? ends : splits;
                if (number >= (leaf ? leaves : shape.splits()) || seen.get(number)) {
                    throw new CorruptDataException(
                            "%s: the children of its nodes form no tree (node %d leads to %s %d, %s); the file is damaged"
                                    .formatted(
                                            where,
                                            split,
                                            leaf ? "leaf" : "node",
                                            number,
                                            seen.get(number) ? "reached twice" : "which is not there"));
                }
                seen.set(number);
            }
            if (shape.feature()[split] < 0 || shape.feature()[split] >= features) {
                throw new CorruptDataException(
                        "%s: a split on feature %d, but the model has features 0 to %d; the file is damaged"
                                .formatted(where, shape.feature()[split], features - 1));
            }
            if (shape.sets()[split] == null && !Double.isFinite(shape.threshold()[split])) {
                throw new CorruptDataException("%s: threshold %s is not a finite number; the file is damaged"
                        .formatted(where, shape.threshold()[split]));
            }
        }
        // Each of splits + leaves - 1 children was reached once; with a cycle beside the root, some could not be
        // reached from it.
        requireAllReached(where, shape);
        return new Tree(shape, output, width, values, cover, new double[leaves], false, new int[0]);
    }

    private static void requireAllReached(String where, Splits shape) {
        int[] open = new int[shape.splits() + 1];
        int size = 0;
        int reached = 0;
        if (shape.splits() > 0) {
            open[size++] = 0;
        }
        while (size > 0) {
            int split = open[--size];
            reached++;
            for (int child : new int[] {shape.left()[split], shape.right()[split]}) {
                if (child >= 0) {
                    open[size++] = child;
                }
            }
        }
        if (reached != shape.splits()) {
            throw new CorruptDataException(
                    "%s: the children of its nodes form no tree (%d of %d nodes are reached from the root); the file is damaged"
                            .formatted(where, reached, shape.splits()));
        }
    }

    /** The same tree whose leaves no training row moves: it holds the intercept alone. */
    Tree asConstant() {
        return new Tree(shape, output, width, values, cover, extraLambda, true, drawn);
    }

    /** The same tree with what its leaves' denominators have beyond the model's lambda, (leaves). */
    Tree withExtraLambda(double[] extra) {
        return new Tree(shape, output, width, values, cover, extra.clone(), constant, drawn);
    }

    /** The same tree with leaf values a·v + b. */
    Tree scaled(double a, double b) {
        return new Tree(
                shape,
                output,
                width,
                Arrays.stream(values).map(v -> a * v + b).toArray(),
                cover,
                extraLambda,
                constant,
                drawn);
    }

    /** The same tree with how often its bootstrap drew each training row, (n). */
    Tree withDrawn(int[] counts) {
        return new Tree(shape, output, width, values, cover, extraLambda, constant, counts.clone());
    }

    Splits shape() {
        return shape;
    }

    /** How many leaves. */
    public int leaves() {
        return shape.splits() + 1;
    }

    /** The first output that its leaves add to. */
    public int output() {
        return output;
    }

    /** How many outputs a leaf adds to: 1, or all of them in a forest. */
    public int width() {
        return width;
    }

    /** What a leaf adds to its only output. */
    public double value(int leaf) {
        return values[leaf * width];
    }

    /** What a leaf adds to output {@code output() + i}. */
    public double value(int leaf, int i) {
        return values[leaf * width + i];
    }

    /** The longest way from the root to a leaf, in splits. */
    public int depth() {
        return shape.splits() == 0 ? 0 : depth(0);
    }

    private int depth(int child) {
        return child < 0 ? 0 : 1 + Math.max(depth(shape.left()[child]), depth(shape.right()[child]));
    }

    /** What weight of training rows the library says is in a leaf. */
    public double cover(int leaf) {
        return cover[leaf];
    }

    /** What the leaf's denominator has beyond the model's lambda. */
    double extraLambda(int leaf) {
        return extraLambda[leaf];
    }

    /** Whether no training row moves its leaves. */
    public boolean constant() {
        return constant;
    }

    /** How often the bootstrap drew each training row, (n), or empty where the file does not say. */
    int[] drawn() {
        return drawn;
    }

    /** Whether a value goes left at a split. */
    boolean goesLeft(int split, double x) {
        if (Double.isNaN(x)) {
            return shape.missingLeft()[split];
        }
        long[] set = shape.sets()[split];
        return set == null ? x <= shape.threshold()[split] : contains(set, x);
    }

    private static boolean contains(long[] set, double x) {
        int category = (int) x;
        int word = category >> 6;
        return x >= 0 && word < set.length && (set[word] >>> category & 1) != 0;
    }

    /**
     * The leaf that a row falls into.
     *
     * @param row feature values as the model compares them, see {@link TreeEnsemble#comparable}
     * @param from where the row begins
     */
    int leaf(double[] row, int from) {
        if (shape.splits() == 0) {
            return 0;
        }
        int node = 0;
        while (node >= 0) {
            node = goesLeft(node, row[from + shape.feature()[node]]) ? shape.left()[node] : shape.right()[node];
        }
        return ~node;
    }

    /**
     * A set of categories, as in {@link Splits#sets}.
     *
     * @throws CorruptDataException when one is negative or beyond 2^24
     */
    static long[] set(String where, int[] categories) {
        int most = -1;
        for (int category : categories) {
            if (category < 0 || category >= MOST_CATEGORIES) {
                throw new CorruptDataException("%s: category %d is not within 0 and %d; the file is damaged"
                        .formatted(where, category, MOST_CATEGORIES - 1));
            }
            most = Math.max(most, category);
        }
        long[] set = new long[(most >> 6) + 1];
        for (int category : categories) {
            set[category >> 6] |= 1L << category;
        }
        return set;
    }

    /**
     * Renumbers a tree whose splits and leaves are nodes of one list, as XGBoost and scikit-learn write them: node 0 is the root, a
     * negative left child marks a leaf. Nodes that cannot be reached are left out (XGBoost keeps pruned ones).
     */
    static final class Nodes {
        final int[] left;
        final int[] right;
        final int[] splitOf; // (nodes): its number among splits, or -1
        final int[] leafOf; // (nodes): its number among leaves, or -1
        final int[] splits; // (splits): node numbers in the order of a walk, left first
        final int[] leaves; // (leaves)

        Nodes(String where, int[] left, int[] right) {
            this.left = left;
            this.right = right;
            int n = left.length;
            if (n == 0) {
                throw new CorruptDataException(where + ": it has no nodes; the file is damaged");
            }
            splitOf = new int[n];
            leafOf = new int[n];
            Arrays.fill(splitOf, -1);
            Arrays.fill(leafOf, -1);
            int[] splitNodes = new int[n];
            int[] leafNodes = new int[n];
            int[] open = new int[n + 1];
            int size = 1;
            int splitCount = 0;
            int leafCount = 0;
            while (size > 0) {
                int node = open[--size];
                if (node < 0 || node >= n || splitOf[node] >= 0 || leafOf[node] >= 0) {
                    throw new CorruptDataException(
                            "%s: the children of its nodes form no tree (node %d is %s); the file is damaged"
                                    .formatted(where, node, node < 0 || node >= n ? "not there" : "reached twice"));
                }
                if (left[node] < 0) {
                    leafOf[node] = leafCount;
                    leafNodes[leafCount++] = node;
                } else {
                    splitOf[node] = splitCount;
                    splitNodes[splitCount++] = node;
                    if (size + 2 > open.length) {
                        throw new CorruptDataException(
                                where
                                        + ": the children of its nodes form no tree (they lead in a circle); the file is damaged");
                    }
                    open[size++] = right[node];
                    open[size++] = left[node];
                }
            }
            splits = Arrays.copyOf(splitNodes, splitCount);
            leaves = Arrays.copyOf(leafNodes, leafCount);
        }

        /** A node as a child of a split. */
        int child(int node) {
            return splitOf[node] >= 0 ? splitOf[node] : ~leafOf[node];
        }

        /** A value of each leaf. */
        double[] ofLeaves(double[] ofNodes) {
            return Arrays.stream(leaves).mapToDouble(node -> ofNodes[node]).toArray();
        }
    }
}
