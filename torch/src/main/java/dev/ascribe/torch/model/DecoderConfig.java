package dev.ascribe.torch.model;

import dev.ascribe.UnsupportedModelException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What distinguishes one decoder-only transformer from another. Every architecture that Ascribe reads is one value of this
 * record.
 *
 * @param architecture the model's family, as its files name it
 * @param naming how its tensors are called
 * @param layers number of blocks
 * @param width of the residual stream
 * @param heads query heads a block
 * @param keyHeads key and value heads a block (grouped-query attention)
 * @param headWidth of one head; may differ from width / heads
 * @param hidden width of the MLP
 * @param vocabulary rows of the embedding; may exceed the tokenizer's
 * @param context longest sequence, tokens
 * @param norm of the residual stream
 * @param epsilon of the norms
 * @param activation of the MLP
 * @param gated whether the MLP has a gate (SwiGLU)
 * @param rope rotary positions, or null for learned ones
 * @param qkvBias whether query, key and value have biases
 * @param outBias whether attention's output projection has
 * @param mlpBias whether the MLP's layers have
 * @param headNorm whether queries and keys are normalised a head (Qwen3)
 * @param windows sliding window of each layer, 0 = all earlier tokens
 * @param tied whether the output projection is the embedding
 */
public record DecoderConfig(
        String architecture,
        Naming naming,
        int layers,
        int width,
        int heads,
        int keyHeads,
        int headWidth,
        int hidden,
        int vocabulary,
        int context,
        Norm norm,
        double epsilon,
        Activation activation,
        boolean gated,
        @Nullable Rope rope,
        boolean qkvBias,
        boolean outBias,
        boolean mlpBias,
        boolean headNorm,
        List<Integer> windows,
        boolean tied) {

    /** How the tensors of a family are called, in Hugging Face's words. */
    public enum Naming {
        /** {@code model.layers.0.self_attn.q_proj}. */
        LLAMA,
        /** {@code transformer.h.0.attn.c_attn}: one fused projection, weights stored (in, out). */
        GPT2
    }

    /** Normalisation of the residual stream. */
    public enum Norm {
        LAYER,
        RMS
    }

    /** Activation of the MLP. */
    public enum Activation {
        SILU,
        GELU_TANH,
        GELU,
        RELU
    }

    /**
     * Rotary positions.
     *
     * @param theta base of the frequencies
     * @param scaling of the frequencies
     */
    public record Rope(double theta, Scaling scaling) {}

    /** How rotary frequencies are stretched to longer contexts. */
    public sealed interface Scaling {
        /**
         * The frequency used in place of one.
         *
         * @param i which, 0 for the highest
         * @param frequency radians a position
         */
        double scaled(int i, double frequency);

        /** Not at all. */
        record None() implements Scaling {
            @Override
            public double scaled(int i, double frequency) {
                return frequency;
            }
        }

        /** Every frequency divided by a factor. */
        record Linear(double factor) implements Scaling {
            @Override
            public double scaled(int i, double frequency) {
                return frequency / factor;
            }
        }

        /** Llama 3's: low frequencies divided, high ones kept, those between interpolated. */
        record Llama3(double factor, double lowFactor, double highFactor, double originalContext) implements Scaling {
            @Override
            public double scaled(int i, double frequency) {
                double wavelength = 2 * Math.PI / frequency;
                if (wavelength < originalContext / highFactor) {
                    return frequency;
                }
                if (wavelength > originalContext / lowFactor) {
                    return frequency / factor;
                }
                double smooth = (originalContext / wavelength - lowFactor) / (highFactor - lowFactor);
                return (1 - smooth) * frequency / factor + smooth * frequency;
            }
        }

        /** Frequency by frequency, as a GGUF file's {@code rope_freqs.weight} gives them. */
        record Divisors(List<Float> divisors) implements Scaling {
            public Divisors {
                divisors = List.copyOf(divisors);
            }

            @Override
            public double scaled(int i, double frequency) {
                return frequency / divisors.get(i);
            }
        }
    }

    /** More than any model has; a larger number comes from a damaged file. */
    static final int MOST_LAYERS = 10_000;

    public DecoderConfig {
        windows = List.copyOf(windows);
        require(layers > 0, architecture, "layers", layers);
        require(width > 0, architecture, "width", width);
        require(heads > 0 && keyHeads > 0 && heads % keyHeads == 0, architecture, "key heads", keyHeads);
        require(headWidth > 0 && (rope == null || headWidth % 2 == 0), architecture, "head width", headWidth);
        require(hidden > 0, architecture, "MLP width", hidden);
        require(vocabulary > 0, architecture, "vocabulary", vocabulary);
        require(context > 0, architecture, "context", context);
        require(windows.size() == layers, architecture, "windows", windows.size());
    }

    private static void require(boolean holds, String architecture, String what, int value) {
        if (!holds) {
            throw new UnsupportedModelException(
                    "the configuration of this " + architecture + " model is not usable: " + what + " = " + value);
        }
    }

    /** Number of columns of all query heads together. */
    int queryWidth() {
        return heads * headWidth;
    }

    /** Number of columns of all key heads together. */
    int keyWidth() {
        return keyHeads * headWidth;
    }
}
