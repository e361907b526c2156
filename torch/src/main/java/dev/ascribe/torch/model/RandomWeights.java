package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;

/**
 * Fresh weights for training from scratch, initialised as GPT-2 was: normal with deviation 0.02, divided by √(2·layers) where a
 * layer writes to the residual stream; norms 1, biases 0.
 */
public final class RandomWeights extends Weights {
    private static final double DEVIATION = 0.02;

    private final int layers;
    private final Random random;
    private final Map<String, Tensor> named = new LinkedHashMap<>();

    private RandomWeights(int layers, long seed) {
        super(Precision.F32);
        this.layers = layers;
        this.random = new Random(seed);
    }

    /** Weights for a decoder of so many layers. */
    public static RandomWeights of(int layers, long seed) {
        return new RandomWeights(layers, seed);
    }

    /** The decoder that these weights make; they are its leaves and want gradients. */
    public Decoder decoder(DecoderConfig config) {
        return new Decoder(config, this);
    }

    /** Every weight that was asked for, by name, in the order of the model. */
    public Map<String, Tensor> named() {
        return Collections.unmodifiableMap(named);
    }

    @Override
    boolean transposed() {
        return true;
    }

    @Override
    Tensor read(String name, long... shape) {
        int size = 1;
        for (long side : shape) {
            size = Math.multiplyExact(size, Math.toIntExact(side));
        }
        float[] values = new float[size];
        boolean norm = name.contains(".ln_");
        double deviation = name.endsWith("c_proj.weight") ? DEVIATION / Math.sqrt(2.0 * layers) : DEVIATION;
        for (int i = 0; i < size; i++) {
            if (name.endsWith(".bias")) {
                values[i] = 0;
            } else {
                values[i] = norm ? 1 : (float) (random.nextGaussian() * deviation);
            }
        }
        Tensor leaf = Tensors.keep(Tensors.of(values, shape).requires_grad_(true));
        named.put(name, leaf);
        return leaf;
    }
}
