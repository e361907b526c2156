package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * LeafRefit (Sharchilev et al. 2018; Brophy et al. 2023): the leaves of all rounds are computed again without the row, and the query's
 * loss with them. Structure and intercept are fixed. A leaf that holds no row any more adds nothing.
 *
 * <p>O(n² rounds) for boosting. A forest's leaves are means, so that a row is taken out of them in O(1): {@link ForestRefit}.
 */
final class LeafRefit implements TreeMethod {
    @Override
    public Map<String, Object> parameters() {
        return Map.of("name", "leaf-refit");
    }

    @Override
    public String scale(TreeEnsemble model) {
        return model.kind() == TreeEnsemble.Kind.FOREST
                ? ForestRefit.SCALE
                : model.requireGradients().scale();
    }

    @Override
    public boolean needsGradients() {
        return true;
    }

    @Override
    public double[][] scores(Training training, List<Query> queries, Progress progress) {
        if (training.model().kind() == TreeEnsemble.Kind.FOREST) {
            return ForestRefit.scores(training, queries);
        }
        int n = training.rows();
        int[][] leaves = new int[training.model().trees().size()][n];
        for (int t = 0; t < leaves.length; t++) {
            training.leaves().read(t, 0, n, leaves[t]);
        }
        double[] all = losses(training, leaves, queries, -1);
        double[][] scores = new double[queries.size()][n];
        AtomicInteger done = new AtomicInteger();
        IntStream.range(0, n).parallel().forEach(row -> {
            double[] without = losses(training, leaves, queries, row);
            for (int q = 0; q < without.length; q++) {
                scores[q][row] = without[q] - all[q];
            }
            synchronized (done) {
                progress.at("rows left out", done.incrementAndGet(), n);
            }
        });
        return scores;
    }

    /** The queries' losses after leaves were computed again. */
    private static double[] losses(Training training, int[][] leaves, List<Query> queries, int without) {
        Replay replay = training.replay();
        TreeEnsemble model = training.model();
        Objective objective = replay.objective();
        int k = objective.outputs();
        int n = training.rows();
        double[] margins = new double[n * k];
        for (int i = 0; i < margins.length; i++) {
            margins[i] = model.intercept().get(i % k);
        }
        double[][] asked = new double[queries.size()][k];
        for (double[] one : asked) {
            Arrays.setAll(one, model.intercept()::get);
        }
        double[] prediction = new double[k];
        double[] g = new double[k];
        double[] h = new double[k];
        for (int t = 0; t < model.rounds().size(); t++) {
            List<Tree> round = model.rounds().get(t);
            double[][] value = new double[k][];
            double[][] sum = new double[k][];
            for (int c = 0; c < k; c++) {
                value[c] = new double[round.get(c).leaves()];
                sum[c] = new double[value[c].length];
            }
            for (int row = 0; row < n; row++) {
                if (row == without) {
                    continue;
                }
                double label = training.labels()[row];
                objective.predict(margins, row * k, prediction);
                objective.gradients(prediction, label, objective.weight(label, training.weights()[row]), g, h);
                for (int c = 0; c < k; c++) {
                    value[c][leaves[t * k + c][row]] += g[c];
                    sum[c][leaves[t * k + c][row]] += h[c];
                }
            }
            for (int c = 0; c < k; c++) {
                Tree tree = round.get(c);
                for (int leaf = 0; leaf < value[c].length; leaf++) {
                    double denominator = sum[c][leaf] + replay.lambda() + tree.extraLambda(leaf);
                    value[c][leaf] = tree.constant()
                            ? tree.value(leaf)
                            : denominator == 0 ? 0 : -replay.eta() * value[c][leaf] / denominator;
                }
                for (int row = 0; row < n; row++) {
                    margins[row * k + c] += value[c][leaves[t * k + c][row]];
                }
                for (int q = 0; q < asked.length; q++) {
                    asked[q][c] += value[c][queries.get(q).leaves()[t * k + c]];
                }
            }
        }
        double[] losses = new double[asked.length];
        for (int q = 0; q < losses.length; q++) {
            losses[q] = objective.loss(asked[q], queries.get(q).label());
        }
        return losses;
    }
}
