package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/** Keys and values of one growing sequence, so that a new token costs one token. */
final class Cache implements AutoCloseable {
    private final int capacity;
    private final @Nullable Tensor[] keys; // (keyHeads, capacity, headWidth) of each layer
    private final @Nullable Tensor[] values;
    private int length;

    Cache(DecoderConfig config, int capacity) {
        this.capacity = capacity;
        this.keys = new @Nullable Tensor[config.layers()];
        this.values = new @Nullable Tensor[config.layers()];
    }

    /** Tokens held. */
    int length() {
        return length;
    }

    /** Tells that a step's tokens are now in every layer. */
    void advance(int tokens) {
        length += tokens;
    }

    /**
     * Adds a step's keys to a layer.
     *
     * @param fresh shape (keyHeads, t, headWidth)
     * @return all keys so far, shape (keyHeads, length + t, headWidth)
     */
    Tensor keys(int layer, Tensor fresh) {
        return extend(keys, layer, fresh);
    }

    /** The same for values. */
    Tensor values(int layer, Tensor fresh) {
        return extend(values, layer, fresh);
    }

    private Tensor extend(@Nullable Tensor[] all, int layer, Tensor fresh) {
        Tensor held = all[layer];
        if (held == null) {
            ScalarType type = fresh.scalar_type();
            held = Tensors.keep(Tensors.empty(type, fresh.size(0), capacity, fresh.size(2)));
            all[layer] = held;
        }
        held.narrow(1, length, fresh.size(1)).copy_(fresh);
        return held.narrow(1, 0, length + fresh.size(1));
    }

    @Override
    public void close() {
        for (@Nullable Tensor[] all : new @Nullable Tensor[][] {keys, values}) {
            for (Tensor tensor : all) {
                if (tensor != null) {
                    tensor.close();
                }
            }
        }
    }
}
