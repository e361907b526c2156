package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.List;
import java.util.Map;

/** A way to say which training rows speak for a prediction. Positive = helpful: without the row the prediction's loss is predicted to rise. */
interface TreeMethod {
    /** Its name and every parameter that scores depend on. */
    Map<String, Object> parameters();

    /** The unit of its scores for a model. */
    String scale(TreeEnsemble model);

    /** Whether it needs {@link Training#replay}. */
    boolean needsGradients();

    /**
     * Scores of all training rows.
     *
     * @return (queries, n)
     */
    double[][] scores(Training training, List<Query> queries, Progress progress);
}
