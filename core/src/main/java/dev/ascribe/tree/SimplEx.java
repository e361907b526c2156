package dev.ascribe.tree;

/** Share of trees in which row and query fall into the same leaf, whatever the labels. */
final class SimplEx extends SharedLeaves {
    SimplEx() {
        super("simplex", false);
    }

    @Override
    double[] worth(Training training, Query query) {
        return share(training);
    }
}
