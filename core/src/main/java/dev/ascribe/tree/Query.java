package dev.ascribe.tree;

/**
 * A prediction that is traced.
 *
 * @param label its label: a number, or a class 0 … K − 1
 * @param features values as the table has them, (F)
 * @param leaves the leaf of each tree, (T)
 */
record Query(double label, double[] features, int[] leaves) {
    /** Its margins under a model, (K). */
    double[] margins(TreeEnsemble model) {
        double[] margins = new double[model.outputs()];
        for (int c = 0; c < margins.length; c++) {
            margins[c] = model.intercept().get(c);
        }
        int t = 0;
        for (var round : model.rounds()) {
            for (Tree tree : round) {
                for (int i = 0; i < tree.width(); i++) {
                    margins[tree.output() + i] += tree.value(leaves[t], i);
                }
                t++;
            }
        }
        return margins;
    }
}
