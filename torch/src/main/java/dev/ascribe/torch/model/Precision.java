package dev.ascribe.torch.model;

import org.bytedeco.pytorch.global.torch.ScalarType;

/** The types in which a model computes. Weights of any type are read into these. */
public enum Precision {
    /** Everything in float32. */
    F32(ScalarType.Float, ScalarType.Float),
    /** The products x·Wᵀ in bfloat16, all else in float32. */
    BF16(ScalarType.Float, ScalarType.BFloat16),
    /** Everything in float64: the reference for tests. */
    F64(ScalarType.Double, ScalarType.Double);

    private final ScalarType stream;
    private final ScalarType products;

    Precision(ScalarType stream, ScalarType products) {
        this.stream = stream;
        this.products = products;
    }

    /** The type of the residual stream, norms, attention and logits. */
    public ScalarType stream() {
        return stream;
    }

    /** The type of the linear layers' products. */
    public ScalarType products() {
        return products;
    }
}
