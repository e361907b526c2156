package dev.ascribe.torch.model;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.torch.model.DecoderConfig.Activation;
import dev.ascribe.torch.model.DecoderConfig.Naming;
import dev.ascribe.torch.model.DecoderConfig.Norm;
import dev.ascribe.torch.model.DecoderConfig.Rope;
import dev.ascribe.torch.model.DecoderConfig.Scaling;
import dev.ascribe.torch.weights.Gguf;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** Reads configuration and weights of the decoders in GGUF files. */
final class GgufReader {
    /** Hugging Face's module names and GGUF's, for a block. */
    private static final Map<String, String> BLOCK = Map.ofEntries(
            Map.entry("input_layernorm", "attn_norm"),
            Map.entry("self_attn.q_proj", "attn_q"),
            Map.entry("self_attn.k_proj", "attn_k"),
            Map.entry("self_attn.v_proj", "attn_v"),
            Map.entry("self_attn.o_proj", "attn_output"),
            Map.entry("self_attn.q_norm", "attn_q_norm"),
            Map.entry("self_attn.k_norm", "attn_k_norm"),
            Map.entry("post_attention_layernorm", "ffn_norm"),
            Map.entry("mlp.gate_proj", "ffn_gate"),
            Map.entry("mlp.up_proj", "ffn_up"),
            Map.entry("mlp.down_proj", "ffn_down"),
            Map.entry("ln_1", "attn_norm"),
            Map.entry("attn.c_attn", "attn_qkv"),
            Map.entry("attn.c_proj", "attn_output"),
            Map.entry("ln_2", "ffn_norm"),
            Map.entry("mlp.c_fc", "ffn_up"),
            Map.entry("mlp.c_proj", "ffn_down"));

    /** The same, outside the blocks. */
    private static final Map<String, String> TOP = Map.of(
            "model.embed_tokens", "token_embd",
            "model.norm", "output_norm",
            "lm_head", "output",
            "transformer.wte", "token_embd",
            "transformer.wpe", "position_embd",
            "transformer.ln_f", "output_norm");

    private final Gguf file;
    private final String architecture;

    GgufReader(Gguf file) {
        this.file = file;
        this.architecture = String.valueOf(file.metadata().get("general.architecture"));
    }

    DecoderConfig config() {
        boolean gpt = architecture.equals("gpt2");
        if (!gpt && !List.of("llama", "qwen2", "qwen3").contains(architecture)) {
            throw new UnsupportedModelException(
                    "%s: architecture '%s' is not supported; supported are gpt2, llama, qwen2, qwen3"
                            .formatted(file.path(), architecture));
        }
        if (number("expert_count").orElse(0.0) > 0) {
            throw new UnsupportedModelException(file.path() + ": mixtures of experts (expert_count) are not supported");
        }
        int layers = whole("block_count");
        if (layers > DecoderConfig.MOST_LAYERS) {
            throw new CorruptDataException("%s: block_count is %d, but no model has more than %d"
                    .formatted(file.path(), layers, DecoderConfig.MOST_LAYERS));
        }
        int width = whole("embedding_length");
        int heads = whole("attention.head_count");
        int headWidth = number("attention.key_length").map(Double::intValue).orElse(width / heads);
        if (!gpt && number("rope.dimension_count").orElse((double) headWidth) != headWidth) {
            throw new UnsupportedModelException(file.path() + ": rope.dimension_count differs from the head's width");
        }
        int window = number("attention.sliding_window").map(Double::intValue).orElse(0);
        return new DecoderConfig(
                architecture,
                gpt ? Naming.GPT2 : Naming.LLAMA,
                layers,
                width,
                heads,
                number("attention.head_count_kv").map(Double::intValue).orElse(heads),
                headWidth,
                whole("feed_forward_length"),
                Math.toIntExact(file.tensor("token_embd.weight").shape().getFirst()),
                whole("context_length"),
                gpt ? Norm.LAYER : Norm.RMS,
                number(gpt ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon")
                        .orElse(gpt ? 1e-5 : 1e-6),
                gpt ? Activation.GELU_TANH : Activation.SILU,
                !gpt,
                gpt ? null : rope(headWidth),
                gpt || file.tensors().containsKey("blk.0.attn_q.bias"),
                gpt,
                gpt,
                architecture.equals("qwen3"),
                Collections.nCopies(layers, window),
                !file.tensors().containsKey("output.weight"));
    }

    private Rope rope(int headWidth) {
        double theta = number("rope.freq_base").orElse(10_000.0);
        if (file.tensors().containsKey("rope_freqs.weight")) {
            float[] divisors = new float[headWidth / 2];
            if (file.tensor("rope_freqs.weight").elements() != divisors.length) {
                throw new CorruptDataException("%s: rope_freqs.weight has %d values, but half a head has %d"
                        .formatted(file.path(), file.tensor("rope_freqs.weight").elements(), divisors.length));
            }
            file.toFloats("rope_freqs.weight", MemorySegment.ofArray(divisors));
            List<Float> list = new ArrayList<>();
            for (float divisor : divisors) {
                list.add(divisor);
            }
            return new Rope(theta, new Scaling.Divisors(list));
        }
        String kind = String.valueOf(file.metadata().getOrDefault(architecture + ".rope.scaling.type", "none"));
        return switch (kind) {
            case "none" -> new Rope(theta, new Scaling.None());
            case "linear" ->
                new Rope(theta, new Scaling.Linear(number("rope.scaling.factor").orElse(1.0)));
            default ->
                throw new UnsupportedModelException(
                        "%s: rope.scaling.type '%s' is not supported; supported are none, linear"
                                .formatted(file.path(), kind));
        };
    }

    Weights.OfFile weights(DecoderConfig config, Precision precision) {
        boolean permuted = architecture.equals("llama");
        return new Weights.OfFile(
                file,
                precision,
                GgufReader::name,
                (name, stored) -> {
                    if (permuted && name.contains("self_attn.q_proj.")) {
                        return unpermuted(stored, config.heads());
                    }
                    return permuted && name.contains("self_attn.k_proj.")
                            ? unpermuted(stored, config.keyHeads())
                            : stored;
                },
                false);
    }

    /** From rows in the order of neighbouring rotation to rotate-half, head by head: (D/2, 2) to (2, D/2). */
    private static Tensor unpermuted(Tensor rows, int heads) {
        long half = rows.size(0) / heads / 2;
        return rows.view(heads, half, 2, -1).transpose(1, 2).reshape_as(rows).contiguous();
    }

    static String name(String name) {
        int dot = name.lastIndexOf('.');
        String module = name.substring(0, dot);
        String suffix = name.substring(dot);
        String top = TOP.get(module);
        if (top != null) {
            return top + suffix;
        }
        String[] parts = module.split("\\.", 4); // model.layers.N.rest or transformer.h.N.rest
        return "blk." + parts[2] + "." + BLOCK.get(parts[3]) + suffix;
    }

    private int whole(String key) {
        return number(key)
                .filter(value -> value >= 1 && value <= Integer.MAX_VALUE)
                .map(Double::intValue)
                .orElseThrow(
                        () -> new CorruptDataException("%s: metadata '%s.%s' is missing or no positive whole number"
                                .formatted(file.path(), architecture, key)));
    }

    private Optional<Double> number(String key) {
        return file.metadata().get(architecture + "." + key) instanceof Number number
                ? Optional.of(number.doubleValue())
                : Optional.empty();
    }
}
