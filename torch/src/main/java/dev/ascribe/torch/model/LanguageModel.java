package dev.ascribe.torch.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.text.Tokenizer;
import dev.ascribe.torch.weights.Gguf;
import dev.ascribe.torch.weights.WeightFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A causal language model ready to use: decoder, tokenizer, and where generation ends. */
public final class LanguageModel implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Parameters from which on operations are shared between threads. */
    private static final long SHARED_PARAMETERS = 5_000_000;

    private final Path path;
    private final String digest;
    private final @Nullable WeightFile file;
    private final Decoder decoder;
    private final Tokenizer tokenizer;
    private final Set<Integer> endings;

    private LanguageModel(
            Path path,
            String digest,
            @Nullable WeightFile file,
            Decoder decoder,
            Tokenizer tokenizer,
            Set<Integer> endings) {
        // A small model's operations are too short to be shared: threads would only wait for each other.
        Engine.useThreads(decoder.parameters() < SHARED_PARAMETERS ? 1 : Integer.MAX_VALUE);
        this.path = path;
        this.digest = digest;
        this.file = file;
        this.decoder = decoder;
        this.tokenizer = tokenizer;
        this.endings = endings;
    }

    /** A model just made, with weights of its own; it has no file yet, and its digest is that of its architecture. */
    public static LanguageModel fresh(Decoder decoder, Tokenizer tokenizer) {
        Set<Integer> endings = new TreeSet<>();
        tokenizer.eos().ifPresent(endings::add);
        String digest = Digests.name(Digests.sha256(decoder.config().toString().getBytes(StandardCharsets.UTF_8)));
        return new LanguageModel(Path.of("fresh"), digest, null, decoder, tokenizer, endings);
    }

    /**
     * Opens a model.
     *
     * @param path a Hugging Face directory or a GGUF file
     */
    public static LanguageModel open(Path path, Precision precision) {
        if (!Files.exists(path)) {
            throw new UserInputException(
                    "model '%s' does not exist; give a Hugging Face directory or a .gguf file".formatted(path));
        }
        boolean directory = Files.isDirectory(path);
        Path config = path.resolve("config.json");
        if (directory && !Files.exists(config)) {
            throw new UserInputException(
                    "%s has no config.json: it is not a Hugging Face model directory".formatted(path));
        }
        WeightFile file = WeightFile.open(path);
        try {
            return directory ? ofDirectory(path, config, file, precision) : ofGguf(path, file, precision);
        } catch (IOException e) {
            file.close();
            throw new UserInputException("model '%s' cannot be read: %s".formatted(path, e.getMessage()), e);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static LanguageModel ofDirectory(Path path, Path configFile, WeightFile file, Precision precision)
            throws IOException {
        JsonNode json = json(configFile);
        boolean gpt = json.path("model_type").asText("").equals("gpt2");
        boolean prefixed = file.tensors().keySet().stream().anyMatch(name -> name.startsWith("transformer."));
        DecoderConfig config =
                ConfigReader.read(configFile.toString(), json, file.tensors().containsKey("lm_head.weight"));
        Weights.OfFile weights = new Weights.OfFile(
                file,
                precision,
                name -> gpt && !prefixed && name.startsWith("transformer.")
                        ? name.substring("transformer.".length())
                        : name,
                (name, stored) -> stored,
                gpt);
        Decoder decoder = new Decoder(config, weights);
        Tokenizer tokenizer = Tokenizer.fromDirectory(path);
        Set<Integer> endings = new TreeSet<>();
        addEndings(json, endings);
        Path generation = path.resolve("generation_config.json");
        if (Files.exists(generation)) {
            addEndings(json(generation), endings);
        }
        tokenizer.eos().ifPresent(endings::add);
        return new LanguageModel(path, directoryDigest(path), needed(file, weights), decoder, tokenizer, endings);
    }

    private static LanguageModel ofGguf(Path path, WeightFile file, Precision precision) throws IOException {
        if (!(file instanceof Gguf gguf)) {
            throw new UserInputException(
                    "model '%s' is neither a directory nor a GGUF file; give the directory that holds config.json"
                            .formatted(path));
        }
        GgufReader reader = new GgufReader(gguf);
        DecoderConfig config = reader.config();
        Weights.OfFile weights = reader.weights(config, precision);
        Decoder decoder = new Decoder(config, weights);
        Tokenizer tokenizer = Tokenizer.fromGguf(gguf.metadata());
        Set<Integer> endings = new TreeSet<>();
        tokenizer.eos().ifPresent(endings::add);
        return new LanguageModel(path, Digests.ofFile(path), needed(file, weights), decoder, tokenizer, endings);
    }

    /** Lets a file go whose tensors were all converted. */
    private static @Nullable WeightFile needed(WeightFile file, Weights.OfFile weights) {
        if (weights.maps()) {
            return file;
        }
        file.close();
        return null;
    }

    private static JsonNode json(Path file) throws IOException {
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new CorruptDataException("%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
        }
    }

    private static void addEndings(JsonNode json, Set<Integer> endings) {
        JsonNode ids = json.path("eos_token_id");
        for (JsonNode id : ids.isArray() ? ids : List.of(ids)) {
            if (id.isInt()) {
                endings.add(id.asInt());
            }
        }
    }

    /** {@code sha256:<hex>} of a model that need not be opened: as {@link #digest()}. */
    public static String digest(Path path) {
        try {
            return Files.isDirectory(path) ? directoryDigest(path) : Digests.ofFile(path);
        } catch (IOException e) {
            throw new UserInputException("model '%s' cannot be read: %s".formatted(path, FileTrouble.of(e)), e);
        }
    }

    /** Over the names and contents of everything that decides what the model says. */
    private static String directoryDigest(Path directory) throws IOException {
        MessageDigest digest = Digests.sha256();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (Files.isRegularFile(file)
                        && (name.endsWith(".safetensors")
                                || name.equals("config.json")
                                || name.startsWith("tokenizer"))) {
                    digest.update((name + " " + Digests.ofFile(file) + "\n").getBytes(StandardCharsets.UTF_8));
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return Digests.name(digest.digest());
    }

    /** Where it was opened. */
    public Path path() {
        return path;
    }

    /** {@code sha256:<hex>} of weights, configuration and tokenizer. */
    public String digest() {
        return digest;
    }

    /** The network. */
    public Decoder decoder() {
        return decoder;
    }

    /** Text to tokens and back. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** The token ids that end a generated text. */
    public Set<Integer> endings() {
        return endings;
    }

    /** Frees tokenizer and weights. */
    @Override
    public void close() {
        decoder.close();
        tokenizer.close();
        if (file != null) {
            file.close();
        }
    }
}
