package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** Influence through a row's own leaves, as if later rounds did not answer: the sum that several methods have in common. */
final class OwnLeaves {
    private OwnLeaves() {}

    /** What a leaf passes on. */
    private static final class Share {
        final int[] targets; // that it moves
        final double[] factors; // ∂target/∂v · η / (H + λ), one a target

        Share(int[] targets, double[] factors) {
            this.targets = targets;
            this.factors = factors;
        }
    }

    /**
     * Σ_t,c ∂/∂F_c · η (g_i + h_i r) / (H + λ) over the leaves of row i, where ∂/∂F_c is the target's derivative there, (targets, n).
     *
     * @param shrunken what r = v / shrunken divides by: η in the leaf value's derivative, 1 as BoostIn was published
     */
    static double[][] scores(Training training, List<Target> targets, double shrunken, Progress progress) {
        Objective objective = training.replay().objective();
        int k = objective.outputs();
        double[][] values = training.replay().values();
        Share[][] shares = shares(training.replay(), targets);
        double[][] scores = new double[targets.size()][training.rows()];
        AtomicInteger done = new AtomicInteger();
        Chunks.of(training.rows()).forEach((chunk, from, to) -> {
            double[] margins = training.margins(from, to, false);
            int[][] leaf = new int[k][to - from];
            double[] prediction = new double[k];
            double[] g = new double[k];
            double[] h = new double[k];
            for (int first = 0; first < values.length; first += k) {
                for (int c = 0; c < k; c++) {
                    training.leaves().read(first + c, from, to, leaf[c]);
                }
                for (int i = 0; i < to - from; i++) {
                    boolean known = false;
                    for (int c = 0; c < k; c++) {
                        Share share = shares[first + c][leaf[c][i]];
                        if (share.targets.length > 0 && !known) {
                            double label = training.labels()[from + i];
                            objective.predict(margins, i * k, prediction);
                            objective.gradients(
                                    prediction, label, objective.weight(label, training.weights()[from + i]), g, h);
                            known = true;
                        }
                        double step = g[c] + h[c] * values[first + c][leaf[c][i]] / shrunken;
                        for (int s = 0; s < share.targets.length; s++) {
                            scores[share.targets[s]][from + i] += share.factors[s] * step;
                        }
                    }
                    for (int c = 0; c < k; c++) {
                        margins[i * k + c] += values[first + c][leaf[c][i]];
                    }
                }
            }
            synchronized (done) {
                progress.at("rows scored", done.addAndGet(to - from), training.rows());
            }
        });
        return scores;
    }

    /** [tree][leaf]. */
    private static Share[][] shares(Replay replay, List<Target> targets) {
        double[][] denominators = replay.denominators();
        Share[][] shares = new Share[denominators.length][];
        for (int t = 0; t < shares.length; t++) {
            int tree = t;
            shares[t] = new Share[denominators[t].length];
            for (int l = 0; l < shares[t].length; l++) {
                int leaf = l;
                int[] moved = IntStream.range(0, targets.size())
                        .filter(target -> targets.get(target).of(tree)[leaf] != 0)
                        .toArray();
                double[] factors = IntStream.of(moved)
                        .mapToDouble(
                                target -> targets.get(target).of(tree)[leaf] * replay.eta() / denominators[tree][leaf])
                        .toArray();
                shares[t][l] = new Share(moved, factors);
            }
        }
        return shares;
    }
}
