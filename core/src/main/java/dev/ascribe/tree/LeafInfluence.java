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
    /** Numbers of B that are held at once; more targets take several ways back. */
    private static final int MOST_ADJOINTS = 1 << 25;

    @Override
    public Map<String, Object> parameters() {
        return Map.of("name", "leaf-influence");
    }

    @Override
    public Target target(TreeEnsemble model, Objective objective, Query query) {
        return Target.loss(model, objective, query);
    }

    @Override
    public double[][] influence(Training training, List<Target> targets, Progress progress) {
        int k = training.model().outputs();
        int atOnce = Math.clamp(MOST_ADJOINTS / ((long) training.rows() * k), 1, targets.size());
        double[][] scores = new double[targets.size()][];
        for (int from = 0; from < scores.length; from += atOnce) {
            List<Target> some = targets.subList(from, Math.min(scores.length, from + atOnce));
            double[][] found = new Pass(training, some).run(progress, from, scores.length);
            System.arraycopy(found, 0, scores, from, found.length);
        }
        return scores;
    }

    /** The way back of some targets, side by side: what rows predict in a round is the same for all. */
    private static final class Pass {
        private final Training training;
        private final List<Target> targets;
        private final Objective objective;
        private final int k;
        private final double eta;
        private final double[][] values; // [tree][leaf]
        private final double[][] denominators; // [tree][leaf]
        private final double[] margins; // after the round that comes next, (n, K)
        private final double[][] adjoints; // B, (targets, n, K)
        private final double[][] scores; // (targets, n)
        private final Chunks chunks;

        Pass(Training training, List<Target> targets) {
            this.training = training;
            this.targets = targets;
            Replay replay = training.replay();
            this.objective = replay.objective();
            this.k = objective.outputs();
            this.eta = replay.eta();
            this.values = replay.values();
            this.denominators = replay.denominators();
            this.margins = new double[training.rows() * k];
            this.adjoints = new double[targets.size()][margins.length];
            this.scores = new double[targets.size()][training.rows()];
            this.chunks = Chunks.of(training.rows());
            chunks.forEach((chunk, from, to) ->
                    System.arraycopy(training.margins(from, to, true), 0, margins, from * k, (to - from) * k));
        }

        double[][] run(Progress progress, int done, int all) {
            int rounds = values.length / k;
            double[][][] leafAdjoints = zeros(rounds - 1); // v̄ of the round
            for (int t = rounds - 1; t >= 0; t--) {
                for (int q = 0; q < leafAdjoints.length; q++) {
                    for (int c = 0; c < k; c++) {
                        add(targets.get(q).of(t * k + c), leafAdjoints[q][c]);
                    }
                }
                leafAdjoints = back(t, leafAdjoints);
                progress.at(
                        "rounds back",
                        (long) done * rounds + (long) targets.size() * (rounds - t),
                        (long) all * rounds);
            }
            return scores;
        }

        /** A number for each leaf of a round's trees, (targets, K, leaves). */
        private double[][][] zeros(int t) {
            double[][][] zeros = new double[targets.size()][k][];
            for (double[][] own : zeros) {
                for (int c = 0; c < k && t >= 0; c++) {
                    own[c] = new double[values[t * k + c].length];
                }
            }
            return zeros;
        }

        private static void add(double[] from, double[] to) {
            for (int i = 0; i < to.length; i++) {
                to[i] += from[i];
            }
        }

        /** Goes back over a round, and sums B by the leaves of the round before it. */
        private double[][][] back(int t, double[][][] leafAdjoints) {
            double[][] ratios = new double[k][]; // v / η
            for (int c = 0; c < k; c++) {
                ratios[c] = values[t * k + c].clone();
                for (int leaf = 0; leaf < ratios[c].length; leaf++) {
                    ratios[c][leaf] /= eta;
                    for (double[][] coefficients : leafAdjoints) { // −η v̄ / (H + λ)
                        coefficients[c][leaf] *= -eta / denominators[t * k + c][leaf];
                    }
                }
            }
            double[][][][] sums = new double[chunks.count()][][][];
            chunks.forEach((chunk, from, to) -> {
                int[][] leaf = new int[k][to - from];
                for (int c = 0; c < k; c++) {
                    training.leaves().read(t * k + c, from, to, leaf[c]);
                }
                rows(t, from, to, leaf, leafAdjoints, ratios);
                sums[chunk] = zeros(t - 1);
                for (int c = 0; c < k && t > 0; c++) {
                    training.leaves().read((t - 1) * k + c, from, to, leaf[c]);
                    for (int q = 0; q < adjoints.length; q++) {
                        double[] own = sums[chunk][q][c];
                        for (int i = 0; i < to - from; i++) {
                            own[leaf[c][i]] += adjoints[q][(from + i) * k + c];
                        }
                    }
                }
            });
            double[][][] next = zeros(t - 1);
            for (int q = 0; q < next.length; q++) {
                for (int c = 0; c < k && t > 0; c++) {
                    for (double[][][] own : sums) {
                        add(own[q][c], next[q][c]);
                    }
                }
            }
            return next;
        }

        private void rows(int t, int from, int to, int[][] leaf, double[][][] coefficients, double[][] ratios) {
            double[] prediction = new double[k];
            double[] g = new double[k];
            double[] h = new double[k];
            double[] rowK = new double[k];
            double[] rowR = new double[k];
            for (int i = 0; i < to - from; i++) {
                int at = (from + i) * k;
                for (int c = 0; c < k; c++) {
                    rowR[c] = ratios[c][leaf[c][i]];
                    margins[at + c] -= values[t * k + c][leaf[c][i]];
                }
                double label = training.labels()[from + i];
                double weight = objective.weight(label, training.weights()[from + i]);
                objective.predict(margins, at, prediction);
                objective.gradients(prediction, label, weight, g, h);
                for (int q = 0; q < coefficients.length; q++) {
                    for (int c = 0; c < k; c++) {
                        rowK[c] = coefficients[q][c][leaf[c][i]];
                        scores[q][from + i] -= rowK[c] * (g[c] + h[c] * rowR[c]);
                    }
                    objective.pull(prediction, weight, rowK, rowR, adjoints[q], at);
                }
            }
        }
    }
}
