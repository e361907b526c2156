package dev.ascribe.tree;

import dev.ascribe.Progress;

/** A method whose scores are linear in the derivative of what is asked about, so that it takes any function of predictions. */
interface LinearMethod extends TreeMethod {
    /**
     * Scores of all training rows on any function. Positive = without the row it is predicted to rise.
     *
     * @return (n)
     */
    double[] scores(Training training, Target target, Progress progress);
}
