package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.jspecify.annotations.Nullable;

/**
 * Cuts autograd's graph at every linear layer, so that the backward pass goes from cut to cut: autograd knows only what lies
 * between layers, δ·W is computed here, weights get no gradient, and what a cut held is freed as soon as the pass is behind it.
 */
final class GradientTape implements Tape, AutoCloseable {
    private final SiteListener listener;
    private final int firstBlock;
    private final Deque<Cut> cuts = new ArrayDeque<>();

    /** A place where the graph is cut. */
    private sealed interface Cut {
        void free();
    }

    /**
     * Layers.
     *
     * @param layers applied here
     * @param end of the graph before the cut, without its numbers
     * @param residual the start that the layer was added to
     * @param starts of the graph behind it, one a layer
     * @param kept of the input for each layer that is listened to
     */
    private record Layers(
            List<Linear> layers,
            Tensor end,
            @Nullable Tensor residual,
            List<Tensor> starts,
            List<@Nullable Tensor> kept)
            implements Cut {
        @Override
        public void free() {
            end.close();
            starts.forEach(Tensor::close);
            Stream.concat(kept.stream(), Stream.ofNullable(residual))
                    .flatMap(Stream::ofNullable)
                    .forEach(Tensor::close);
        }
    }

    /** A step to be taken again, from the starts that it had. */
    private record Again(List<Tensor> inputs, Function<List<Tensor>, Tensor> step, Tensor start) implements Cut {
        @Override
        public void free() {
            inputs.forEach(Tensor::close);
            start.close();
        }
    }

    /**
     * @param firstBlock the lowest block that is listened to; nothing is recorded below
     */
    GradientTape(SiteListener listener, int firstBlock) {
        this.listener = listener;
        this.firstBlock = firstBlock;
    }

    @Override
    public List<Tensor> apply(List<Linear> layers, Tensor x) {
        if (layers.getFirst().block() < firstBlock) {
            return NONE.apply(layers, x);
        }
        Tensor input = x.detach();
        return cut(
                layers,
                x,
                null,
                layers.stream().map(layer -> layer.product(input)).toList());
    }

    @Override
    public Tensor add(Tensor x, Linear layer, Tensor inner) {
        if (layer.block() < firstBlock) {
            return NONE.add(x, layer, inner);
        }
        Tensor sum = layer.product(inner.detach()).add_(x.detach());
        return cut(List.of(layer), inner, x.requires_grad() ? x : null, List.of(sum))
                .getFirst();
    }

    @Override
    public Tensor again(List<Tensor> inputs, Function<List<Tensor>, Tensor> step) {
        if (!inputs.getFirst().requires_grad()) {
            return step.apply(inputs);
        }
        Tensor start = step.apply(inputs.stream().map(Tensor::detach).toList());
        start.set_requires_grad(true);
        cuts.push(new Again(inputs.stream().map(Tensors::handle).toList(), step, Tensors.handle(start)));
        return start;
    }

    private List<Tensor> cut(List<Linear> layers, Tensor input, @Nullable Tensor residual, List<Tensor> starts) {
        List<@Nullable Tensor> kept = new ArrayList<>();
        for (Linear layer : layers) {
            kept.add(listener.wants(layer) ? Tensors.handle(listener.keep(layer, input.detach())) : null);
        }
        starts.forEach(start -> start.set_requires_grad(true));
        Tensor end = Tensors.handle(input);
        // of the end only its place in the graph is needed: nothing else looks at its numbers, which take much memory
        end.set_data(
                Tensors.zeros(input.scalar_type(), 1).expand(input.sizes().vec().get()));
        cuts.push(new Layers(
                layers,
                end,
                residual == null ? null : Tensors.handle(residual),
                starts.stream().map(Tensors::handle).toList(),
                kept));
        return starts;
    }

    /**
     * The backward pass; the listener hears of each site.
     *
     * @param gradient of the loss by the tensor, of its shape
     */
    void backward(Tensor tensor, Tensor gradient) {
        backwardFrom(tensor, gradient);
        while (!cuts.isEmpty()) {
            Cut cut = cuts.pop();
            try (PointerScope scope = new PointerScope()) {
                switch (cut) {
                    case Layers layers -> backward(layers);
                    case Again again ->
                        backwardFrom(
                                again.step().apply(again.inputs()),
                                again.start().grad().detach());
                }
            } finally {
                cut.free();
            }
        }
    }

    private void backward(Layers cut) {
        List<Tensor> deltas =
                cut.starts().stream().map(start -> start.grad().detach()).toList();
        for (int i = 0; i < cut.layers().size(); i++) {
            Tensor kept = cut.kept().get(i);
            if (kept != null) {
                listener.hear(cut.layers().get(i), kept, deltas.get(i));
            }
        }
        if (cut.end().requires_grad()) { // else nothing below is listened to
            backwardFrom(cut.end(), back(cut.layers(), deltas));
        }
        if (cut.residual() != null) {
            backwardFrom(cut.residual(), deltas.getFirst());
        }
    }

    /** Autograd's own pass, to the starts of the graph. */
    static void backwardFrom(Tensor tensor, Tensor gradient) {
        if (tensor.requires_grad()) {
            tensor.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
        }
    }

    /** Σ δ·W: the gradient by the layers' input, shape (N, in). */
    private static Tensor back(List<Linear> layers, List<Tensor> deltas) {
        Tensor sum = layers.getFirst().back(deltas.getFirst());
        for (int i = 1; i < layers.size(); i++) {
            layers.get(i).addBack(deltas.get(i), sum);
        }
        return sum;
    }

    @Override
    public void close() {
        cuts.forEach(Cut::free);
        cuts.clear();
    }
}
