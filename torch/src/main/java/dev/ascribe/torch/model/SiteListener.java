package dev.ascribe.torch.model;

import org.bytedeco.pytorch.Tensor;

/**
 * Hears of each chosen site what one forward and one backward pass tell: the input a, shape (N, in), and δ = ∂loss/∂z of the
 * pre-activation z, shape (N, out). A sequence's gradient at the site is Σ_t δ_t a_tᵀ over its tokens.
 */
public interface SiteListener {
    /** Whether a site is listened to. */
    boolean wants(Linear site);

    /**
     * Called in the forward pass: what is to be kept of a site's input until its δ is known. Rows must stay rows, and zero rows zero.
     *
     * @param input a, shape (N, in)
     * @return shape (N, any)
     */
    default Tensor keep(Linear site, Tensor input) {
        return input;
    }

    /**
     * Called in the backward pass, for the last site first. The tensors belong to the caller's scope.
     *
     * @param kept what {@link #keep} gave
     * @param delta δ, shape (N, out)
     */
    void hear(Linear site, Tensor kept, Tensor delta);
}
