package dev.ascribe.tree;

import java.util.List;

/** A prediction that is traced. */
final class Query {
    private final double label;
    private final double[] features; // (F)
    private final int[] leaves; // (T)

    /**
     * @param label a number, or a class 0 … K − 1
     * @param features values as the table has them, (F)
     * @param leaves the leaf of each tree, (T)
     */
    Query(double label, double[] features, int[] leaves) {
        this.label = label;
        this.features = features;
        this.leaves = leaves;
    }

    double label() {
        return label;
    }

    double[] features() {
        return features;
    }

    int[] leaves() {
        return leaves;
    }

    /** Its margins under a model, (K). */
    double[] margins(TreeEnsemble model) {
        double[] margins =
                model.intercept().stream().mapToDouble(Double::doubleValue).toArray();
        List<Tree> trees = model.trees();
        for (int t = 0; t < leaves.length; t++) {
            Tree tree = trees.get(t);
            for (int i = 0; i < tree.width(); i++) {
                margins[tree.output() + i] += tree.value(leaves[t], i);
            }
        }
        return margins;
    }
}
