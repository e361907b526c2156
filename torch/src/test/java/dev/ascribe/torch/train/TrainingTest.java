package dev.ascribe.torch.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.Progress;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingTest {
    private static final List<Sequence> ROWS =
            TinyModels.sequences(41, new Random(42).ints(21, 3, 30).toArray());

    private static final LoraConfig EVERYWHERE = LoraConfig.of(2, 4, new LoraConfig.Targets.AllLinear());

    /** Above the first block, so that the frozen trunk takes part. */
    private static final LoraConfig ABOVE = LoraConfig.of(2, 4, new LoraConfig.Targets.Regex(".*layers\\.1\\..*"));

    @TempDir
    private Path directory;

    @Test
    void theSameSeedGivesTheSameRunBitForBit() throws IOException {
        SortedMap<String, String> one = finetune("one", EVERYWHERE, plan(3), Progress.SILENT, Long.MAX_VALUE);
        assertThat(finetune("two", EVERYWHERE, plan(3), Progress.SILENT, Long.MAX_VALUE))
                .isEqualTo(one);
        assertThat(one.keySet())
                .contains(
                        "run.json",
                        "adapter/adapter_model.safetensors",
                        "adapter/adapter_config.json",
                        "checkpoints/000000/adapter_model.safetensors",
                        "checkpoints/000009/adapter_model.safetensors")
                .doesNotContain(".training.safetensors");
        SortedMap<String, String> other = finetune("other", EVERYWHERE, plan(4), Progress.SILENT, Long.MAX_VALUE);
        assertThat(other.get("adapter/adapter_model.safetensors"))
                .isNotEqualTo(one.get("adapter/adapter_model.safetensors"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 6, 8})
    void aKilledAndResumedFineTuningEndsAsAnUninterruptedOne(int step) throws IOException {
        for (LoraConfig config : List.of(EVERYWHERE, ABOVE)) {
            String name = config.targets() + "-" + step;
            Path run = directory.resolve(name.replaceAll("\\W", ""));
            assertThatThrownBy(() -> finetune(run.getFileName().toString(), config, plan(3), killAt(step), 0))
                    .hasMessage("killed");
            assertThat(run.resolve("run.json")).doesNotExist();
            SortedMap<String, String> resumed =
                    finetune(run.getFileName().toString(), config, plan(3), Progress.SILENT, Long.MAX_VALUE);
            assertThat(resumed)
                    .isEqualTo(finetune("whole" + run.getFileName(), config, plan(3), Progress.SILENT, Long.MAX_VALUE));
        }
    }

    @Test
    void aKilledAndResumedTrainingFromScratchEndsAsAnUninterruptedOne() throws IOException {
        SortedMap<String, String> whole = scratch("whole", Progress.SILENT, Long.MAX_VALUE);
        assertThatThrownBy(() -> scratch("resumed", killAt(5), 0)).hasMessage("killed");
        assertThat(scratch("resumed", Progress.SILENT, Long.MAX_VALUE)).isEqualTo(whole);
        assertThat(whole.keySet()).contains("model/model.safetensors", "model/config.json", "model/tokenizer.json");
    }

    @Test
    void aResumedRunDoesNotRepeatWhatWasDone() throws IOException {
        assertThatThrownBy(() -> finetune("run", EVERYWHERE, plan(3), killAt(6), 0))
                .hasMessage("killed");
        List<Long> steps = new ArrayList<>();
        finetune("run", EVERYWHERE, plan(3), (job, done, total) -> steps.add(done), Long.MAX_VALUE);
        assertThat(steps).containsExactly(6L, 7L, 8L, 9L);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4, 6, 8})
    void aResumedRunTellsItsJournalAllOfItAgainAndTheRestAsAnUninterruptedOneDoes(int step) {
        Told whole = new Told();
        told("whole", whole, Progress.SILENT);
        Told before = new Told();
        assertThatThrownBy(() -> told("run", before, killAt(step))).hasMessage("killed");
        Told after = new Told();
        told("run", after, Progress.SILENT);
        assertThat(after.lines).isEqualTo(whole.lines);
        assertThat(whole.lines).startsWith(before.lines.toArray(String[]::new));
        assertThat(before.lines).contains("step 1 of epoch 1: " + whole.batches.getFirst());
    }

    @Test
    void aJournalIsToldEveryBatchEveryCheckpointAndTheirSelection() {
        Told journal = new Told();
        Run run = told("run", journal, Progress.SILENT);
        assertThat(journal.batches).hasSize(9);
        for (int epoch = 0; epoch < 3; epoch++) {
            assertThat(journal.batches.subList(3 * epoch, 3 * epoch + 3).stream()
                            .flatMap(List::stream))
                    .containsExactlyInAnyOrderElementsOf(run.trainRows());
        }
        assertThat(journal.lines.getFirst()).isEqualTo("begun " + run.trainRows() + run.validationRows());
        assertThat(journal.lines.getLast()).isEqualTo("finished " + run.last());
        assertThat(journal.checkpoints).extracting(Checkpoint::step).containsExactly(0, 3, 6, 9);
        assertThat(journal.checkpoints.subList(1, 4))
                .isEqualTo(run.checkpoints().subList(1, 4));
        assertThat(journal.checkpoints.getFirst().trainLoss()).isPositive();
        assertThat(journal.selected).isEqualTo(run.selected());
    }

    private Run told(String name, Journal journal, Progress progress) {
        try (LanguageModel model = model();
                LoraRecipe recipe = LoraRecipe.of(model, EVERYWHERE)) {
            return new Training(recipe, ROWS, plan(3), progress, 0)
                    .run(directory.resolve(name), facts(model, EVERYWHERE), journal)
                    .run();
        }
    }

    /** Remembers what it is told. */
    private static final class Told implements Journal {
        private final List<String> lines = new ArrayList<>();
        private final List<List<Integer>> batches = new ArrayList<>();
        private final List<Checkpoint> checkpoints = new ArrayList<>();
        private final List<Checkpoint> selected = new ArrayList<>();

        @Override
        public void begun(List<Integer> learned, List<Integer> heldOut) {
            lines.add("begun " + learned + heldOut);
        }

        @Override
        public void step(int epoch, int step, List<Integer> rows) {
            lines.add("step %d of epoch %d: %s".formatted(step, epoch, rows));
            batches.add(rows);
        }

        @Override
        public void checkpoint(Checkpoint checkpoint, boolean isSelected) {
            lines.add(checkpoint + (isSelected ? " selected" : ""));
            checkpoints.add(checkpoint);
            if (isSelected) {
                selected.add(checkpoint);
            }
        }

        @Override
        public void finished(Checkpoint last) {
            lines.add("finished " + last);
        }
    }

    @Test
    void aRunIsRecordedInOneLedgerFromItsBeginningToItsEnd() throws IOException {
        Recording first = new Recording(new UUID(1, 2), "example.com/a+key");
        Recording other = new Recording(new UUID(1, 2), "example.com/b+key");
        Path run = directory.resolve("run");
        assertThatThrownBy(() -> recorded("run", first, killAt(2))).hasMessage("killed");
        assertThat(Recording.of(run)).contains(first);
        assertThatThrownBy(() -> recorded("run", null, Progress.SILENT))
                .isInstanceOf(UserInputException.class)
                .hasMessage(
                        run
                                + " was begun with --ledger (example.com/a+key); give it again, so that no step is missing there");
        assertThatThrownBy(() -> recorded("run", other, Progress.SILENT))
                .isInstanceOf(UserInputException.class)
                .hasMessage(
                        run
                                + " is recorded in the ledger of example.com/a+key, not in that of example.com/b+key; give that --ledger, or another --out");
        assertThat(recorded("run", first, Progress.SILENT).recording()).isEqualTo(first);
        assertThat(Run.open(run).recording()).isEqualTo(first);
        assertThat(run.resolve(".recording.json")).doesNotExist();
        assertThatThrownBy(() -> recorded("run", other, Progress.SILENT)).isInstanceOf(UserInputException.class);
        assertThat(recorded("run", null, Progress.SILENT).recording()).isEqualTo(first);

        assertThatThrownBy(() -> recorded("without", null, killAt(2))).hasMessage("killed");
        assertThatThrownBy(() -> recorded("without", first, Progress.SILENT))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("was begun without --ledger");
        assertThat(recorded("without", null, Progress.SILENT).recording()).isNull();
        assertThat(Files.readString(directory.resolve("without/run.json"))).doesNotContain("recording");
        assertThat(recorded("without", null, Progress.SILENT).last())
                .isEqualTo(recorded("run", first, Progress.SILENT).last());
    }

    private Run recorded(String name, @Nullable Recording recording, Progress progress) {
        try (LanguageModel model = model();
                LoraRecipe recipe = LoraRecipe.of(model, EVERYWHERE)) {
            return new Training(recipe, ROWS, plan(3), progress, 0)
                    .run(directory.resolve(name), facts(model, EVERYWHERE).recorded(recording))
                    .run();
        }
    }

    @Test
    void theStateOfAnotherRunIsRefused() {
        assertThatThrownBy(() -> finetune("run", EVERYWHERE, plan(3), killAt(2), 0))
                .hasMessage("killed");
        LoraConfig stronger = LoraConfig.of(2, 8, new LoraConfig.Targets.AllLinear());
        for (ThrowingCallable other : List.<ThrowingCallable>of(
                () -> finetune("run", EVERYWHERE, plan(4), Progress.SILENT, 0),
                () -> finetune("run", stronger, plan(3), Progress.SILENT, 0))) {
            assertThatThrownBy(other)
                    .isInstanceOf(UserInputException.class)
                    .hasMessage(
                            directory.resolve("run/.training.safetensors")
                                    + " belongs to a run with other rows or settings; remove it to start again, or repeat the same command");
        }
    }

    @Test
    void aFinishedRunIsReturnedAndOneOfOtherSettingsRefused() throws IOException {
        SortedMap<String, String> once = finetune("run", EVERYWHERE, plan(3), Progress.SILENT, 0);
        assertThat(finetune("run", EVERYWHERE, plan(3), killAt(1), 0)).isEqualTo(once);
        assertThatThrownBy(() -> finetune("run", EVERYWHERE, plan(4), Progress.SILENT, 0))
                .isInstanceOf(UserInputException.class)
                .hasMessage(directory.resolve("run")
                        + " holds a finished run of other data or settings; give another --out");
        assertThatThrownBy(() -> finetune("run", ABOVE, plan(3), Progress.SILENT, 0))
                .isInstanceOf(UserInputException.class)
                .hasMessageEndingWith(" holds a finished run of other data or settings; give another --out");
    }

    @Test
    void theLossFallsAndTheRunTellsIt() {
        List<Sequence> same = IntStream.range(0, 16)
                .mapToObj(i -> new Sequence(new int[] {5, 6, 7, 8, 9, 10, 11}, 2))
                .toList();
        try (LanguageModel model = model();
                LoraRecipe recipe = LoraRecipe.of(model, EVERYWHERE)) {
            TrainingPlan plan = new TrainingPlan(8, 4, 0.02, Schedule.COSINE, 0.1, 0.01, 1, 4, 0.25, 7);
            Run run = new Training(recipe, same, plan, Progress.SILENT)
                    .run(directory.resolve("run"), facts(model, EVERYWHERE))
                    .run();
            assertThat(run.checkpoints()).extracting(Checkpoint::step).containsExactly(0, 6, 12, 18, 24);
            assertThat(run.checkpoints()).extracting(Checkpoint::epoch).containsExactly(0, 2, 4, 6, 8);
            assertThat(run.start().trainLoss()).isNull();
            double before = loss(run.start().validationLoss());
            assertThat(loss(run.last().validationLoss())).isLessThan(before / 4);
            assertThat(loss(run.last().trainLoss()))
                    .isLessThan(loss(run.checkpoints().get(1).trainLoss()));
            assertThat(run.at(6).orElseThrow().learningRate())
                    .isCloseTo(0.02 * Schedule.COSINE.factor(5, 24, 2), within(1e-15));
            assertThat(run.selected()).isNotEmpty();
        }
    }

    private static double loss(@Nullable Double loss) {
        return Objects.requireNonNull(loss);
    }

    @Test
    void heldOutRowsAreNotLearned() throws IOException {
        try (LanguageModel model = model();
                LoraRecipe recipe = LoraRecipe.of(model, EVERYWHERE)) {
            TrainingPlan plan = plan(3);
            Run run = new Training(recipe, ROWS, plan, Progress.SILENT)
                    .run(directory.resolve("run"), facts(model, EVERYWHERE))
                    .run();
            assertThat(run.validationRows()).hasSize(2).isSorted();
            assertThat(run.trainRows()).hasSize(19).isSorted().doesNotContainAnyElementsOf(run.validationRows());
            // Other words in the held-out rows leave the adapter as it is, and change the validation loss.
            List<Sequence> changed = new ArrayList<>(ROWS);
            run.validationRows().forEach(row -> changed.set(row, new Sequence(new int[] {3, 4, 5}, 1)));
            Run other = new Training(recipe, changed, plan, Progress.SILENT)
                    .run(directory.resolve("other"), facts(model, EVERYWHERE))
                    .run();
            assertThat(other.adapter().resolve("adapter_model.safetensors"))
                    .hasSameBinaryContentAs(run.adapter().resolve("adapter_model.safetensors"));
            assertThat(other.last().validationLoss()).isNotEqualTo(run.last().validationLoss());
            assertThat(other.last().trainLoss()).isEqualTo(run.last().trainLoss());
        }
    }

    @Test
    void aLongGradientIsClipped() {
        Engine.start(1);
        double[] lengths = new double[2];
        for (int i = 0; i < 2; i++) {
            Fixed learner = new Fixed(i == 0 ? 30 : 0.4f);
            TrainingPlan plan = new TrainingPlan(1, 1, 1, Schedule.CONSTANT, 0, 0, 0.5, 1, 0, 0);
            new Trainer(learner, ROWS.subList(0, 1), List.of(), plan, Progress.SILENT, Long.MAX_VALUE)
                    .run(
                            null,
                            "",
                            (step, epoch, rate, train, validation) ->
                                    new Checkpoint("", step, epoch, rate, train, validation));
            lengths[i] = learner.seen;
        }
        assertThat(lengths[0]).isCloseTo(0.5, within(1e-6));
        assertThat(lengths[1]).isCloseTo(0.4, within(1e-6));
    }

    /** Two parameters with a gradient that never changes; remembers the gradient as the optimiser saw it. */
    private static final class Fixed implements Learner {
        private final Tensor parameters = Tensors.of(new float[] {1, 1}, 2);
        private final float size;
        private @Nullable Tensor gradient;
        private double seen;

        Fixed(float size) {
            this.size = size;
        }

        @Override
        public Tensor parameters() {
            return parameters;
        }

        @Override
        public double accumulate(List<Sequence> batch, Tensor into) {
            into.add_(Tensors.of(new float[] {size * 0.6f, size * 0.8f}, 2));
            gradient = into;
            return 1;
        }

        @Override
        public double[] losses(List<Sequence> batch) {
            return new double[batch.size()];
        }

        @Override
        public void changed() {
            seen = Objects.requireNonNull(gradient).norm().item_double();
        }
    }

    @Test
    void aGradientThatIsNotFiniteIsRefused() {
        Engine.start(1);
        TrainingPlan plan = new TrainingPlan(1, 1, 1, Schedule.CONSTANT, 0, 0, 0.5, 1, 0, 0);
        Trainer trainer =
                new Trainer(new Fixed(Float.NaN), ROWS.subList(0, 1), List.of(), plan, Progress.SILENT, Long.MAX_VALUE);
        assertThatThrownBy(() -> trainer.run(
                        null,
                        "",
                        (step, epoch, rate, train, validation) ->
                                new Checkpoint("", step, epoch, rate, train, validation)))
                .isInstanceOf(CorruptDataException.class)
                .hasMessage("the gradient of step 1 is not finite; lower --lr, or check the model and the rows");
    }

    @Test
    void rowsWithoutATargetAreLeftOutAndNothingElseIsAnError() {
        try (LanguageModel model = model();
                LoraRecipe recipe = LoraRecipe.of(model, EVERYWHERE)) {
            List<Sequence> none = List.of(new Sequence(new int[] {4, 5}, 2), new Sequence(new int[] {4}, 1));
            Training training = new Training(recipe, none, plan(1), Progress.SILENT);
            assertThatThrownBy(() -> training.run(directory.resolve("run"), facts(model, EVERYWHERE)))
                    .isInstanceOf(UserInputException.class)
                    .hasMessageStartingWith("no row is left to train on");
            assertThatThrownBy(() -> training.retrain(List.of(), retrained -> 1))
                    .isInstanceOf(UserInputException.class)
                    .hasMessageStartingWith("no row is left to train on");
        }
    }

    @Test
    void aBatchIsSplitByTokensAndLosesNoRow() {
        List<Sequence> rows = TinyModels.sequences(43, 1000, 1000, 48, 2, 3000, 5);
        List<List<Sequence>> parts = Trainer.split(rows);
        assertThat(parts).extracting(List::size).containsExactly(1, 1, 2, 1, 1);
        assertThat(Trainer.split(rows.subList(1, 3))).extracting(List::size).containsExactly(1, 1);
        assertThat(Trainer.split(rows.subList(2, 4))).containsExactly(rows.subList(2, 4));
        assertThat(parts.stream().flatMap(List::stream)).containsExactlyElementsOf(rows);
    }

    @Test
    void aPlanRefusesWhatMakesNoSense() {
        assertThatThrownBy(() -> new TrainingPlan(0, 1, 1, Schedule.LINEAR, 0, 0, 1, 1, 0, 0))
                .isInstanceOf(UserInputException.class)
                .hasMessage("--epochs 0 must be within 1 and 100000");
        assertThatThrownBy(() -> new TrainingPlan(1, 1, Double.NaN, Schedule.LINEAR, 0, 0, 1, 1, 0, 0))
                .hasMessage("--lr NaN must be above 0 and at most 10");
        assertThatThrownBy(() -> new TrainingPlan(1, 1, 1, Schedule.LINEAR, 0, 0, 1, 1, 1, 0))
                .hasMessage("--validation 1.0 must be at least 0 and below 1");
    }

    /** 3 epochs of 3 steps, two rows of 21 held out, three checkpoints. */
    private static TrainingPlan plan(long seed) {
        return new TrainingPlan(3, 8, 0.01, Schedule.LINEAR, 0.2, 0.01, 1, 3, 0.1, seed);
    }

    private static Progress killAt(int step) {
        return (job, done, total) -> {
            if (done == step) {
                throw new IllegalStateException("killed");
            }
        };
    }

    private LanguageModel model() {
        return TinyModels.LLAMA.open(directory.resolve("model"), Precision.F32);
    }

    private Training.Facts facts(LanguageModel model, LoraConfig config) {
        return new Training.Facts(
                model.path(),
                model.digest(),
                "llama",
                config,
                new Run.TextSettings("auto", "response", 512, false),
                directory.resolve("data.jsonl"),
                "sha256:data",
                Map.of());
    }

    private SortedMap<String, String> finetune(
            String name, LoraConfig config, TrainingPlan plan, Progress progress, long saveEvery) throws IOException {
        Path run = directory.resolve(name);
        try (LanguageModel model = model();
                LoraRecipe recipe = LoraRecipe.of(model, config)) {
            new Training(recipe, ROWS, plan, progress, saveEvery).run(run, facts(model, config));
        }
        return digests(run);
    }

    private SortedMap<String, String> scratch(String name, Progress progress, long saveEvery) throws IOException {
        Engine.start(1);
        Path run = directory.resolve(name);
        try (Tokenizer tokenizer = TinyModels.tokenizer();
                ScratchRecipe recipe = ScratchRecipe.of("gpt:2-16-2", tokenizer, 64)) {
            Training.Facts facts = new Training.Facts(
                    run,
                    "none",
                    "gpt:2-16-2",
                    null,
                    new Run.TextSettings("none", "all", 64, false),
                    directory.resolve("data.jsonl"),
                    "sha256:data",
                    Map.of());
            new Training(recipe, ROWS, plan(3), progress, saveEvery).run(run, facts);
        }
        return digests(run);
    }

    /** Of every file but the time that it took. */
    private static SortedMap<String, String> digests(Path run) throws IOException {
        SortedMap<String, String> digests = new TreeMap<>();
        try (Stream<Path> files = Files.walk(run)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (!file.endsWith("timing.json")) {
                    digests.put(run.relativize(file).toString(), Digests.ofFile(file));
                }
            }
        }
        return digests;
    }
}
