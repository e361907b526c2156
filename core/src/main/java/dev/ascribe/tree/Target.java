package dev.ascribe.tree;

import java.util.List;

/**
 * What influence is taken on, as far as it depends on the leaves: its derivative by what each leaf adds to a margin, shape [tree][leaf].
 * The loss of one query has values in the query's own leaves only; a function of many predictions in those of all.
 */
final class Target {
    private final double[][] slopes;

    private Target(double[][] slopes) {
        this.slopes = slopes;
    }

    static Target none(TreeEnsemble model) {
        return new Target(
                model.trees().stream().map(tree -> new double[tree.leaves()]).toArray(double[][]::new));
    }

    /** The loss of a query at its final margins. */
    static Target loss(TreeEnsemble model, Objective objective, Query query) {
        Target target = none(model);
        target.add(model, query, objective.lossGradient(query.margins(model), query.label()));
        return target;
    }

    /** The loss of a query, each round's derivative taken at the margins before the round. */
    static Target lossBefore(TreeEnsemble model, Objective objective, Query query) {
        Target target = none(model);
        int k = objective.outputs();
        List<Tree> trees = model.trees();
        double[] margins =
                model.intercept().stream().mapToDouble(Double::doubleValue).toArray();
        for (int first = 0; first < trees.size(); first += k) {
            double[] slope = objective.lossGradient(margins, query.label());
            for (int c = 0; c < k; c++) {
                int leaf = query.leaves()[first + c];
                target.slopes[first + c][leaf] = slope[c];
                margins[c] += trees.get(first + c).value(leaf);
            }
        }
        return target;
    }

    /**
     * Adds a function of one prediction's margins.
     *
     * @param slope its derivative, (K)
     */
    void add(TreeEnsemble model, Query query, double[] slope) {
        List<Tree> trees = model.trees();
        for (int t = 0; t < slopes.length; t++) {
            slopes[t][query.leaves()[t]] += slope[trees.get(t).output()];
        }
    }

    /** Derivatives by the leaves of a tree, (leaves). */
    double[] of(int tree) {
        return slopes[tree];
    }
}
