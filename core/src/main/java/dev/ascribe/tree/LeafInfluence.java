package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.List;
import java.util.Map;

/**
 * LeafInfluence (Sharchilev et al. 2018) for all rows in one backward pass a query: minus the derivative of the query's loss by the
 * logarithm of a row's weight, through the leaves it is in and through all later rounds, whose gradients these leaves change. Structure
 * and intercept are fixed.
 *
 * <p>The published forward chain needs an n × n matrix. Backwards, from the last round to the first, B (n, K) is the derivative of the
 * query's loss by each training row's margins after the round. A leaf's value then has the derivative
 * {@code v̄ = Σ_{rows in it} B + ∂ℓ/∂F(q)} (the latter where the query is in it), a row of it the coefficient
 * {@code k = −η v̄ / (H + λ)}: its score falls by {@code k (g + h v/η)}, and B grows by that sum's derivative by its margins. O(rounds ×
 * rows) a query, with {@code 8 n (2 K + 1)} bytes.
 */
final class LeafInfluence implements LinearMethod {
    @Override
    public Map<String, Object> parameters() {
        return Map.of("name", "leaf-influence");
    }

    @Override
    public String scale(TreeEnsemble model) {
        return model.requireGradients().scale();
    }

    @Override
    public boolean needsGradients() {
        return true;
    }

    @Override
    public double[][] scores(Training training, List<Query> queries, Progress progress) {
        double[] margins = margins(training);
        double[][] scores = new double[queries.size()][];
        for (int q = 0; q < scores.length; q++) {
            Target loss = Target.loss(training.model(), training.replay().objective(), queries.get(q));
            scores[q] = new Pass(training, loss, margins.clone()).run(progress, q, scores.length);
        }
        return scores;
    }

    @Override
    public double[] scores(Training training, Target target, Progress progress) {
        return new Pass(training, target, margins(training)).run(progress, 0, 1);
    }

    /** Margins of the training rows after all rounds, (n, K). */
    private static double[] margins(Training training) {
        TreeEnsemble model = training.model();
        int k = model.outputs();
        List<Tree> trees = model.trees();
        double[] margins = new double[training.rows() * k];
        Chunks.of(training.rows()).forEach((chunk, from, to) -> {
            int[] leaf = new int[to - from];
            for (int i = from * k; i < to * k; i++) {
                margins[i] = model.intercept().get(i % k);
            }
            for (int t = 0; t < trees.size(); t++) {
                Tree tree = trees.get(t);
                training.leaves().read(t, from, to, leaf);
                for (int i = 0; i < leaf.length; i++) {
                    margins[(from + i) * k + tree.output()] += tree.value(leaf[i]);
                }
            }
        });
        return margins;
    }

    /** One query's way back. */
    private static final class Pass {
        private final Training training;
        private final Target target;
        private final Objective objective;
        private final int k;
        private final double eta;
        private final double[][] values; // [tree][leaf]
        private final double[][] denominators; // [tree][leaf]
        private final double[] margins; // after the round that comes next, (n, K)
        private final double[] adjoints; // B, (n, K)
        private final double[] scores; // (n)
        private final Chunks chunks;

        Pass(Training training, Target target, double[] margins) {
            this.training = training;
            this.target = target;
            this.margins = margins;
            Replay replay = training.replay();
            this.objective = replay.objective();
            this.k = objective.outputs();
            this.eta = replay.eta();
            this.values = replay.values();
            this.denominators = replay.denominators();
            this.adjoints = new double[margins.length];
            this.scores = new double[training.rows()];
            this.chunks = Chunks.of(scores.length);
        }

        double[] run(Progress progress, int done, int queries) {
            int rounds = values.length / k;
            double[][] leafAdjoints = new double[k][]; // v̄ of the round, [class][leaf]
            for (int c = 0; c < k; c++) {
                leafAdjoints[c] = new double[values[(rounds - 1) * k + c].length];
            }
            for (int t = rounds - 1; t >= 0; t--) {
                for (int c = 0; c < k; c++) {
                    double[] slopes = target.of(t * k + c);
                    for (int leaf = 0; leaf < slopes.length; leaf++) {
                        leafAdjoints[c][leaf] += slopes[leaf];
                    }
                }
                leafAdjoints = back(t, leafAdjoints);
                progress.at("rounds back", (long) done * rounds + rounds - t, (long) queries * rounds);
            }
            return scores;
        }

        /** Goes back over a round, and sums B by the leaves of the round before it. */
        private double[][] back(int t, double[][] leafAdjoints) {
            double[][] coefficients = new double[k][]; // −η v̄ / (H + λ)
            double[][] ratios = new double[k][]; // v / η
            for (int c = 0; c < k; c++) {
                int tree = t * k + c;
                coefficients[c] = new double[values[tree].length];
                ratios[c] = new double[values[tree].length];
                for (int leaf = 0; leaf < coefficients[c].length; leaf++) {
                    coefficients[c][leaf] = -eta * leafAdjoints[c][leaf] / denominators[tree][leaf];
                    ratios[c][leaf] = values[tree][leaf] / eta;
                }
            }
            double[][][] sums = new double[chunks.count()][k][];
            chunks.forEach((chunk, from, to) -> {
                int[][] leaf = new int[k][to - from];
                for (int c = 0; c < k; c++) {
                    training.leaves().read(t * k + c, from, to, leaf[c]);
                }
                rows(t, from, to, leaf, coefficients, ratios);
                for (int c = 0; c < k && t > 0; c++) {
                    int earlier = (t - 1) * k + c;
                    training.leaves().read(earlier, from, to, leaf[c]);
                    double[] own = new double[values[earlier].length];
                    for (int i = 0; i < to - from; i++) {
                        own[leaf[c][i]] += adjoints[(from + i) * k + c];
                    }
                    sums[chunk][c] = own;
                }
            });
            double[][] next = new double[k][];
            for (int c = 0; c < k && t > 0; c++) {
                next[c] = new double[values[(t - 1) * k + c].length];
                for (double[][] own : sums) {
                    for (int leaf = 0; leaf < next[c].length; leaf++) {
                        next[c][leaf] += own[c][leaf];
                    }
                }
            }
            return next;
        }

        private void rows(int t, int from, int to, int[][] leaf, double[][] coefficients, double[][] ratios) {
            double[] g = new double[k];
            double[] h = new double[k];
            double[] rowK = new double[k];
            double[] rowR = new double[k];
            double[] scratch = new double[k];
            for (int i = 0; i < to - from; i++) {
                int at = (from + i) * k;
                for (int c = 0; c < k; c++) {
                    rowK[c] = coefficients[c][leaf[c][i]];
                    rowR[c] = ratios[c][leaf[c][i]];
                    margins[at + c] -= values[t * k + c][leaf[c][i]];
                }
                double label = training.labels()[from + i];
                double weight = objective.weight(label, training.weights()[from + i]);
                objective.gradients(margins, at, label, weight, g, h);
                for (int c = 0; c < k; c++) {
                    scores[from + i] -= rowK[c] * (g[c] + h[c] * rowR[c]);
                }
                objective.pull(margins, at, weight, rowK, rowR, adjoints, scratch);
            }
        }
    }
}
