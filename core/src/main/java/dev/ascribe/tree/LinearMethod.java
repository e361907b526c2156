package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.List;

/** A method whose scores are linear in the derivative of what is asked about, so that it takes any function of predictions. */
interface LinearMethod extends TreeMethod {
    /** What its scores of a query are taken on. */
    Target target(TreeEnsemble model, Objective objective, Query query);

    /**
     * Scores of all training rows on any functions, in one pass over the rows. Positive = without the row the function is predicted to
     * rise.
     *
     * @return (functions, n)
     */
    double[][] influence(Training training, List<Target> targets, Progress progress);

    @Override
    default double[][] scores(Training training, List<Query> queries, Progress progress) {
        Objective objective = training.replay().objective();
        return influence(
                training,
                queries.stream()
                        .map(query -> target(training.model(), objective, query))
                        .toList(),
                progress);
    }

    @Override
    default String scale(TreeEnsemble model) {
        return model.requireGradients().scale();
    }

    @Override
    default boolean needsGradients() {
        return true;
    }
}
