package dev.ascribe.tree;

import java.util.Arrays;
import java.util.List;

/**
 * Path-dependent TreeSHAP (Lundberg et al. 2020, algorithm 2): the Shapley values of a row's features, where a tree's value without a
 * feature is the mean over both branches of that feature's splits, weighted by their covers. O(leaves · depth²) a tree and row. Safe
 * for use by many threads, each with its own {@link #scratch}.
 *
 * <p>A branch of cover zero (CatBoost's empty leaves) has no share in a mean.
 */
final class TreeShap {
    private final List<Tree> trees;
    private final double[][] covers; // [tree][split]
    private final int features;
    private final int deepest;

    TreeShap(TreeEnsemble model) {
        this.trees = model.trees();
        this.features = model.features().size();
        this.covers = new double[trees.size()][];
        int most = 0;
        for (int t = 0; t < covers.length; t++) {
            covers[t] = new double[trees.get(t).shape().splits()];
            if (covers[t].length > 0) {
                most = Math.max(most, depth(trees.get(t), 0, covers[t]));
            }
        }
        this.deepest = most;
    }

    /** Fills in the covers of splits and gives the depth below one. */
    private static int depth(Tree tree, int split, double[] covers) {
        int depth = 0;
        for (int child : new int[] {tree.shape().left()[split], tree.shape().right()[split]}) {
            depth = Math.max(depth, child < 0 ? 0 : depth(tree, child, covers));
            covers[split] += child < 0 ? tree.cover(~child) : covers[child];
        }
        return depth + 1;
    }

    /** The path of unique features from the root, one for each level of the walk, end to end. */
    final class Scratch {
        private final int[] feature;
        private final double[] zero; // share of paths that go on when the feature is unknown
        private final double[] one; // 1 when the row itself goes on, else 0
        private final double[] weight; // of feature sets by their size

        private Scratch() {
            int size = (deepest + 2) * (deepest + 3) / 2;
            feature = new int[size];
            zero = new double[size];
            one = new double[size];
            weight = new double[size];
        }
    }

    Scratch scratch() {
        return new Scratch();
    }

    /**
     * Adds a row's values to {@code phi}.
     *
     * @param row feature values as the model compares them
     * @param from where the row begins
     * @param phi (K, F)
     */
    void explain(double[] row, int from, double[] phi, Scratch scratch) {
        for (int t = 0; t < trees.size(); t++) {
            if (covers[t].length > 0) {
                new Walk(trees.get(t), covers[t], row, from, phi, scratch).visit(0, 0, 0, 1, 1, -1);
            }
        }
    }

    private final class Walk {
        private final Tree tree;
        private final double[] cover;
        private final double[] row;
        private final int from;
        private final double[] phi;
        private final Scratch path;

        Walk(Tree tree, double[] cover, double[] row, int from, double[] phi, Scratch path) {
            this.tree = tree;
            this.cover = cover;
            this.row = row;
            this.from = from;
            this.phi = phi;
            this.path = path;
        }

        /**
         * @param start where this level's path stands
         * @param length elements of the path before this node
         */
        private void visit(int node, int start, int length, double zero, double one, int feature) {
            extend(start, length, zero, one, feature);
            if (node < 0) {
                for (int i = 1; i <= length; i++) {
                    double share = unwoundSum(start, length, i) * (path.one[start + i] - path.zero[start + i]);
                    for (int w = 0; w < tree.width(); w++) {
                        phi[(tree.output() + w) * features + path.feature[start + i]] += share * tree.value(~node, w);
                    }
                }
                return;
            }
            int split = tree.shape().feature()[node];
            boolean left = tree.goesLeft(node, row[from + split]);
            int hot = left ? tree.shape().left()[node] : tree.shape().right()[node];
            int cold = left ? tree.shape().right()[node] : tree.shape().left()[node];
            double incomingZero = 1;
            double incomingOne = 1;
            int last = length;
            for (int i = 1; i <= length; i++) {
                if (path.feature[start + i] == split) {
                    incomingZero = path.zero[start + i];
                    incomingOne = path.one[start + i];
                    unwind(start, length, i);
                    last--;
                    break;
                }
            }
            go(hot, node, start, last, incomingZero, incomingOne, split);
            go(cold, node, start, last, incomingZero, 0, split);
        }

        private void go(int child, int node, int start, int last, double zero, double one, int feature) {
            double part = child < 0 ? tree.cover(~child) : cover[child];
            double share = cover[node] == 0 ? 0 : zero * part / cover[node];
            if (share == 0 && one == 0) {
                return; // no set of features leads here
            }
            int next = start + last + 1;
            System.arraycopy(path.feature, start, path.feature, next, last + 1);
            System.arraycopy(path.zero, start, path.zero, next, last + 1);
            System.arraycopy(path.one, start, path.one, next, last + 1);
            System.arraycopy(path.weight, start, path.weight, next, last + 1);
            visit(child, next, last + 1, share, one, feature);
        }

        private void extend(int start, int length, double zero, double one, int feature) {
            path.feature[start + length] = feature;
            path.zero[start + length] = zero;
            path.one[start + length] = one;
            path.weight[start + length] = length == 0 ? 1 : 0;
            for (int i = length - 1; i >= 0; i--) {
                double weight = path.weight[start + i];
                path.weight[start + i + 1] += one * weight * (i + 1) / (length + 1);
                path.weight[start + i] = zero * weight * (length - i) / (length + 1);
            }
        }

        private void unwind(int start, int length, int index) {
            double one = path.one[start + index];
            double zero = path.zero[start + index];
            double next = path.weight[start + length];
            for (int i = length - 1; i >= 0; i--) {
                if (one != 0) {
                    double kept = path.weight[start + i];
                    path.weight[start + i] = next * (length + 1) / ((i + 1) * one);
                    next = kept - path.weight[start + i] * zero * (length - i) / (length + 1);
                } else {
                    path.weight[start + i] = path.weight[start + i] * (length + 1) / (zero * (length - i));
                }
            }
            for (int i = index; i < length; i++) {
                path.feature[start + i] = path.feature[start + i + 1];
                path.zero[start + i] = path.zero[start + i + 1];
                path.one[start + i] = path.one[start + i + 1];
            }
        }

        private double unwoundSum(int start, int length, int index) {
            double one = path.one[start + index];
            double zero = path.zero[start + index];
            double next = path.weight[start + length];
            double sum = 0;
            for (int i = length - 1; i >= 0; i--) {
                if (one != 0) {
                    double part = next * (length + 1) / ((i + 1) * one);
                    sum += part;
                    next = path.weight[start + i] - part * zero * (length - i) / (length + 1);
                } else {
                    sum += path.weight[start + i] * (length + 1) / (zero * (length - i));
                }
            }
            return sum;
        }
    }

    /** The values of rows {@code from} … {@code to - 1}, (rows, K · F). */
    double[][] explain(TreeEnsemble model, double[][] table, int from, int to) {
        double[] block = Leaves.comparable(model, table, from, to);
        double[][] values = new double[to - from][model.outputs() * features];
        Scratch scratch = scratch();
        for (int i = 0; i < values.length; i++) {
            Arrays.fill(values[i], 0);
            explain(block, i * features, values[i], scratch);
        }
        return values;
    }
}
