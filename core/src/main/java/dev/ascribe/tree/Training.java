package dev.ascribe.tree;

import dev.ascribe.UserInputException;
import org.jspecify.annotations.Nullable;

/** A model and the rows it was trained on, routed through its trees: what every method looks at. Not safe for use by many threads. */
final class Training {
    private final TreeEnsemble model;
    private final double[][] features; // (F, n)
    private final double[] labels; // (n)
    private final double[] weights; // (n)
    private final Leaves leaves;
    private final @Nullable Replay replay;

    /** @param replay where a method needs gradients */
    Training(
            TreeEnsemble model,
            double[][] features,
            double[] labels,
            double[] weights,
            Leaves leaves,
            @Nullable Replay replay) {
        this.model = replay == null ? model : replay.model();
        this.features = features;
        this.labels = labels;
        this.weights = weights;
        this.leaves = leaves;
        this.replay = replay;
    }

    TreeEnsemble model() {
        return model;
    }

    /** n. */
    int rows() {
        return labels.length;
    }

    double[][] features() {
        return features;
    }

    double[] labels() {
        return labels;
    }

    double[] weights() {
        return weights;
    }

    Leaves leaves() {
        return leaves;
    }

    /** The replay, where there was one. */
    @Nullable
    Replay playedBack() {
        return replay;
    }

    Replay replay() {
        if (replay == null) {
            throw new UserInputException("this method needs the gradients of a boosted model");
        }
        return replay;
    }
}
