package dev.ascribe.torch.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Decoder;
import dev.ascribe.torch.model.DecoderConfig;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.RandomWeights;
import dev.ascribe.torch.text.Tokenizer;
import dev.ascribe.torch.weights.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** Training of a small GPT-2 from random weights, kept as a Hugging Face directory. */
public final class ScratchRecipe implements Recipe {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** Numbers of the largest weight matrix: 1 GiB of float32. */
    private static final long LARGEST_MATRIX = 1L << 28;

    private static final String WEIGHTS = "model.safetensors";

    private final DecoderConfig config;
    private final Tokenizer tokenizer;
    private @Nullable RandomWeights weights;
    private @Nullable LanguageModel model;

    private ScratchRecipe(DecoderConfig config, Tokenizer tokenizer) {
        this.config = config;
        this.tokenizer = tokenizer;
    }

    /**
     * @param architecture {@code gpt:layers-width-heads}
     * @param tokenizer stays the caller's to close
     * @param context longest sequence
     */
    public static ScratchRecipe of(String architecture, Tokenizer tokenizer, int context) {
        if (!architecture.matches("gpt:[1-9][0-9]{0,2}-[1-9][0-9]{0,4}-[1-9][0-9]{0,2}")) {
            throw new UserInputException(
                    "--arch '%s' is not known; use gpt:layers-width-heads, such as gpt:2-64-4".formatted(architecture));
        }
        int[] sides = Arrays.stream(architecture.substring(4).split("-", -1))
                .mapToInt(Integer::parseInt)
                .toArray();
        if (sides[1] % sides[2] != 0) {
            throw new UserInputException("--arch '%s': the width %d cannot be split over %d heads"
                    .formatted(architecture, sides[1], sides[2]));
        }
        requireSmall(architecture, sides[1], Math.max(4L * sides[1], Math.max(tokenizer.vocabularySize(), context)));
        return new ScratchRecipe(config(sides[0], sides[1], sides[2], tokenizer.vocabularySize(), context), tokenizer);
    }

    private static void requireSmall(String architecture, long width, long longest) {
        if (width * longest > LARGEST_MATRIX) {
            throw new UserInputException(
                    "--arch '%s' with this vocabulary and --max-tokens has a matrix of %d x %d, more than %d numbers; choose smaller"
                            .formatted(architecture, longest, width, LARGEST_MATRIX));
        }
    }

    /** The file of a kept model's directory that holds its weights. */
    public static Path weights(Path directory) {
        return directory.resolve(WEIGHTS);
    }

    /** The recipe that made a model, to train another of the same shape. */
    public static ScratchRecipe like(LanguageModel model) {
        return new ScratchRecipe(model.decoder().config(), model.tokenizer());
    }

    private static DecoderConfig config(int layers, int width, int heads, int vocabulary, int context) {
        return new DecoderConfig(
                "gpt2",
                DecoderConfig.Naming.GPT2,
                layers,
                width,
                heads,
                heads,
                width / heads,
                4 * width,
                vocabulary,
                context,
                DecoderConfig.Norm.LAYER,
                1e-5,
                DecoderConfig.Activation.GELU_TANH,
                false,
                null,
                true,
                true,
                true,
                false,
                Collections.nCopies(layers, 0),
                true);
    }

    @Override
    public Learner start(long seed) {
        putAway();
        RandomWeights fresh = RandomWeights.of(config.layers(), seed);
        Decoder decoder = fresh.decoder(config);
        weights = fresh;
        model = LanguageModel.fresh(decoder, tokenizer);
        return new FullLearner(decoder, fresh.named().values());
    }

    @Override
    public LanguageModel model() {
        if (model == null) {
            throw new IllegalStateException("nothing was started");
        }
        return model;
    }

    @Override
    public void keep(Path directory) {
        if (weights == null) {
            throw new IllegalStateException("nothing was started");
        }
        try {
            Files.createDirectories(directory);
            SafetensorsWriter writer = SafetensorsWriter.create().metadata("format", "pt");
            for (Map.Entry<String, Tensor> entry : weights.named().entrySet()) {
                Tensor weight = entry.getValue();
                List<Long> shape =
                        weight.dim() == 1 ? List.of(weight.size(0)) : List.of(weight.size(0), weight.size(1));
                writer.add(entry.getKey(), shape, Tensors.floats(weight));
            }
            writer.write(directory.resolve(WEIGHTS));
            Files.write(directory.resolve("config.json"), JSON.writeValueAsBytes(configJson()));
            tokenizer.save(directory);
        } catch (IOException e) {
            throw new UserInputException(
                    "model cannot be written to %s: %s".formatted(directory, FileTrouble.of(e)), e);
        }
    }

    private ObjectNode configJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("model_type", "gpt2").putArray("architectures").add("GPT2LMHeadModel");
        json.put("n_layer", config.layers()).put("n_embd", config.width()).put("n_head", config.heads());
        json.put("n_inner", config.hidden())
                .put("n_positions", config.context())
                .put("vocab_size", config.vocabulary());
        json.put("layer_norm_epsilon", config.epsilon()).put("activation_function", "gelu_new");
        json.put("tie_word_embeddings", true).put("torch_dtype", "float32");
        json.put("attn_pdrop", 0.0).put("embd_pdrop", 0.0).put("resid_pdrop", 0.0);
        tokenizer.eos().ifPresent(eos -> json.put("eos_token_id", eos));
        return json;
    }

    @Override
    public String result() {
        return "model";
    }

    private void putAway() {
        if (weights != null) {
            weights.named().values().forEach(Tensor::close);
            weights = null;
            model = null;
        }
    }

    @Override
    public void close() {
        putAway();
    }
}
