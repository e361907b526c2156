package dev.ascribe.tree;

import dev.ascribe.UserInputException;
import java.util.Arrays;
import java.util.List;

/**
 * {@link LeafRefit} of a forest: its leaves are weighted means of the rows that the bootstrap drew, so that without a row drawn c times
 * with weight w, a leaf of weight W has {@code (W v − c w y) / (W − c w)}. A leaf that then holds no row takes the mean of the lowest
 * split above it that does, as if it had been merged with its sibling.
 *
 * <p>The loss is half the squared error of the forest's outputs, in a classification against one for the label's class and zero for
 * the others: a forest's class shares are often zero, where a log-probability has no value.
 */
final class ForestRefit {
    static final String SCALE = "half-squared-error";

    private final Training training;
    private final int width;
    private final int count; // T

    private ForestRefit(Training training) {
        this.training = training;
        this.width = training.model().outputs();
        this.count = training.model().trees().size();
    }

    /** (queries, n). */
    static double[][] scores(Training training, List<Query> queries) {
        ForestRefit refit = new ForestRefit(training);
        TreeEnsemble model = training.model();
        int n = training.rows();
        double[][] changes = new double[queries.size()][n * refit.width];
        for (int t = 0; t < refit.count; t++) {
            Tree tree = model.trees().get(t);
            if (tree.drawn().length == 0) {
                throw new UserInputException(
                        "leaf-refit needs the bootstrap of each tree, \"drawn\", which %s does not have; write it with the snippet of docs/methods/leaf-refit.md"
                                .formatted(model.path()));
            }
            if (tree.drawn().length != n) {
                throw new UserInputException("%s was trained on %,d rows (\"drawn\" of tree %d), but the data have %,d"
                        .formatted(model.path(), tree.drawn().length, t, n));
            }
            refit.addChanges(tree, t, queries, changes);
        }
        double[][] scores = new double[queries.size()][n];
        for (int q = 0; q < scores.length; q++) {
            double[] outputs = queries.get(q).margins(model);
            double label = queries.get(q).label();
            double before = loss(outputs, label);
            double[] moved = new double[refit.width];
            for (int row = 0; row < n; row++) {
                for (int c = 0; c < moved.length; c++) {
                    moved[c] = outputs[c] + changes[q][row * refit.width + c];
                }
                scores[q][row] = loss(moved, label) - before;
            }
        }
        return scores;
    }

    /** Half the squared error of a forest's outputs. */
    static double loss(double[] outputs, double label) {
        double loss = 0;
        for (int c = 0; c < outputs.length; c++) {
            double difference = outputs[c] - target(outputs.length, label, c);
            loss += difference * difference / 2;
        }
        return loss;
    }

    private static double target(int width, double label, int c) {
        return width == 1 ? label : c == (int) label ? 1 : 0;
    }

    private void addChanges(Tree tree, int number, List<Query> queries, double[][] changes) {
        int n = training.rows();
        int[] leaf = new int[n];
        training.leaves().read(number, 0, n, leaf);
        int leaves = tree.leaves();
        double[] weight = new double[leaves + tree.shape().splits()]; // of leaves, then of splits
        double[][] sum = new double[weight.length][width];
        for (int row = 0; row < n; row++) {
            double drawn = tree.drawn()[row] * training.weights()[row];
            weight[leaf[row]] += drawn;
            for (int c = 0; c < width; c++) {
                sum[leaf[row]][c] += drawn * target(width, training.labels()[row], c);
            }
        }
        requireReproduced(tree, number, weight, sum);
        int[] parent = new int[weight.length];
        Arrays.fill(parent, -1);
        if (tree.shape().splits() > 0) {
            addUp(tree.shape(), 0, leaves, weight, sum, parent);
        }
        for (int q = 0; q < queries.size(); q++) {
            int asked = queries.get(q).leaves()[number];
            for (int row = 0; row < n; row++) {
                double drawn = tree.drawn()[row] * training.weights()[row];
                if (leaf[row] != asked || drawn == 0) {
                    continue;
                }
                int node = asked;
                while (node >= 0 && !remains(weight[node], drawn)) {
                    node = parent[node];
                }
                for (int c = 0; c < width && node >= 0; c++) {
                    double y = target(width, training.labels()[row], c);
                    double value = (sum[node][c] - drawn * y) / (weight[node] - drawn);
                    changes[q][row * width + c] += (value - sum[asked][c] / weight[asked]) / count;
                }
            }
        }
    }

    /** Whether any weight is left, rounding aside. */
    private static boolean remains(double weight, double taken) {
        return weight - taken > 1e-9 * weight;
    }

    private static void addUp(Splits shape, int split, int leaves, double[] weight, double[][] sum, int[] parent) {
        for (int child : new int[] {shape.left()[split], shape.right()[split]}) {
            int node = child < 0 ? ~child : leaves + child;
            if (child >= 0) {
                addUp(shape, child, leaves, weight, sum, parent);
            }
            parent[node] = leaves + split;
            weight[leaves + split] += weight[node];
            for (int c = 0; c < sum[node].length; c++) {
                sum[leaves + split][c] += sum[node][c];
            }
        }
    }

    private void requireReproduced(Tree tree, int number, double[] weight, double[][] sum) {
        double largest = 0;
        for (int leaf = 0; leaf < tree.leaves(); leaf++) {
            for (int c = 0; c < width; c++) {
                largest = Math.max(largest, Math.abs(tree.value(leaf, c) * count));
            }
        }
        for (int leaf = 0; leaf < tree.leaves(); leaf++) {
            for (int c = 0; c < width; c++) {
                double has = tree.value(leaf, c) * count;
                double gives = sum[leaf][c] / weight[leaf];
                if (!(Math.abs(has - gives) <= Replay.LIMIT * largest)) {
                    throw new UserInputException(
                            "the leaves of %s do not follow from the rows: in tree %d, leaf %d has %s, the rows give %s. Likely causes: other rows, labels or --weight than in training, or \"drawn\" of another forest"
                                    .formatted(training.model().path(), number, leaf, has, gives));
                }
            }
        }
    }
}
