package dev.ascribe.torch.train;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.FileTrouble;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import dev.ascribe.WholeFile;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Decoder;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.weights.SafetensorsWriter;
import dev.ascribe.torch.weights.TensorInfo;
import dev.ascribe.torch.weights.WeightFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A LoRA adapter on a decoder: for each adapted site a pair A (r, in) and B (out, r), the update being scale · B · A. All
 * parameters lie in one flat vector, site after site, A before B.
 */
public final class Adapter implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String CONFIG = "adapter_config.json";
    private static final String PREFIX = "base_model.model.";
    private static final String SUFFIX_A = ".lora_A.weight";

    /** PEFT's options that change what a pair (A, B) does, or add to it. */
    private static final List<String> UNSUPPORTED = List.of(
            "use_dora",
            "lora_bias",
            "use_qalora",
            "use_bdlora",
            "alora_invocation_tokens",
            "arrow_config",
            "kasa_config",
            "monteclora_config",
            "layer_replication",
            "target_parameters",
            "trainable_token_indices",
            "modules_to_save");

    /** PEFT's ways to begin that leave the base weights as they are. */
    private static final Set<String> PLAIN_STARTS =
            Set.of("", "null", "true", "false", "gaussian", "eva", "orthogonal");

    private final LoraConfig config;
    private final Tensor parameters; // (P)
    private final List<Site> sites;

    /**
     * One adapted layer.
     *
     * @param a shape (r, in), a view of the flat parameters
     * @param b shape (out, r), likewise
     * @param start where A begins among the flat parameters; B follows it
     */
    public record Site(Linear linear, int rank, double scale, Tensor a, Tensor b, int start) {
        /** Where B begins among the flat parameters. */
        public int startOfB() {
            return start + rank * linear.in();
        }
    }

    private Adapter(LoraConfig config, List<Linear> layers, ScalarType type) {
        this.config = config;
        int total = 0;
        for (Linear layer : layers) {
            total += config.rank(layer) * (layer.in() + layer.out());
        }
        this.parameters = Tensors.keep(Tensors.zeros(type, total));
        this.sites = new ArrayList<>();
        int start = 0;
        for (Linear layer : layers) {
            int rank = config.rank(layer);
            int sizeA = rank * layer.in();
            int sizeB = rank * layer.out();
            Tensor a = Tensors.keep(parameters.narrow(0, start, sizeA).view(rank, layer.in()));
            Tensor b = Tensors.keep(parameters.narrow(0, start + sizeA, sizeB).view(layer.out(), rank));
            sites.add(new Site(layer, rank, config.scale(layer), a, b, start));
            start += sizeA + sizeB;
        }
    }

    /**
     * The adapter at the start of fine-tuning: B = 0 and A uniform within ±1/√in, as PEFT initialises it, from Java's own
     * generator so that a seed means the same everywhere.
     */
    public static Adapter fresh(Decoder decoder, LoraConfig config, long seed) {
        List<Linear> layers =
                decoder.sites().stream().filter(config.targets()::match).toList();
        if (layers.isEmpty()) {
            throw new UserInputException(
                    "no linear layer of the model matches the targets %s; there are, for example, %s"
                            .formatted(config.targets(), example(decoder)));
        }
        Adapter adapter = new Adapter(config, layers, decoder.type());
        SplittableRandom random = new SplittableRandom(seed);
        for (Site site : adapter.sites) {
            double bound = 1 / Math.sqrt(site.linear().in());
            float[] values = new float[site.rank() * site.linear().in()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextDouble(-bound, bound);
            }
            site.a().copy_(Tensors.of(values, site.rank(), site.linear().in()));
        }
        return adapter;
    }

    private static String example(Decoder decoder) {
        return decoder.sites().stream().limit(4).map(Linear::name).toList().toString();
    }

    /**
     * Reads a PEFT adapter for a decoder.
     *
     * @param directory with {@code adapter_config.json} and {@code adapter_model.safetensors}
     * @throws UserInputException when it is not for this model
     */
    public static Adapter load(Path directory, Decoder decoder) {
        LoraConfig config = readConfig(directory);
        try (WeightFile file = WeightFile.open(directory.resolve(WEIGHTS))) {
            List<Linear> layers = new ArrayList<>();
            for (Linear site : decoder.sites()) {
                if (config.targets().match(site) && file.tensors().containsKey(name(site, 'A'))) {
                    layers.add(site);
                }
            }
            List<Linear> copied = layers.stream()
                    .filter(site -> file.tensors().containsKey(copy(site)))
                    .toList();
            int known = 2 * layers.size() + copied.size();
            if (known != file.tensors().size() || layers.isEmpty()) {
                String stranger = file.tensors().keySet().stream()
                        .filter(name -> layers.stream()
                                .noneMatch(site -> List.of(name(site, 'A'), name(site, 'B'), copy(site))
                                        .contains(name)))
                        .findFirst()
                        .orElse("nothing");
                throw new UserInputException(
                        "%s is not an adapter of this model: it has %s, but the model has, for example, %s"
                                .formatted(directory, stranger, example(decoder)));
            }
            copied.forEach(site -> requireCopy(directory, file, site));
            Adapter adapter = new Adapter(config, layers, decoder.type());
            for (Site site : adapter.sites) {
                read(directory, file, name(site.linear(), 'A'), site.a());
                read(directory, file, name(site.linear(), 'B'), site.b());
            }
            return adapter;
        }
    }

    private static void read(Path directory, WeightFile file, String name, Tensor into) {
        TensorInfo info = file.tensor(name);
        List<Long> expected = List.of(into.size(0), into.size(1));
        if (!info.shape().equals(expected)) {
            throw new UserInputException("%s is not an adapter of this model: '%s' has shape %s, but %s is needed"
                    .formatted(directory, name, info.shape(), expected));
        }
        Tensor values = Tensors.empty(ScalarType.Float, into.size(0), into.size(1));
        file.toFloats(name, Tensors.memory(values));
        into.copy_(values);
    }

    /** PEFT stores an adapted output projection's own weight beside its pair; one that was changed is not an adapter's. */
    private static void requireCopy(Path directory, WeightFile file, Linear site) {
        try (Tensor stored = Tensors.empty(site.base().scalar_type(), site.out(), site.in())) {
            read(directory, file, copy(site), stored);
            if (!stored.equal(site.base())) {
                throw new UnsupportedModelException(
                        "%s: '%s' is not the model's own weight; give the model that it was trained on"
                                .formatted(directory, copy(site)));
            }
        }
    }

    private static String copy(Linear site) {
        return PREFIX + site.name() + ".base_layer.weight";
    }

    private static String name(Linear site, char factor) {
        return PREFIX + site.name() + ".lora_" + factor + ".weight";
    }

    /** Whether a directory holds a whole adapter. */
    public static boolean isIn(Path directory) {
        return Files.exists(directory.resolve(CONFIG));
    }

    /** The configuration of a PEFT adapter. */
    public static LoraConfig readConfig(Path directory) {
        Path file = directory.resolve(CONFIG);
        if (!Files.exists(file)) {
            throw new UserInputException(
                    "%s has no %s: it is not a PEFT adapter directory".formatted(directory, CONFIG));
        }
        JsonNode json;
        try {
            json = JSON.readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new CorruptDataException("%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
        if (!json.path("peft_type").asText("LORA").equals("LORA")) {
            throw new UnsupportedModelException("%s: peft_type '%s' is not supported; only LORA is"
                    .formatted(file, json.path("peft_type").asText()));
        }
        for (String unsupported : UNSUPPORTED) {
            JsonNode value = json.path(unsupported);
            if (value.isContainerNode() ? !value.isEmpty() : value.asBoolean(false)) {
                throw new UnsupportedModelException("%s: %s is not supported".formatted(file, unsupported));
            }
        }
        String start = json.path("init_lora_weights").asText();
        if (!PLAIN_STARTS.contains(start)) {
            throw new UnsupportedModelException(
                    "%s: init_lora_weights '%s' is not supported, because it also changes the base model; convert the adapter to plain LoRA"
                            .formatted(file, start));
        }
        if (!json.path("bias").asText("none").equals("none")) {
            throw new UnsupportedModelException("%s: bias '%s' is not supported; only none is"
                    .formatted(file, json.path("bias").asText()));
        }
        Map<String, Integer> ranks = new LinkedHashMap<>();
        json.path("rank_pattern")
                .properties()
                .forEach(entry -> ranks.put(entry.getKey(), entry.getValue().asInt()));
        Map<String, Double> alphas = new LinkedHashMap<>();
        json.path("alpha_pattern")
                .properties()
                .forEach(entry -> alphas.put(entry.getKey(), entry.getValue().asDouble()));
        boolean narrowed = json.hasNonNull("layers_to_transform") || json.hasNonNull("exclude_modules");
        return new LoraConfig(
                json.path("r").asInt(8),
                json.path("lora_alpha").asDouble(8),
                json.path("use_rslora").asBoolean(false),
                narrowed ? stored(directory) : targets(json.path("target_modules")),
                ranks,
                alphas);
    }

    /** The modules that an adapter's file has. */
    private static LoraConfig.Targets stored(Path directory) {
        try (WeightFile file = WeightFile.open(directory.resolve(WEIGHTS))) {
            return new LoraConfig.Targets.Names(file.tensors().keySet().stream()
                    .filter(name -> name.startsWith(PREFIX) && name.endsWith(SUFFIX_A))
                    .map(name -> name.substring(PREFIX.length(), name.length() - SUFFIX_A.length()))
                    .toList());
        }
    }

    private static LoraConfig.Targets targets(JsonNode node) {
        if (node.isArray()) {
            List<String> names = new ArrayList<>();
            node.forEach(name -> names.add(name.asText()));
            return new LoraConfig.Targets.Names(names);
        }
        String text = node.asText("all-linear");
        return text.equals("all-linear") ? new LoraConfig.Targets.AllLinear() : new LoraConfig.Targets.Regex(text);
    }

    /** The file of an adapter's directory that holds its parameters. */
    public static Path weights(Path directory) {
        return directory.resolve(WEIGHTS);
    }

    /** Writes {@code adapter_config.json} and {@code adapter_model.safetensors} as PEFT reads them. */
    public void save(Path directory) {
        try {
            Files.createDirectories(directory);
            SafetensorsWriter writer = SafetensorsWriter.create().metadata("format", "pt");
            for (Site site : sites) {
                writer.add(name(site.linear(), 'A'), shape(site.a()), Tensors.floats(site.a()));
                writer.add(name(site.linear(), 'B'), shape(site.b()), Tensors.floats(site.b()));
            }
            writer.write(directory.resolve(WEIGHTS));
            // Written last and whole: a directory that has it is complete.
            WholeFile.write(directory.resolve(CONFIG), JSON.writeValueAsBytes(configJson()));
        } catch (IOException e) {
            throw new UserInputException(
                    "adapter cannot be written to %s: %s".formatted(directory, FileTrouble.of(e)), e);
        }
    }

    private ObjectNode configJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("peft_type", "LORA").put("task_type", "CAUSAL_LM").put("inference_mode", true);
        json.put("r", config.rank()).put("lora_alpha", config.alpha()).put("lora_dropout", 0.0);
        json.put("bias", "none").put("use_rslora", config.rsLora());
        json.put("fan_in_fan_out", sites.getFirst().linear().name().startsWith("transformer.h."));
        ArrayNode targets = json.putArray("target_modules");
        sites.forEach(site -> targets.add(site.linear().name()));
        ObjectNode ranks = json.putObject("rank_pattern");
        config.rankPattern().forEach(ranks::put);
        ObjectNode alphas = json.putObject("alpha_pattern");
        config.alphaPattern().forEach(alphas::put);
        return json;
    }

    private static List<Long> shape(Tensor tensor) {
        return List.of(tensor.size(0), tensor.size(1));
    }

    /** Adds the updates to the decoder's weights. Where B = 0 there is nothing to add, and no second copy of the weight is made. */
    public void merge() {
        for (Site site : sites) {
            if (site.b().any().item_bool()) {
                site.linear().merge(site.a(), site.b(), site.scale());
            } else {
                site.linear().unmerge();
            }
        }
    }

    /** Takes the updates off the decoder's weights. */
    public void unmerge() {
        sites.forEach(site -> site.linear().unmerge());
    }

    /** The adapted layers in the order of the model. */
    public List<Site> sites() {
        return sites;
    }

    /** Rank, scale and targets. */
    public LoraConfig config() {
        return config;
    }

    /** All parameters, shape (P): change them in place, then {@link #merge()}. */
    public Tensor parameters() {
        return parameters;
    }

    /** Whether every B is zero, as at the start of fine-tuning: then no gradient reaches A. */
    public boolean atStart() {
        return sites.stream().noneMatch(site -> site.b().any().item_bool());
    }

    /** {@code sha256:<hex>} of the parameters, in float32. */
    public String digest() {
        float[] values = Tensors.floats(parameters);
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return Digests.name(Digests.sha256(bytes.array()));
    }

    /** Frees the parameters; unmerge first. */
    @Override
    public void close() {
        for (Site site : sites) {
            site.a().close();
            site.b().close();
        }
        parameters.close();
    }
}
