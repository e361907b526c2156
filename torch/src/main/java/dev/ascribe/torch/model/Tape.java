package dev.ascribe.torch.model;

import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/** Stands between a forward pass and its linear layers. */
public interface Tape {
    /** Only applies the layers. */
    Tape NONE = new Tape() {
        @Override
        public List<Tensor> apply(List<Linear> layers, Tensor x) {
            return layers.stream().map(layer -> layer.product(x)).toList();
        }

        @Override
        public Tensor add(Tensor x, Linear layer, Tensor inner) {
            return x.add(layer.product(inner));
        }

        @Override
        public Tensor again(List<Tensor> inputs, Function<List<Tensor>, Tensor> step) {
            return step.apply(inputs);
        }
    };

    /**
     * Applies layers that share their input.
     *
     * @param x shape (N, in)
     * @return z of each, shape (N, out)
     */
    List<Tensor> apply(List<Linear> layers, Tensor x);

    /**
     * Adds a layer to the residual stream.
     *
     * @param x shape (N, C)
     * @param inner the layer's input, shape (N, in)
     * @return x + z, shape (N, C)
     */
    Tensor add(Tensor x, Linear layer, Tensor inner);

    /**
     * Takes a step that is cheaper to do again in the backward pass than to remember.
     *
     * @param inputs what {@link #apply} gave
     */
    Tensor again(List<Tensor> inputs, Function<List<Tensor>, Tensor> step);
}
