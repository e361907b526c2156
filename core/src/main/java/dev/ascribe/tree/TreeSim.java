package dev.ascribe.tree;

/** Share of trees in which row and query fall into the same leaf, signed by the agreement of labels. */
final class TreeSim extends SharedLeaves {
    TreeSim() {
        super("tree-sim", true);
    }

    @Override
    double[] worth(Training training, Query query) {
        return share(training);
    }
}
