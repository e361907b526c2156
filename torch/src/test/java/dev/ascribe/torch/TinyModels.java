package dev.ascribe.torch;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Tokenizer;
import dev.ascribe.torch.weights.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Random models of every architecture, two layers of width 16, as Hugging Face directories. Their tokens are characters. */
@SuppressWarnings("ImmutableEnumChecker") // a map of JSON values, filled once
public enum TinyModels {
    GPT2(Map.of("n_inner", 40)),
    LLAMA(Map.of()),
    LLAMA_GROUPED_TIED_LINEAR(Map.of(
            "num_key_value_heads",
            2,
            "tie_word_embeddings",
            true,
            "rope_scaling",
            Map.of("type", "linear", "factor", 2.5))),
    LLAMA_BIASED_LLAMA3(Map.of(
            "num_key_value_heads",
            1,
            "attention_bias",
            true,
            "mlp_bias",
            true,
            "rope_parameters",
            Map.of(
                    "rope_type",
                    "llama3",
                    "rope_theta",
                    100.0,
                    "factor",
                    8.0,
                    "low_freq_factor",
                    1.0,
                    "high_freq_factor",
                    4.0,
                    "original_max_position_embeddings",
                    32))),
    MISTRAL_SLIDING(Map.of("num_key_value_heads", 2, "sliding_window", 5)),
    QWEN2(Map.of("num_key_value_heads", 2, "tie_word_embeddings", true)),
    QWEN3(Map.of("num_key_value_heads", 2, "head_dim", 6));

    public static final int WIDTH = 16;
    public static final int LAYERS = 2;
    public static final int CONTEXT = 96;

    private static final int HEADS = 4;
    private static final int HIDDEN = 24;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Object> config = new LinkedHashMap<>();

    TinyModels(Map<String, Object> special) {
        if (name().equals("GPT2")) {
            config.putAll(Map.of(
                    "n_embd", WIDTH, "n_head", HEADS, "n_layer", LAYERS, "n_positions", CONTEXT, "vocab_size", 0));
        } else {
            config.putAll(Map.of(
                    "hidden_size",
                    WIDTH,
                    "num_attention_heads",
                    HEADS,
                    "num_hidden_layers",
                    LAYERS,
                    "intermediate_size",
                    HIDDEN,
                    "max_position_embeddings",
                    CONTEXT,
                    "vocab_size",
                    0,
                    "rms_norm_eps",
                    1e-5));
        }
        config.put("model_type", name().split("_", 2)[0].toLowerCase(Locale.ROOT));
        config.putAll(special);
    }

    /** Writes the model, weights drawn with a seed. */
    public Path write(Path directory, long seed) {
        try (Tokenizer tokenizer = tokenizer()) {
            Files.createDirectories(directory);
            int vocabulary = tokenizer.vocabularySize() + 3; // models pad theirs too
            config.put("vocab_size", vocabulary);
            Files.write(directory.resolve("config.json"), JSON.writeValueAsBytes(config));
            tokenizer.save(directory);
            Random random = new Random(seed);
            SafetensorsWriter writer = SafetensorsWriter.create();
            shapes(vocabulary).forEach((name, shape) -> writer.add(name, shape, values(name, shape, random)));
            writer.write(directory.resolve("model.safetensors"));
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes the model and opens it. */
    public LanguageModel open(Path directory, Precision precision) {
        Engine.start(1);
        return LanguageModel.open(write(directory, 17), precision);
    }

    /** A token for each printable ASCII character and the line's end. */
    public static Tokenizer tokenizer() {
        StringBuilder all = new StringBuilder("\n");
        IntStream.range(' ', 127).forEach(all::appendCodePoint);
        return Tokenizer.characters(List.of(all.toString()));
    }

    /** Random sequences of these lengths, each with a first target of its own. */
    public static List<Sequence> sequences(long seed, int... lengths) {
        Random random = new Random(seed);
        List<Sequence> sequences = new ArrayList<>();
        for (int length : lengths) {
            int[] tokens = random.ints(length, 2, 90).toArray();
            sequences.add(new Sequence(tokens, 1 + random.nextInt(length - 1)));
        }
        return sequences;
    }

    /** The tensors of the model and their shapes, by Hugging Face's names. */
    private Map<String, List<Long>> shapes(int vocabulary) {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        if (this == GPT2) {
            int hidden = number("n_inner", 4 * WIDTH);
            put(shapes, "transformer.wte.weight", vocabulary, WIDTH);
            put(shapes, "transformer.wpe.weight", CONTEXT, WIDTH);
            for (int i = 0; i < LAYERS; i++) {
                String at = "transformer.h." + i + ".";
                for (String norm : List.of("ln_1", "ln_2")) {
                    put(shapes, at + norm + ".weight", WIDTH);
                    put(shapes, at + norm + ".bias", WIDTH);
                }
                biased(shapes, at + "attn.c_attn", true, WIDTH, 3 * WIDTH);
                biased(shapes, at + "attn.c_proj", true, WIDTH, WIDTH);
                biased(shapes, at + "mlp.c_fc", true, WIDTH, hidden);
                biased(shapes, at + "mlp.c_proj", true, hidden, WIDTH);
            }
            put(shapes, "transformer.ln_f.weight", WIDTH);
            put(shapes, "transformer.ln_f.bias", WIDTH);
            return shapes;
        }
        int head = number("head_dim", WIDTH / HEADS);
        int queries = HEADS * head;
        int keys = number("num_key_value_heads", HEADS) * head;
        boolean attentionBias = config.containsKey("attention_bias");
        boolean mlpBias = config.containsKey("mlp_bias");
        put(shapes, "model.embed_tokens.weight", vocabulary, WIDTH);
        for (int i = 0; i < LAYERS; i++) {
            String at = "model.layers." + i + ".";
            put(shapes, at + "input_layernorm.weight", WIDTH);
            put(shapes, at + "post_attention_layernorm.weight", WIDTH);
            biased(shapes, at + "self_attn.q_proj", attentionBias || this == QWEN2, queries, WIDTH);
            biased(shapes, at + "self_attn.k_proj", attentionBias || this == QWEN2, keys, WIDTH);
            biased(shapes, at + "self_attn.v_proj", attentionBias || this == QWEN2, keys, WIDTH);
            biased(shapes, at + "self_attn.o_proj", attentionBias, WIDTH, queries);
            if (this == QWEN3) {
                put(shapes, at + "self_attn.q_norm.weight", head);
                put(shapes, at + "self_attn.k_norm.weight", head);
            }
            biased(shapes, at + "mlp.gate_proj", mlpBias, HIDDEN, WIDTH);
            biased(shapes, at + "mlp.up_proj", mlpBias, HIDDEN, WIDTH);
            biased(shapes, at + "mlp.down_proj", mlpBias, WIDTH, HIDDEN);
        }
        put(shapes, "model.norm.weight", WIDTH);
        if (!config.containsKey("tie_word_embeddings")) {
            put(shapes, "lm_head.weight", vocabulary, WIDTH);
        }
        return shapes;
    }

    private int number(String key, int otherwise) {
        return config.get(key) instanceof Integer value ? value : otherwise;
    }

    /** A bias is as long as the output: the last side where GPT-2 stores (in, out), the first elsewhere. */
    private void biased(Map<String, List<Long>> shapes, String name, boolean biased, int rows, int columns) {
        put(shapes, name + ".weight", rows, columns);
        if (biased) {
            put(shapes, name + ".bias", this == GPT2 ? columns : rows);
        }
    }

    private static void put(Map<String, List<Long>> shapes, String name, int... sides) {
        shapes.put(name, IntStream.of(sides).mapToObj(Long::valueOf).toList());
    }

    /** Large enough that attention is not uniform and no gradient is tiny. */
    private static float[] values(String name, List<Long> shape, Random random) {
        int size = Math.toIntExact(shape.stream().reduce(1L, (a, b) -> a * b));
        boolean norm = name.endsWith("norm.weight") || name.matches(".*\\.ln_.\\.weight");
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) ((norm ? 1 : 0) + (norm ? 0.2 : 0.4) * random.nextGaussian());
        }
        return values;
    }
}
