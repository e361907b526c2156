package dev.ascribe.tree;

/** Shared leaves, each worth 1 / count², so that a leaf of few rows says more; signed by the agreement of labels. */
final class LeafPath extends SharedLeaves {
    LeafPath() {
        super("leaf-path", true);
    }

    @Override
    double[] worth(Training training, Query query) {
        return byCount(training, query);
    }
}
