package dev.ascribe.torch.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.torch.model.DecoderConfig.Activation;
import dev.ascribe.torch.model.DecoderConfig.Naming;
import dev.ascribe.torch.model.DecoderConfig.Norm;
import dev.ascribe.torch.model.DecoderConfig.Rope;
import dev.ascribe.torch.model.DecoderConfig.Scaling;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads Hugging Face's {@code config.json}, in the style of transformers 4 and 5. What it cannot honour, it refuses by name. */
final class ConfigReader {
    private final String source;
    private final JsonNode json;

    private ConfigReader(String source, JsonNode json) {
        this.source = source;
        this.json = json;
    }

    /**
     * @param source the file, for messages
     * @param outputStored whether the weights have an {@code lm_head.weight}; without it the output is tied
     */
    static DecoderConfig read(String source, JsonNode json, boolean outputStored) {
        ConfigReader reader = new ConfigReader(source, json);
        if (present(json.get("quantization_config"))) {
            throw reader.unsupported(
                    "quantization_config", "a quantised checkpoint; use the full-precision model or a GGUF");
        }
        String type = json.path("model_type").asText("");
        return switch (type) {
            case "gpt2" -> reader.gpt2(outputStored);
            case "llama", "mistral", "qwen2", "qwen3" -> reader.llama(type, outputStored);
            default ->
                throw new UnsupportedModelException(
                        "%s: model_type '%s' is not supported; supported are gpt2, llama, mistral, qwen2, qwen3"
                                .formatted(source, type));
        };
    }

    private DecoderConfig gpt2(boolean outputStored) {
        refuse("scale_attn_by_inverse_layer_idx", false);
        refuse("scale_attn_weights", true);
        refuse("add_cross_attention", false);
        int width = number("n_embd");
        int heads = number("n_head");
        int layers = layers("n_layer");
        return new DecoderConfig(
                "gpt2",
                Naming.GPT2,
                layers,
                width,
                heads,
                heads,
                headWidth(width, heads),
                numberOr("n_inner", 4 * width),
                number("vocab_size"),
                number("n_positions"),
                Norm.LAYER,
                json.path("layer_norm_epsilon").asDouble(1e-5),
                activation("activation_function", "gelu_new"),
                false,
                null,
                true,
                true,
                true,
                false,
                Collections.nCopies(layers, 0),
                flag("tie_word_embeddings", true) || !outputStored);
    }

    private DecoderConfig llama(String type, boolean outputStored) {
        if (json.path("partial_rotary_factor").asDouble(1) != 1
                || json.path("rope_parameters").path("partial_rotary_factor").asDouble(1) != 1) {
            throw unsupported("partial_rotary_factor", "only whole heads are rotated");
        }
        int width = number("hidden_size");
        int heads = number("num_attention_heads");
        int layers = layers("num_hidden_layers");
        boolean qwen = type.startsWith("qwen");
        boolean bias = (type.equals("llama") || type.equals("qwen3")) && flag("attention_bias", false);
        return new DecoderConfig(
                type,
                Naming.LLAMA,
                layers,
                width,
                heads,
                numberOr("num_key_value_heads", heads),
                present(json.get("head_dim")) ? number("head_dim") : headWidth(width, heads),
                number("intermediate_size"),
                number("vocab_size"),
                number("max_position_embeddings"),
                Norm.RMS,
                json.path("rms_norm_eps").asDouble(1e-6),
                activation("hidden_act", "silu"),
                true,
                rope(),
                bias || type.equals("qwen2"),
                bias,
                type.equals("llama") && flag("mlp_bias", false),
                type.equals("qwen3"),
                windows(type, qwen, layers),
                flag("tie_word_embeddings", false) || !outputStored);
    }

    private List<Integer> windows(String type, boolean qwen, int layers) {
        boolean sliding = type.equals("mistral") || (qwen && flag("use_sliding_window", false));
        JsonNode window = json.get("sliding_window");
        if (!sliding || (window != null && window.isNull())) {
            return Collections.nCopies(layers, 0);
        }
        int width = window == null ? 4096 : window.asInt(); // transformers' default where the key is absent
        JsonNode types = json.get("layer_types");
        int first = qwen ? json.path("max_window_layers").asInt(28) : 0;
        List<Integer> windows = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            boolean here = present(types) ? types.path(i).asText().equals("sliding_attention") : i >= first;
            windows.add(here ? width : 0);
        }
        return windows;
    }

    private Rope rope() {
        JsonNode parameters = json.get("rope_parameters");
        JsonNode scaling = present(parameters) ? parameters : json.path("rope_scaling");
        double theta =
                scaling.path("rope_theta").asDouble(json.path("rope_theta").asDouble(10_000));
        String kind = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
        return switch (kind) {
            case "default" -> new Rope(theta, new Scaling.None());
            case "linear" -> new Rope(theta, new Scaling.Linear(decimal(scaling, "factor")));
            case "llama3" ->
                new Rope(
                        theta,
                        new Scaling.Llama3(
                                decimal(scaling, "factor"),
                                decimal(scaling, "low_freq_factor"),
                                decimal(scaling, "high_freq_factor"),
                                decimal(scaling, "original_max_position_embeddings")));
            default -> throw unsupported("rope_scaling", "type '" + kind + "'; supported are default, linear, llama3");
        };
    }

    private Activation activation(String key, String otherwise) {
        String name = json.path(key).asText(otherwise);
        return switch (name) {
            case "silu", "swish" -> Activation.SILU;
            case "gelu_new", "gelu_pytorch_tanh" -> Activation.GELU_TANH;
            case "gelu" -> Activation.GELU;
            case "relu" -> Activation.RELU;
            default ->
                throw unsupported(key, "'" + name + "'; supported are silu, gelu, gelu_new, gelu_pytorch_tanh, relu");
        };
    }

    private int headWidth(int width, int heads) {
        if (heads < 1 || width % heads != 0) {
            throw new CorruptDataException(
                    "%s: width %d cannot be split over %d heads".formatted(source, width, heads));
        }
        return width / heads;
    }

    private void refuse(String key, boolean usual) {
        if (flag(key, usual) != usual) {
            throw unsupported(key, String.valueOf(!usual));
        }
    }

    private boolean flag(String key, boolean otherwise) {
        return present(json.get(key)) ? json.get(key).asBoolean() : otherwise;
    }

    private int number(String key) {
        JsonNode value = json.get(key);
        if (value == null || !value.canConvertToInt() || value.asInt() < 1) {
            throw new CorruptDataException(
                    "%s: '%s' must be a positive whole number, but is %s".formatted(source, key, value));
        }
        return value.asInt();
    }

    private int layers(String key) {
        int layers = number(key);
        if (layers > DecoderConfig.MOST_LAYERS) {
            throw new CorruptDataException("%s: '%s' is %d, but no model has more than %d"
                    .formatted(source, key, layers, DecoderConfig.MOST_LAYERS));
        }
        return layers;
    }

    private int numberOr(String key, int otherwise) {
        return present(json.get(key)) ? number(key) : otherwise;
    }

    private double decimal(JsonNode node, String key) {
        JsonNode value = node.get(key);
        if (value == null || !value.isNumber()) {
            throw new CorruptDataException("%s: rope scaling needs the number '%s'".formatted(source, key));
        }
        return value.asDouble();
    }

    private UnsupportedModelException unsupported(String key, String why) {
        return new UnsupportedModelException("%s: '%s' is not supported: %s".formatted(source, key, why));
    }

    private static boolean present(@Nullable JsonNode node) {
        return node != null && !node.isNull();
    }
}
