package dev.ascribe.torch.gradient;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.ascribe.Corpus;
import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.FileTrouble;
import dev.ascribe.Progress;
import dev.ascribe.UserInputException;
import dev.ascribe.WholeFile;
import dev.ascribe.store.FeatureStore;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.train.Adapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Gradients of all rows of a corpus at some states of a model.
 *
 * <pre>
 * INDEX/index.json            what it is of; written last, so a directory that has it is complete
 * INDEX/index.sha256          digests of index.json and of every adapter file
 * INDEX/features/NAME/        a {@link FeatureStore} for each point
 * INDEX/adapters/NAME/        the adapter there, so that queries meet the same A and B
 * </pre>
 *
 * An index whose only point is {@code init} belongs to base model, corpus and seed, and serves every fine-tune of that base.
 */
public final class GradientIndex {
    private static final String SCHEMA = "ascribe/index/1";
    private static final String FILE = "index.json";
    private static final String SUMS = "index.sha256";
    private static final Set<String> OWN =
            Set.of(FILE, SUMS, "features", "adapters", "." + FILE + ".partial", "." + SUMS + ".partial");
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES);

    private final Path directory;
    private final Document document;

    /** What {@code index.json} says. */
    record Document(
            String schema,
            String model,
            String modelPath,
            String data,
            String dataPath,
            @Nullable String run,
            int rows,
            boolean adapted,
            IndexSettings settings,
            List<Point> checkpoints) {
        Document {
            require(model, "model");
            require(modelPath, "modelPath");
            require(data, "data");
            require(dataPath, "dataPath");
            require(settings, "settings");
            require(settings.text(), "settings.text");
            require(settings.text().template(), "settings.text.template");
            require(settings.text().loss(), "settings.text.loss");
            require(settings.dtype(), "settings.dtype");
            require(settings.products(), "settings.products");
            if (checkpoints == null || checkpoints.isEmpty()) {
                throw new IllegalArgumentException("'checkpoints' is missing or empty");
            }
            for (Point point : checkpoints) {
                if (point == null || point.name() == null || !point.name().matches("[a-z0-9]+")) {
                    throw new IllegalArgumentException("'checkpoints' has a bad name");
                }
            }
        }

        private static void require(@Nullable Object value, String key) {
            if (value == null) {
                throw new IllegalArgumentException("'" + key + "' is missing");
            }
        }
    }

    GradientIndex(Path directory, Document document) {
        this.directory = directory;
        this.document = document;
    }

    /** Opens a finished index. */
    public static GradientIndex open(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            String unfinished = Files.isDirectory(features(directory))
                    ? "is not finished; repeat the index command that made it, it goes on where it stopped"
                    : "is no index: it has no " + FILE;
            throw new UserInputException("%s %s".formatted(directory, unfinished));
        }
        try {
            JsonNode tree = JSON.readTree(Files.readAllBytes(file));
            String schema = tree.path("schema").asText();
            if (!schema.equals(SCHEMA)) {
                throw new UserInputException(
                        "%s has the schema '%s', but this version reads %s".formatted(file, schema, SCHEMA));
            }
            return new GradientIndex(directory, JSON.treeToValue(tree, Document.class));
        } catch (JacksonException e) {
            throw new CorruptDataException("%s is damaged: %s".formatted(file, e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be read: %s".formatted(file, FileTrouble.of(e)), e);
        }
    }

    /** Writes what makes a built index complete. */
    static GradientIndex complete(Path directory, Document document) {
        try {
            byte[] json = JSON.writeValueAsBytes(document);
            String digest = Digests.name(Digests.sha256(json));
            WholeFile.write(directory.resolve(SUMS), sums(directory, digest).getBytes(StandardCharsets.UTF_8));
            WholeFile.write(directory.resolve(FILE), json);
            return new GradientIndex(directory, document);
        } catch (IOException e) {
            throw new UserInputException("index %s cannot be written: %s".formatted(directory, FileTrouble.of(e)), e);
        }
    }

    /** One line a file outside the feature stores, which check themselves: digest, two spaces, path. */
    private static String sums(Path directory, String digest) throws IOException {
        StringBuilder text = new StringBuilder(digest + "  " + FILE + "\n");
        List<Path> files = new ArrayList<>();
        Path adapters = directory.resolve("adapters");
        if (Files.isDirectory(adapters)) {
            try (Stream<Path> walk = Files.walk(adapters)) {
                walk.filter(Files::isRegularFile).sorted().forEach(files::add);
            }
        }
        for (Path file : files) {
            text.append(Digests.ofFile(file))
                    .append("  ")
                    .append(directory.relativize(file))
                    .append('\n');
        }
        return text.toString();
    }

    /**
     * Checks every byte.
     *
     * @return how many bytes were checked in the feature stores
     * @throws CorruptDataException names what is damaged
     */
    public static long verify(Path directory, Progress progress) {
        try {
            Path sums = directory.resolve(SUMS);
            if (!Files.exists(sums)) {
                open(directory); // says what it is instead
                throw new CorruptDataException("%s has no %s: build it again".formatted(directory, SUMS));
            }
            String stored = Files.readString(sums, StandardCharsets.ISO_8859_1);
            Path file = directory.resolve(FILE);
            String computed = sums(directory, Files.exists(file) ? Digests.ofFile(file) : "missing");
            if (!stored.equals(computed)) {
                List<String> lines = stored.lines().toList();
                String where = computed.lines()
                        .filter(line -> !lines.contains(line))
                        .findFirst()
                        .map(line -> line.substring(line.indexOf("  ") + 2))
                        .orElse(SUMS);
                throw new CorruptDataException(
                        "%s is damaged: %s is not what it was when the index was made; build it again"
                                .formatted(directory, where));
            }
        } catch (IOException e) {
            throw new UserInputException("%s cannot be read: %s".formatted(directory, FileTrouble.of(e)), e);
        }
        GradientIndex index = open(directory);
        long bytes = 0;
        for (Point point : index.points()) {
            bytes += FeatureStore.verify(index.storeDirectory(point), progress);
        }
        return bytes;
    }

    /** Refuses a model or a corpus that it is not of, by name. */
    public void requireOf(LanguageModel model, Corpus corpus) {
        require("model", document.model(), model.digest(), model.path().toString());
        require("data", document.data(), corpus.digest(), corpus.name());
    }

    private void require(String what, String own, String given, String name) {
        if (!own.equals(given)) {
            throw new UserInputException("index %s is of another %s: %s, but %s is %s; build an index of it"
                    .formatted(directory, what, own, name, given));
        }
    }

    /** Refuses a directory that holds anything but an index, finished or not. */
    static void requireOwn(Path directory) {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (Stream<Path> entries = Files.list(directory)) {
            Optional<Path> stranger = entries.filter(
                            entry -> !OWN.contains(entry.getFileName().toString()))
                    .findFirst();
            if (stranger.isPresent()) {
                throw new UserInputException("%s is no index, it holds %s; give a new --out"
                        .formatted(directory, stranger.get().getFileName()));
            }
        } catch (IOException e) {
            throw new UserInputException("%s cannot be read: %s".formatted(directory, FileTrouble.of(e)), e);
        }
    }

    static Path features(Path directory) {
        return directory.resolve("features");
    }

    static Path storeDirectory(Path directory, Point point) {
        return features(directory).resolve(point.name());
    }

    static Path adapterDirectory(Path directory, Point point) {
        return directory.resolve("adapters").resolve(point.name());
    }

    Path storeDirectory(Point point) {
        return storeDirectory(directory, point);
    }

    /** The file with the adapter that it keeps of a point, by the point's name. */
    public Path weights(String point) {
        return Adapter.weights(adapterDirectory(directory, new Point(point, 0, 1)));
    }

    /** Opens the gradients at a point. */
    public FeatureStore store(Point point) {
        return FeatureStore.open(storeDirectory(point));
    }

    /** The states that it has gradients at, in training order. */
    public List<Point> points() {
        return document.checkpoints();
    }

    /** What its features depend on. */
    public IndexSettings settings() {
        return document.settings();
    }

    /** Rows of its corpus. */
    public int rows() {
        return document.rows();
    }

    /** Where its model was. */
    public Path modelPath() {
        return Path.of(document.modelPath());
    }

    /** Where its corpus was. */
    public Path dataPath() {
        return Path.of(document.dataPath());
    }

    /** The run that it was made from, or null. */
    public @Nullable Path run() {
        return document.run() == null ? null : Path.of(document.run());
    }

    /** Whether gradients are taken by adapters' matrices, which it then keeps. */
    public boolean adapted() {
        return document.adapted();
    }

    /** Whether it serves every fine-tune of its base model. */
    public boolean servesEveryFineTune() {
        return document.adapted()
                && points().stream().allMatch(point -> point.name().equals(Lineage.INIT));
    }

    /** Its states, with the adapters that it keeps, on the opened base model. */
    public Lineage lineage(LanguageModel base) {
        Map<Point, Path> adapters = new LinkedHashMap<>();
        points().forEach(point -> adapters.put(point, adapterDirectory(directory, point)));
        return Lineage.of(base, settings().products(), adapters);
    }

    /** {@code sha256:<hex>} over its digests of everything. */
    public String digest() {
        StringBuilder text = new StringBuilder(document.toString());
        for (Point point : points()) {
            try (FeatureStore store = store(point)) {
                text.append('\n').append(store.digest());
            }
        }
        return Digests.name(Digests.sha256(text.toString().getBytes(StandardCharsets.UTF_8)));
    }
}
