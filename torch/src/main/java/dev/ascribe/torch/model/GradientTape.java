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
    /** How many times wider than its input a layer's output must be to be worth making again. */
    private static final int WIDE = 2;

    private final SiteListener listener;
    private final int firstBlock;
    private final Remade remade;
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

    /**
     * A step to be taken again.
     *
     * @param layers before it
     * @param input of these layers, if they are to be applied again too
     * @param starts what they gave
     * @param start what the step gave, without its numbers
     */
    private record Again(
            List<Linear> layers,
            @Nullable Tensor input,
            List<Tensor> starts,
            Function<List<Tensor>, Tensor> step,
            Tensor start)
            implements Cut {
        @Override
        public void free() {
            starts.forEach(Tensor::close);
            start.close();
            if (input != null) {
                input.close();
            }
        }
    }

    /**
     * @param firstBlock the lowest block that is listened to; nothing is recorded below
     * @param remade in the backward pass
     */
    GradientTape(SiteListener listener, int firstBlock, Remade remade) {
        this.listener = listener;
        this.firstBlock = firstBlock;
        this.remade = remade;
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
    public Tensor again(Remade kind, List<Linear> layers, Tensor x, Function<List<Tensor>, Tensor> step) {
        if (layers.getFirst().block() < firstBlock || remade.compareTo(kind) < 0) {
            return step.apply(apply(layers, x));
        }
        int out = layers.stream().mapToInt(Linear::out).sum();
        boolean wide =
                remade == Remade.WIDE_LAYERS && out > WIDE * layers.getFirst().in();
        Tensor input = wide ? Tensors.handle(x.detach()) : null;
        List<Tensor> starts = apply(layers, x); // takes x's numbers
        Tensor start = step.apply(starts.stream().map(Tensor::detach).toList());
        start.set_requires_grad(true);
        if (input != null) {
            starts.forEach(GradientTape::forget);
        }
        cuts.push(new Again(layers, input, starts.stream().map(Tensors::handle).toList(), step, Tensors.handle(start)));
        return start;
    }

    private List<Tensor> cut(List<Linear> layers, Tensor input, @Nullable Tensor residual, List<Tensor> starts) {
        List<@Nullable Tensor> kept = new ArrayList<>();
        for (Linear layer : layers) {
            kept.add(listener.wants(layer) ? Tensors.handle(listener.keep(layer, input.detach())) : null);
        }
        starts.forEach(start -> start.set_requires_grad(true));
        Tensor end = Tensors.handle(input);
        forget(end); // only its place in the graph is needed
        cuts.push(new Layers(
                layers,
                end,
                residual == null ? null : Tensors.handle(residual),
                starts.stream().map(Tensors::handle).toList(),
                kept));
        return starts;
    }

    /** Lets go of the numbers, which take much memory, but not of the place in the graph. */
    private static void forget(Tensor tensor) {
        tensor.set_data(Tensors.zeros(tensor.scalar_type(), 1)
                .expand(tensor.sizes().vec().get()));
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
                    case Again again -> backward(again);
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

    private static void backward(Again cut) {
        if (cut.input() != null) {
            for (int i = 0; i < cut.layers().size(); i++) {
                cut.starts().get(i).set_data(cut.layers().get(i).product(cut.input()));
            }
        }
        backwardFrom(cut.step().apply(cut.starts()), cut.start().grad().detach());
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
