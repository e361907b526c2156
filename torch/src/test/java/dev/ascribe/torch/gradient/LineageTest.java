package dev.ascribe.torch.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.Progress;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Scorer;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Tokenizer;
import dev.ascribe.torch.train.Adapter;
import dev.ascribe.torch.train.Checkpoint;
import dev.ascribe.torch.train.LoraConfig;
import dev.ascribe.torch.train.LoraRecipe;
import dev.ascribe.torch.train.Recipe;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.Schedule;
import dev.ascribe.torch.train.ScratchRecipe;
import dev.ascribe.torch.train.Training;
import dev.ascribe.torch.train.TrainingPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LineageTest {
    private static final LoraConfig CONFIG = LoraConfig.of(2, 4, new LoraConfig.Targets.AllLinear());
    private static final Sequence SAID = new Sequence(new int[] {5, 6, 7, 8, 9, 10, 11}, 2);

    @TempDir
    private Path directory;

    @Test
    void theCheckpointsOfAFineTuningAreNamed() {
        Run run = finetuned();
        try (Lineage lineage = Lineage.of(run, Precision.F32)) {
            assertThat(lineage.adapted()).isTrue();
            assertThat(lineage.points("all"))
                    .extracting(Point::name)
                    .containsExactly("init", "000004", "000008", "final");
            assertThat(lineage.points("init")).containsExactly(new Point("init", 0, 0.02));
            assertThat(lineage.points("final")).extracting(Point::step).containsExactly(12);
            assertThat(lineage.points("4")).extracting(Point::name).containsExactly("000004");
            assertThat(lineage.points("12,0,4,4")).extracting(Point::name).containsExactly("init", "000004", "final");
            List<Integer> selected =
                    run.selected().stream().map(Checkpoint::step).toList();
            assertThat(selected).isNotEmpty();
            assertThat(lineage.points("auto"))
                    .extracting(Point::step)
                    .startsWith(0)
                    .hasSize(1 + selected.size())
                    .containsAll(selected);
            for (String bad : List.of("5", "first", "4,", "4,999")) {
                String missing = List.of(bad.split(",", -1)).getLast();
                assertThatThrownBy(() -> lineage.points(bad))
                        .isInstanceOf(UserInputException.class)
                        .hasMessage(
                                "--checkpoints '%s': there is no checkpoint '%s'; there are [0, 4, 8, 12], or use auto, init, final, all"
                                        .formatted(bad, missing));
            }
        }
    }

    @Test
    void aTrainingFromScratchHasWholeModels() {
        Run run = trained();
        try (Lineage lineage = Lineage.of(run, Precision.F32)) {
            assertThat(lineage.adapted()).isFalse();
            assertThat(lineage.adapterDigest()).isNull();
            assertThat(lineage.points("auto"))
                    .extracting(Point::step)
                    .isEqualTo(run.selected().stream().map(Checkpoint::step).toList())
                    .isNotEmpty()
                    .doesNotContain(0);
            Point last = lineage.points("final").getFirst();
            try (Subject subject = lineage.at(last, "last", Projection.none())) {
                assertThat(subject.features().sites()).hasSize(1);
                assertThat(loss(subject.model())).isLessThan(run.start().validationLoss() == null ? 1 : 3);
            }
            try (Subject subject = lineage.at(last, ".*mlp.*", Projection.none())) {
                assertThat(subject.features().sites()).hasSize(4);
            }
            try (Subject subject = lineage.at(last, "all", Projection.none())) {
                assertThat(subject.features().sites()).hasSize(9);
            }
            assertThatThrownBy(() -> lineage.at(last, "none", Projection.none()))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage(
                            "--sites 'none' matches none of the model's 9 linear layers, such as transformer.h.0.attn.c_attn");
            assertThatThrownBy(() -> lineage.at(last, "(", Projection.none()))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage("--sites '(' is no regular expression: Unclosed group");
        }
    }

    @Test
    void statesAreEnteredAndLeft() {
        Run run = finetuned();
        try (Lineage lineage = Lineage.of(run, Precision.F32)) {
            double bare = loss(lineage.model());
            try (Subject start = lineage.at(lineage.points("init").getFirst(), "lora", Projection.none())) {
                assertThat(loss(start.model())).isCloseTo(bare, within(1e-5));
                assertThat(start.features().blocks())
                        .allMatch(block -> block.name().endsWith("lora_B"));
            }
            double end;
            try (Subject last = lineage.at(lineage.points("final").getFirst(), "lora", Projection.none())) {
                end = loss(last.model());
                assertThat(end).isLessThan(bare - 0.1);
                assertThat(last.features().blocks()).hasSize(28);
            }
            assertThat(loss(lineage.model())).isEqualTo(bare);
            assertThat(lineage.<Double>tuned(LineageTest::loss)).isCloseTo(end, within(1e-6));
            assertThat(loss(lineage.model())).isEqualTo(bare);
            try (Adapter adapter = Adapter.load(run.adapter(), lineage.model().decoder())) {
                assertThat(lineage.adapterDigest()).isEqualTo(adapter.digest());
            }
            assertThatThrownBy(() -> lineage.at(lineage.points("init").getFirst(), "all", Projection.none()))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage("--sites 'all': a model with adapters has the sites 'lora' only");
        }
    }

    @Test
    void adaptersWithoutARunAreALineageInTheirOrder() {
        Run run = finetuned();
        List<Path> adapters = List.of(run.file(run.checkpoints().get(1)), run.adapter());
        try (Lineage lineage = Lineage.of(run.model(), adapters, CONFIG, 3, Precision.F32)) {
            assertThat(lineage.points("all"))
                    .containsExactly(new Point("init", 0, 1), new Point("000001", 1, 1), new Point("final", 2, 1));
            assertThat(lineage.points("auto")).extracting(Point::name).containsExactly("init", "000001");
        }
        try (Lineage lineage = Lineage.of(run.model(), List.of(), CONFIG, 3, Precision.F32)) {
            assertThat(lineage.points("auto")).extracting(Point::name).containsExactly("init");
            assertThat(lineage.adapterDigest()).isNull();
            assertThatThrownBy(() -> lineage.points("final"))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage(
                            "--checkpoints 'final': there is no checkpoint 'final'; there are [init], or use auto, init, final, all");
        }
    }

    @Test
    void aRunWhoseModelChangedIsRefused() {
        Run run = finetuned();
        TinyModels.LLAMA.write(directory.resolve("model"), 18);
        assertThatThrownBy(() -> Lineage.of(run, Precision.F32))
                .isInstanceOf(UserInputException.class)
                .hasMessageStartingWith("%s is not the model of run %s: its digest is sha256:"
                        .formatted(directory.resolve("model"), run.directory()))
                .hasMessageEndingWith(", the run was made with " + run.modelDigest());
    }

    private static double loss(LanguageModel model) {
        return Scorer.loss(SAID, new Scorer(model.decoder()).logProbabilities(SAID));
    }

    private Run finetuned() {
        try (LanguageModel model = TinyModels.LLAMA.open(directory.resolve("model"), Precision.F32);
                LoraRecipe recipe = LoraRecipe.of(model, CONFIG)) {
            return train(recipe, model.path(), model.digest(), "llama", CONFIG);
        }
    }

    private Run trained() {
        Engine.start(1);
        try (Tokenizer tokenizer = TinyModels.tokenizer();
                ScratchRecipe recipe = ScratchRecipe.of("gpt:2-16-2", tokenizer, 64)) {
            return train(recipe, directory.resolve("run"), "none", "gpt:2-16-2", null);
        }
    }

    private Run train(Recipe recipe, Path model, String digest, String architecture, @Nullable LoraConfig config) {
        List<Sequence> rows = IntStream.range(0, 16)
                .mapToObj(i -> new Sequence(SAID.tokens(), 2))
                .toList();
        TrainingPlan plan = new TrainingPlan(3, 4, 0.02, Schedule.CONSTANT, 0, 0, 1, 3, 0, 7);
        Training.Facts facts = new Training.Facts(
                model,
                digest,
                architecture,
                config,
                new Run.TextSettings("none", "all", 64, false),
                directory.resolve("data.jsonl"),
                "sha256:data",
                Map.of());
        return new Training(recipe, rows, plan, Progress.SILENT)
                .run(directory.resolve("run"), facts)
                .run();
    }
}
