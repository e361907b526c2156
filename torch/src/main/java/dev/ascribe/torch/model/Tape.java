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
        public Tensor again(Remade kind, List<Linear> layers, Tensor x, Function<List<Tensor>, Tensor> step) {
            return step.apply(apply(layers, x));
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
     * Applies layers that share their input, and then a step that may be cheaper to take again in the backward pass than to remember.
     *
     * @param kind of the step
     * @param x shape (N, in)
     * @param step from the z of each layer, shape (N, out)
     */
    Tensor again(Remade kind, List<Linear> layers, Tensor x, Function<List<Tensor>, Tensor> step);
}
