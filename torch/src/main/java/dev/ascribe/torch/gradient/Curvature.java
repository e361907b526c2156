package dev.ascribe.torch.gradient;

import dev.ascribe.store.FeatureStore;

/**
 * Bends a query's gradient by the curvature of the training loss: C⁻¹ g(q). A new curvature is one class that implements this,
 * one line in {@link GradientMethod}, one test and one page.
 */
public interface Curvature {
    /**
     * Preconditions queries.
     *
     * @param rows the training rows' gradients at one checkpoint
     * @param queries gradients of the queries there, shape (Q, width)
     * @return shape (Q, width): the inner product of a result with a row's gradient is the row's score
     */
    float[][] precondition(FeatureStore rows, float[][] queries);

    /** No curvature: C = I. */
    Curvature IDENTITY = (rows, queries) -> queries;
}
