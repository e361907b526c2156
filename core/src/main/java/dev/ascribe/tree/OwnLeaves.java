package dev.ascribe.tree;

import java.util.List;

/** Influence through the leaves that a row and a query share, as if later rounds did not answer: the sum that several methods have in common. */
final class OwnLeaves {
    private OwnLeaves() {}

    /** What stands in the sum besides the shared leaf. */
    enum Term {
        /** ∂ℓ/∂F(q) before the round; the leaf value's derivative. */
        BEFORE_EXACT,
        /** ∂ℓ/∂F(q) before the round; v where the derivative has v/η. */
        BEFORE_PUBLISHED,
        /** ∂ℓ/∂F(q) of the final margins; the leaf value's derivative. */
        FINAL_EXACT
    }

    /** Σ_t,c ∂ℓ/∂F_c(q) · 1[same leaf] · η (g_i + h_i r) / (H + λ), (n). */
    static double[] scores(Training training, Query query, Term term) {
        Replay replay = training.replay();
        TreeEnsemble model = training.model();
        Objective objective = replay.objective();
        int k = objective.outputs();
        double[][] values = replay.values();
        double[][] denominators = replay.denominators();
        double[][] slopes = slopes(model, objective, query, term);
        double shrunken = term == Term.BEFORE_PUBLISHED ? 1 : replay.eta();
        double[] scores = new double[training.rows()];
        Chunks.of(scores.length).forEach((chunk, from, to) -> {
            double[] margins = new double[(to - from) * k];
            for (int i = 0; i < margins.length; i++) {
                margins[i] = model.intercept().get(i % k);
            }
            int[][] leaf = new int[k][to - from];
            double[] g = new double[k];
            double[] h = new double[k];
            for (int t = 0; t < slopes.length; t++) {
                for (int c = 0; c < k; c++) {
                    training.leaves().read(t * k + c, from, to, leaf[c]);
                }
                for (int i = 0; i < to - from; i++) {
                    boolean known = false;
                    for (int c = 0; c < k; c++) {
                        int tree = t * k + c;
                        if (leaf[c][i] != query.leaves()[tree]) {
                            continue;
                        }
                        if (!known) {
                            double label = training.labels()[from + i];
                            double weight = objective.weight(label, training.weights()[from + i]);
                            objective.gradients(margins, i * k, label, weight, g, h);
                            known = true;
                        }
                        double v = values[tree][leaf[c][i]];
                        scores[from + i] += slopes[t][c]
                                * replay.eta()
                                * (g[c] + h[c] * v / shrunken)
                                / denominators[tree][leaf[c][i]];
                    }
                    for (int c = 0; c < k; c++) {
                        margins[i * k + c] += values[t * k + c][leaf[c][i]];
                    }
                }
            }
        });
        return scores;
    }

    /** ∂ℓ/∂F(q) of each round, (rounds, K). */
    private static double[][] slopes(TreeEnsemble model, Objective objective, Query query, Term term) {
        int k = objective.outputs();
        List<Tree> trees = model.trees();
        double[][] slopes = new double[model.rounds().size()][];
        double[] margins = new double[k];
        for (int c = 0; c < k; c++) {
            margins[c] = model.intercept().get(c);
        }
        double[] last = objective.lossGradient(query.margins(model), query.label());
        for (int t = 0; t < slopes.length; t++) {
            slopes[t] = term == Term.FINAL_EXACT ? last : objective.lossGradient(margins, query.label());
            for (int c = 0; c < k; c++) {
                margins[c] += trees.get(t * k + c).value(query.leaves()[t * k + c]);
            }
        }
        return slopes;
    }
}
