package dev.ascribe.torch.model;

import org.bytedeco.pytorch.Tensor;

/** Listens to the linear layers of a forward pass. */
public interface Tape {
    /** Listens to nothing. */
    Tape NONE = new Tape() {
        @Override
        public void record(Linear site, Tensor input, Tensor output) {}

        @Override
        public int firstBlock() {
            return Integer.MAX_VALUE;
        }
    };

    /**
     * A linear layer was applied.
     *
     * @param site the layer
     * @param input a, shape (N, in)
     * @param output the pre-activation z, shape (N, out)
     */
    void record(Linear site, Tensor input, Tensor output);

    /** The first block that is listened to: gradients need not reach below it. */
    int firstBlock();
}
