package dev.ascribe.tree;

/** Influence through a row's own leaves, as if later rounds did not answer: the sum that several methods have in common. */
final class OwnLeaves {
    private OwnLeaves() {}

    /**
     * Σ_t,c ∂/∂F_c · η (g_i + h_i r) / (H + λ) over the leaves of row i, where ∂/∂F_c is the target's derivative there, (n).
     *
     * @param shrunken what r = v / shrunken divides by: η in the leaf value's derivative, 1 as BoostIn was published
     */
    static double[] scores(Training training, Target target, double shrunken) {
        Replay replay = training.replay();
        TreeEnsemble model = training.model();
        Objective objective = replay.objective();
        int k = objective.outputs();
        double[][] values = replay.values();
        double[][] denominators = replay.denominators();
        int rounds = model.rounds().size();
        double[] scores = new double[training.rows()];
        Chunks.of(scores.length).forEach((chunk, from, to) -> {
            double[] margins = new double[(to - from) * k];
            for (int i = 0; i < margins.length; i++) {
                margins[i] = model.intercept().get(i % k);
            }
            int[][] leaf = new int[k][to - from];
            double[] g = new double[k];
            double[] h = new double[k];
            for (int t = 0; t < rounds; t++) {
                for (int c = 0; c < k; c++) {
                    training.leaves().read(t * k + c, from, to, leaf[c]);
                }
                for (int i = 0; i < to - from; i++) {
                    boolean known = false;
                    for (int c = 0; c < k; c++) {
                        int tree = t * k + c;
                        double slope = target.of(tree)[leaf[c][i]];
                        if (slope == 0) {
                            continue;
                        }
                        if (!known) {
                            double label = training.labels()[from + i];
                            double weight = objective.weight(label, training.weights()[from + i]);
                            objective.gradients(margins, i * k, label, weight, g, h);
                            known = true;
                        }
                        double v = values[tree][leaf[c][i]];
                        scores[from + i] +=
                                slope * replay.eta() * (g[c] + h[c] * v / shrunken) / denominators[tree][leaf[c][i]];
                    }
                    for (int c = 0; c < k; c++) {
                        margins[i * k + c] += values[t * k + c][leaf[c][i]];
                    }
                }
            }
        });
        return scores;
    }
}
