package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer z = W a + b: the site where gradients are read and adapters are fitted. An adapter is merged into the weight
 * (W + s·B·A), so that the forward pass costs the same with it and without.
 */
public final class Linear {
    private final String name;
    private final int block;
    private final Tensor base; // (out, in)
    private final @Nullable Tensor bias; // (out)
    private @Nullable Tensor merged; // (out, in)

    /**
     * A layer over a weight.
     *
     * @param name in Hugging Face's words, without {@code .weight}
     * @param block the block it belongs to; for the output projection, the number of blocks
     * @param base shape (out, in); its type is that in which x·Wᵀ is computed
     */
    Linear(String name, int block, Tensor base, @Nullable Tensor bias) {
        this.name = name;
        this.block = block;
        this.base = base;
        this.bias = bias;
    }

    /** The module's name in Hugging Face's words. */
    public String name() {
        return name;
    }

    /** The block it belongs to; the number of blocks for the output projection. */
    public int block() {
        return block;
    }

    /** Input width. */
    public int in() {
        return Math.toIntExact(base.size(1));
    }

    /** Output width. */
    public int out() {
        return Math.toIntExact(base.size(0));
    }

    /** The weight without adapter, shape (out, in). */
    public Tensor base() {
        return base;
    }

    /** The bias, shape (out), or null. */
    public @Nullable Tensor bias() {
        return bias;
    }

    /**
     * Merges an adapter: the weight becomes base + scale · B · A.
     *
     * @param a shape (r, in)
     * @param b shape (out, r)
     */
    public void merge(Tensor a, Tensor b, double scale) {
        if (merged == null) {
            merged = Tensors.keep(Tensors.empty(base.scalar_type(), out(), in()));
        }
        if (base.scalar_type() == a.scalar_type()) {
            torch.addmm_out(merged, base, b, a, Tensors.scalar(1), Tensors.scalar(scale));
        } else {
            merged.copy_(base.to(a.scalar_type()).addmm(b, a, Tensors.scalar(1), Tensors.scalar(scale)));
        }
    }

    /** Takes the adapter off. */
    public void unmerge() {
        if (merged != null) {
            merged.close();
            merged = null;
        }
    }

    private Tensor weight() {
        return merged == null ? base : merged;
    }

    /**
     * Applies the layer.
     *
     * @param x shape (N, in)
     * @return z, shape (N, out), in x's type
     */
    Tensor product(Tensor x) {
        Tensor weight = weight();
        if (weight.scalar_type() == x.scalar_type()) {
            return torch.linear(x, weight, Tensors.optional(bias));
        }
        Tensor z = torch.linear(x.to(weight.scalar_type()), weight).to(x.scalar_type());
        return bias == null ? z : z.add(bias);
    }

    /**
     * From the gradient by z to that by x, δ·W.
     *
     * @param delta shape (N, out)
     * @return shape (N, in), in δ's type
     */
    Tensor back(Tensor delta) {
        return delta.to(weight().scalar_type()).matmul(weight()).to(delta.scalar_type());
    }

    /** The same, added to a sum in δ's type. */
    void addBack(Tensor delta, Tensor sum) {
        if (weight().scalar_type() == delta.scalar_type()) {
            sum.addmm_(delta, weight());
        } else {
            sum.add_(back(delta));
        }
    }
}
