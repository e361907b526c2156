package dev.ascribe.tree;

import dev.ascribe.UserInputException;
import java.util.List;
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

    /**
     * Margins of rows {@code from} … {@code to - 1}, before the first round or after the last, (rows, K).
     */
    double[] margins(int from, int to, boolean last) {
        int k = model.outputs();
        double[] margins = new double[(to - from) * k];
        for (int i = 0; i < margins.length; i++) {
            margins[i] = model.intercept().get(i % k);
        }
        int[] leaf = new int[to - from];
        List<Tree> trees = last ? model.trees() : List.of();
        for (int t = 0; t < trees.size(); t++) {
            Tree tree = trees.get(t);
            leaves.read(t, from, to, leaf);
            for (int i = 0; i < leaf.length; i++) {
                margins[i * k + tree.output()] += tree.value(leaf[i]);
            }
        }
        return margins;
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
