package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Likeness by the leaves that a row and a query share. They need nothing but a model that can be walked.
 *
 * <ul>
 *   <li>{@code tree-sim}: the share of trees with the same leaf, negative where the labels differ
 *   <li>{@code leaf-path}: {@code Σ_t 1[same leaf] / count(leaf)²}, negative where the labels differ
 *   <li>{@code simplex}: the share of trees with the same leaf
 * </ul>
 *
 * <p>Where labels are numbers all three are never negative. (Brophy et al. 2023, section 3; Crabbé et al. 2021 for SimplEx.)
 */
abstract sealed class SharedLeaves implements TreeMethod permits TreeSim, LeafPath, SimplEx {
    private final String name;
    private final boolean signed;

    SharedLeaves(String name, boolean signed) {
        this.name = name;
        this.signed = signed;
    }

    /** What sharing the query's leaf is worth, (T). */
    abstract double[] worth(Training training, Query query);

    @Override
    public Map<String, Object> parameters() {
        return new LinkedHashMap<>(Map.of("name", name));
    }

    @Override
    public String scale(TreeEnsemble model) {
        return "similarity";
    }

    @Override
    public boolean needsGradients() {
        return false;
    }

    @Override
    public double[][] scores(Training training, List<Query> queries, Progress progress) {
        return queries.stream().map(query -> scores(training, query)).toArray(double[][]::new);
    }

    private double[] scores(Training training, Query query) {
        double[] scores = shared(training, query, worth(training, query));
        if (signed && training.model().labelClasses() > 0) {
            for (int row = 0; row < scores.length; row++) {
                scores[row] *= training.labels()[row] == query.label() ? 1 : -1;
            }
        }
        return scores;
    }

    /** Σ_t worth_t · 1[same leaf], (n). */
    static double[] shared(Training training, Query query, double[] worth) {
        double[] scores = new double[training.rows()];
        Chunks.of(scores.length).forEach((chunk, from, to) -> {
            int[] leaf = new int[to - from];
            for (int t = 0; t < worth.length; t++) {
                training.leaves().read(t, from, to, leaf);
                for (int i = 0; i < leaf.length; i++) {
                    scores[from + i] += leaf[i] == query.leaves()[t] ? worth[t] : 0;
                }
            }
        });
        return scores;
    }

    /** 1 / T for each tree. */
    static double[] share(Training training) {
        double[] worth = new double[training.model().trees().size()];
        Arrays.fill(worth, 1.0 / worth.length);
        return worth;
    }

    /** 1 / count(leaf)² for each tree, 0 where the query is alone in its leaf. */
    static double[] byCount(Training training, Query query) {
        List<Tree> trees = training.model().trees();
        double[] worth = new double[trees.size()];
        for (int t = 0; t < worth.length; t++) {
            double count = training.leaves().counts(t, trees.get(t).leaves())[query.leaves()[t]];
            worth[t] = count == 0 ? 0 : 1 / (count * count);
        }
        return worth;
    }
}
