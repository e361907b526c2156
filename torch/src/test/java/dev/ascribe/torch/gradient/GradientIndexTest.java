package dev.ascribe.torch.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.Progress;
import dev.ascribe.UserInputException;
import dev.ascribe.corpus.Corpora;
import dev.ascribe.store.Dtype;
import dev.ascribe.store.FeatureStore;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Encoder;
import dev.ascribe.torch.text.Loss;
import dev.ascribe.torch.text.Template;
import dev.ascribe.torch.train.Dataset;
import dev.ascribe.torch.train.LoraConfig;
import dev.ascribe.torch.train.Run.TextSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GradientIndexTest {
    private static final int ROWS = 90;
    private static final int MAX_TOKENS = 60;

    @TempDir
    private Path directory;

    /** Rows of many lengths; the prompt of one leaves no room for its response. */
    private static List<Content> contents(int count) {
        Random random = new Random(51);
        List<Content> contents = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String prompt = "ab cd ef gh ij kl mn op".substring(0, 1 + random.nextInt(22));
            contents.add(new Content.Completion(
                    i == 7 ? "x".repeat(MAX_TOKENS + 5) : prompt + i, "is " + random.nextInt(100_000)));
        }
        return contents;
    }

    @Test
    void anInterruptedIndexThatGoesOnIsByteForByteTheUninterruptedOne() throws IOException {
        build("whole", ROWS, settings("20"), Progress.SILENT, false);
        for (int batch : new int[] {1, 2, 3}) {
            String name = "interrupted" + batch;
            int[] calls = {0};
            assertThatThrownBy(() -> build(
                            name,
                            ROWS,
                            settings("20"),
                            (job, done, total) -> {
                                if (++calls[0] == batch) {
                                    throw new IllegalStateException("killed");
                                }
                            },
                            false))
                    .hasMessage("killed");
            assertThatThrownBy(() -> GradientIndex.open(directory.resolve(name)))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage(directory.resolve(name)
                            + " is not finished; repeat the index command that made it, it goes on where it stopped");
            build(name, ROWS, settings("20"), Progress.SILENT, false);
            assertThat(files(directory.resolve(name))).isEqualTo(files(directory.resolve("whole")));
        }
    }

    /** What a commit in the middle leaves: batches go on at the very rows where an uninterrupted pass has them. */
    @Test
    void batchesDoNotDependOnWhereAnIndexGoesOn() {
        try (Lineage lineage = lineage();
                Subject subject = lineage.at(lineage.points("init").getFirst(), "lora", Projection.none())) {
            RowGradients gradients = new RowGradients(subject);
            List<Sequence> rows =
                    TinyModels.sequences(52, new Random(53).ints(300, 2, 40).toArray());
            List<Integer> starts = new ArrayList<>();
            int at = 0;
            while (at < rows.size()) {
                starts.add(at);
                int seeing = RowGradients.next(rows.subList(at, rows.size()), gradients.width());
                int ahead = Math.min(rows.size(), at + RowGradients.lookAhead());
                assertThat(RowGradients.next(rows.subList(at, ahead), gradients.width()))
                        .isEqualTo(seeing)
                        .isPositive();
                assertThat(rows.subList(at, at + seeing).stream()
                                .mapToInt(Sequence::length)
                                .sum())
                        .isLessThanOrEqualTo(256);
                at += seeing;
            }
            assertThat(starts).hasSizeGreaterThan(5);
            assertThat(RowGradients.next(TinyModels.sequences(54, 2000, 3), gradients.width()))
                    .isEqualTo(1);
            float[][] all = gradients.all(rows);
            int second = starts.get(1);
            float[][] later = gradients.all(rows.subList(second, rows.size()));
            for (int i = 0; i < later.length; i++) {
                assertThat(later[i]).isEqualTo(all[second + i]);
            }
        }
    }

    @Test
    void anIndexThatIsAppendedToEqualsOneMadeAtOnce() {
        build("grown", 40, settings("20"), Progress.SILENT, false);
        build("grown", ROWS, settings("20"), Progress.SILENT, true);
        build("whole", ROWS, settings("20"), Progress.SILENT, false);
        GradientIndex grown = GradientIndex.open(directory.resolve("grown"));
        GradientIndex whole = GradientIndex.open(directory.resolve("whole"));
        assertThat(grown.rows()).isEqualTo(ROWS);
        assertThat(grown.points()).isEqualTo(whole.points());
        for (Point point : whole.points()) {
            try (FeatureStore one = grown.store(point);
                    FeatureStore two = whole.store(point)) {
                assertThat(one.spec()).isEqualTo(two.spec());
                float[] a = new float[one.width()];
                float[] b = new float[one.width()];
                for (int row = 0; row < ROWS; row++) {
                    one.row(row, a);
                    two.row(row, b);
                    assertThat(one.id(row)).isEqualTo(two.id(row));
                    assertThat(a).containsExactly(b, within(1e-5f));
                }
            }
        }
        assertThat(GradientIndex.verify(directory.resolve("grown"), Progress.SILENT))
                .isPositive();
    }

    @Test
    void aRowWithoutTargetsIsARowOfZeros() {
        build("index", 20, settings("none"), Progress.SILENT, false);
        try (FeatureStore store = GradientIndex.open(directory.resolve("index")).store(new Point("init", 0, 1))) {
            assertThat(store.rows()).isEqualTo(20);
            float[] row = new float[store.width()];
            store.row(7, row);
            assertThat(row).containsOnly(0);
            store.row(8, row);
            assertThat(store.norm(8)).isPositive();
        }
    }

    @Test
    void aFlippedByteInAnyFileIsFound() throws IOException {
        build("index", 20, settings("4x4"), Progress.SILENT, false);
        Path index = directory.resolve("index");
        assertThat(GradientIndex.verify(index, Progress.SILENT)).isPositive();
        Random random = new Random(55);
        List<String> names = new ArrayList<>(files(index).keySet());
        assertThat(names)
                .contains("index.json", "index.sha256", "adapters/init/adapter_model.safetensors")
                .hasSizeGreaterThan(6);
        for (String name : names) {
            Path file = index.resolve(name);
            byte[] bytes = Files.readAllBytes(file);
            for (int trial = 0; trial < 12 && bytes.length > 0; trial++) {
                byte[] damaged = bytes.clone();
                int at = trial == 0 ? 0 : trial == 1 ? bytes.length - 1 : random.nextInt(bytes.length);
                damaged[at] ^= (byte) (1 << random.nextInt(8));
                Files.write(file, damaged);
                assertThatThrownBy(() -> GradientIndex.verify(index, Progress.SILENT))
                        .as("%s at %d", name, at)
                        .isInstanceOfAny(CorruptDataException.class, UserInputException.class);
            }
            Files.write(file, bytes);
        }
        assertThat(GradientIndex.verify(index, Progress.SILENT)).isPositive();
    }

    @Test
    void damageIsNamed() throws IOException {
        build("index", 20, settings("4x4"), Progress.SILENT, false);
        Path index = directory.resolve("index");
        Path adapter = index.resolve("adapters/init/adapter_model.safetensors");
        byte[] bytes = Files.readAllBytes(adapter);
        bytes[bytes.length - 3] ^= 4;
        Files.write(adapter, bytes);
        assertThatThrownBy(() -> GradientIndex.verify(index, Progress.SILENT))
                .isInstanceOf(CorruptDataException.class)
                .hasMessage(
                        index
                                + " is damaged: adapters/init/adapter_model.safetensors is not what it was when the index was made; build it again");
    }

    @Test
    void anIndexWithoutItsDigestsIsDamaged() throws IOException {
        build("index", 20, settings("4x4"), Progress.SILENT, false);
        Path index = directory.resolve("index");
        Files.delete(index.resolve("index.sha256"));
        assertThatThrownBy(() -> GradientIndex.verify(index, Progress.SILENT))
                .isInstanceOf(CorruptDataException.class)
                .hasMessage(index + " has no index.sha256: build it again");
    }

    @Test
    void anIndexOfAnotherModelOrCorpusIsRefusedByName() {
        GradientIndex index = build("index", 20, settings("4x4"), Progress.SILENT, false);
        try (LanguageModel model = LanguageModel.open(model(), Precision.F32);
                LanguageModel other = TinyModels.QWEN2.open(directory.resolve("other"), Precision.F32);
                Corpus corpus = Corpora.of("rows.jsonl", contents(20));
                Corpus longer = Corpora.of("longer.jsonl", contents(21))) {
            index.requireOf(model, corpus);
            assertThatThrownBy(() -> index.requireOf(other, corpus))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage("index %s is of another model: %s, but %s is %s; build an index of it"
                            .formatted(
                                    directory.resolve("index"),
                                    model.digest(),
                                    directory.resolve("other"),
                                    other.digest()));
            assertThatThrownBy(() -> index.requireOf(model, longer))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage("index %s is of another data: %s, but longer.jsonl is %s; build an index of it"
                            .formatted(directory.resolve("index"), corpus.digest(), longer.digest()));
        }
    }

    @Test
    void otherSettingsInTheSameFolderAreRefusedByName() {
        build("index", 20, settings("4x4"), Progress.SILENT, false);
        assertThatThrownBy(() -> build("index", 20, settings("5x5"), Progress.SILENT, false))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("was made with projection 4x4, but projection 5x5 is asked for");
    }

    @Test
    void whatIsNoIndexIsRefused() throws IOException {
        assertThatThrownBy(() -> GradientIndex.open(directory))
                .isInstanceOf(UserInputException.class)
                .hasMessage(directory + " is no index: it has no index.json");
        assertThatThrownBy(() -> GradientIndex.verify(directory, Progress.SILENT))
                .isInstanceOf(UserInputException.class)
                .hasMessage(directory + " is no index: it has no index.json");
        Files.writeString(directory.resolve("index.json"), "{\"schema\": \"ascribe/index/9\"}");
        assertThatThrownBy(() -> GradientIndex.open(directory))
                .isInstanceOf(UserInputException.class)
                .hasMessage(directory.resolve("index.json")
                        + " has the schema 'ascribe/index/9', but this version reads ascribe/index/1");
        for (String damaged :
                List.of("{\"schema\": \"ascribe/index/1\"}", "{\"schema\": \"ascribe/index/1\", \"x\": 1}")) {
            Files.writeString(directory.resolve("index.json"), damaged);
            assertThatThrownBy(() -> GradientIndex.open(directory))
                    .isInstanceOf(CorruptDataException.class)
                    .hasMessageStartingWith(directory.resolve("index.json") + " is damaged: ");
        }
    }

    /** Scores from an unprojected index are those without an index. */
    @Test
    void anIndexGivesTheScoresOfGradientsTakenNow() throws IOException {
        GradientIndex index = build("index", 20, settings("none"), Progress.SILENT, false);
        assertThat(index.servesEveryFineTune()).isTrue();
        GradientMethod method = GradientMethod.named("gradient-cosine").orElseThrow();
        try (Lineage lineage = lineage();
                Corpus corpus = Corpora.of("rows.jsonl", contents(20))) {
            Dataset data = dataset(lineage, corpus);
            List<Sequence> queries = List.of(data.row(3), data.row(12));
            double[][] stored = GradientScores.from(index, index.lineage(lineage.model()), method, queries);
            int[] chosen = {2, 3, 7, 12};
            Path scratch = Files.createDirectory(directory.resolve("scratch"));
            Indexer indexer = new Indexer(lineage, corpus, data::row, settings("none"), Progress.SILENT);
            double[][] now = GradientScores.of(indexer, chosen, lineage.points("init"), scratch, method, queries);
            for (int q = 0; q < 2; q++) {
                for (int i = 0; i < chosen.length; i++) {
                    assertThat(now[q][i]).isCloseTo(stored[q][chosen[i]], within(1e-5));
                }
            }
            assertThat(now[0][1]).isCloseTo(1, within(1e-5));
            assertThat(now[1][2]).isZero();
            assertThat(scratch).isEmptyDirectory();
        }
    }

    private Path model() {
        Path model = directory.resolve("model");
        return Files.exists(model) ? model : TinyModels.LLAMA.write(model, 17);
    }

    private Lineage lineage() {
        Engine.start(1);
        LoraConfig config = LoraConfig.of(2, 4, new LoraConfig.Targets.AllLinear());
        return Lineage.of(model(), List.of(), config, 9, Precision.F32);
    }

    private static Dataset dataset(Lineage lineage, Corpus corpus) {
        return Dataset.of(
                corpus, Encoder.of(lineage.model().tokenizer(), Template.parse("auto"), Loss.RESPONSE, MAX_TOKENS));
    }

    private static IndexSettings settings(String projection) {
        TextSettings text = new TextSettings("auto", "response", MAX_TOKENS, false);
        return new IndexSettings("lora", projection, "all", Dtype.F32, Precision.F32, text, 9);
    }

    private GradientIndex build(String name, int rows, IndexSettings settings, Progress progress, boolean grown) {
        try (Lineage lineage = lineage();
                Corpus corpus = Corpora.of("rows.jsonl", contents(rows))) {
            Dataset data = dataset(lineage, corpus);
            return new Indexer(lineage, corpus, data::row, settings, progress, 0)
                    .build(directory.resolve(name), lineage.points("init"), null, null, grown);
        }
    }

    private static SortedMap<String, String> files(Path index) throws IOException {
        SortedMap<String, String> digests = new TreeMap<>();
        try (Stream<Path> files = Files.walk(index)) {
            for (Path file : files.filter(Files::isRegularFile)
                    .sorted(Comparator.naturalOrder())
                    .toList()) {
                digests.put(index.relativize(file).toString(), Digests.ofFile(file));
            }
        }
        return digests;
    }
}
