package dev.ascribe.torch.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.Progress;
import dev.ascribe.Proof;
import dev.ascribe.Provenance;
import dev.ascribe.UserInputException;
import dev.ascribe.corpus.Corpora;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Encoder;
import dev.ascribe.torch.text.Loss;
import dev.ascribe.torch.text.Template;
import dev.ascribe.torch.text.Tokenizer;
import dev.ascribe.torch.train.Dataset;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.Schedule;
import dev.ascribe.torch.train.ScratchRecipe;
import dev.ascribe.torch.train.Training;
import dev.ascribe.torch.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small network learns that a is one and b is two; rows 0 and 1 alone say that c is nine. */
class RemovalTest {
    private static final List<Integer> PLANTED = List.of(0, 1);
    private static final int ROWS = 12;
    private static final Content.Completion SAID = new Content.Completion("c is", " nine");

    @TempDir
    private Path directory;

    private final Corpus corpus = Corpora.of("rows", contents());
    private final Tokenizer tokenizer =
            Tokenizer.wordLevel(contents().stream().map(Content::words).toList());
    private final ScratchRecipe recipe = recipe();
    private final Dataset data = Dataset.of(corpus, Encoder.of(tokenizer, Template.Named.NONE, Loss.RESPONSE, 16));
    private final Set<String> jobs = new LinkedHashSet<>();
    private final Progress progress = (job, done, total) -> jobs.add(job);
    private final Provenance provenance =
            new Provenance(null, null, null, null, Map.of(), 0, Map.of(), "2026-01-01T00:00:00Z", 0);

    private Run run = run();

    private static List<Content.Completion> contents() {
        List<Content.Completion> contents = new ArrayList<>();
        for (int i = 0; i < ROWS; i++) {
            contents.add(
                    PLANTED.contains(i)
                            ? SAID
                            : new Content.Completion(i % 2 == 0 ? "a is" : "b is", i % 2 == 0 ? " one" : " two"));
        }
        return contents;
    }

    private ScratchRecipe recipe() {
        Engine.start(1);
        return ScratchRecipe.of("gpt:1-16-2", tokenizer, 16);
    }

    private Run run() {
        TrainingPlan plan = new TrainingPlan(30, ROWS, 0.02, Schedule.CONSTANT, 0, 0, 1, 1, 0, 5);
        return new Run(
                Path.of("unset"),
                Run.Kind.TRAIN,
                Path.of("unset"),
                "none",
                "gpt:1-16-2",
                null,
                new Run.TextSettings("none", "response", 16, false),
                plan,
                List.of(),
                List.of(),
                List.of(),
                Path.of("rows"),
                corpus.digest(),
                Map.of());
    }

    @BeforeEach
    void train() {
        Training.Facts facts = new Training.Facts(
                directory.resolve("run"),
                "none",
                run.architecture(),
                null,
                run.text(),
                directory.resolve("rows"),
                corpus.digest(),
                Map.of());
        run = new Training(recipe, data.rows(), run.plan(), Progress.SILENT)
                .run(directory.resolve("run"), facts)
                .run();
    }

    @AfterEach
    void close() {
        recipe.close();
        tokenizer.close();
        corpus.close();
    }

    @Test
    void theRowsThatTaughtAnAnswerAreProvedAndOthersAreNot() {
        int seeds = 4;
        Proof proof = prove(SAID, PLANTED, seeds, progress);
        assertThat(proof.verdict()).as(proof.reason()).isEqualTo(Proof.SHOWN);
        assertThat(proof.shown()).isTrue();
        assertThat(proof.removed()).isEqualTo(PLANTED);
        assertThat(proof.seeds()).containsExactly(5L, 6L, 7L, 8L);
        assertThat(proof.effect().low()).isPositive();
        assertThat(proof.effect().mean())
                .isCloseTo(
                        IntStream.range(0, seeds)
                                .mapToDouble(i -> proof.lossWithoutNamed().get(i)
                                        - proof.lossWithoutRandom().get(i))
                                .average()
                                .orElseThrow(),
                        within(1e-12));
        assertThat(proof.outputWithAll().strip()).isEqualTo("nine");
        assertThat(proof.outputWithoutNamed()).doesNotContain("nine");
        assertThat(proof.outputs()).containsOnlyKeys("all", "withoutNamed", "withoutRandom", "withoutMatched");
        assertThat(proof.outputs().values()).allMatch(outputs -> outputs.size() == seeds);
        Proof other = prove(SAID, List.of(4, 6), seeds, progress);
        assertThat(other.verdict()).isEqualTo(Proof.NOT_SHOWN);
        assertThat(other.lossWithAll()).isEqualTo(proof.lossWithAll());
    }

    @Test
    void everyRetrainingIsKeptAndDoneOnce() throws IOException {
        Proof proof = prove(SAID, PLANTED);
        assertThat(jobs)
                .containsExactly(
                        "retraining 1 of 4, all rows",
                        "retraining 2 of 4, without the named rows",
                        "retraining 3 of 4, without random rows",
                        "retraining 4 of 4, without rows matched by words");
        jobs.clear();
        assertThat(prove(SAID, PLANTED)).isEqualTo(proof);
        assertThat(jobs).isEmpty();
        // Other rows share the trainings on all rows, which need not be done again.
        prove(SAID, List.of(4, 6));
        assertThat(jobs)
                .doesNotContain("retraining 1 of 4, all rows")
                .contains("retraining 2 of 4, without the named rows");
    }

    @Test
    void anInterruptedProofGoesOnAndEndsAsAnUninterruptedOne() throws IOException {
        int[] steps = {0};
        Progress killing = (job, done, total) -> {
            if (job.startsWith("retraining 4") && ++steps[0] == 3) {
                throw new IllegalStateException("killed");
            }
        };
        assertThatThrownBy(() -> prove(SAID, PLANTED, 1, killing)).hasMessage("killed");
        Path proofs = run.directory().resolve("proofs");
        try (Stream<Path> kept = Files.list(proofs)) {
            assertThat(kept).hasSize(3);
        }
        Proof resumed = prove(SAID, PLANTED);
        assertThat(jobs).containsExactly("retraining 4 of 4, without rows matched by words");
        try (Stream<Path> kept = Files.list(proofs)) {
            for (Path file : kept.toList()) {
                Files.delete(file);
            }
        }
        assertThat(prove(SAID, PLANTED)).isEqualTo(resumed);
    }

    @Test
    void anotherAnswerIsAnotherProof() {
        prove(SAID, PLANTED);
        jobs.clear();
        prove(new Content.Completion("c is", " two"), PLANTED);
        assertThat(jobs).hasSize(4);
    }

    @Test
    void damageToAKeptResultIsNamed() throws IOException {
        prove(SAID, PLANTED);
        Path file;
        try (Stream<Path> kept = Files.list(run.directory().resolve("proofs"))) {
            file = kept.sorted().findFirst().orElseThrow();
        }
        Files.writeString(file, "{\"loss\": ");
        assertThatThrownBy(() -> prove(SAID, PLANTED))
                .isInstanceOf(UserInputException.class)
                .hasMessageStartingWith(file + " is damaged: ")
                .hasMessageEndingWith("; remove it");
    }

    @Test
    void whatCannotBeComparedIsRefused() {
        assertThatThrownBy(() -> prove(SAID, IntStream.range(0, 6).boxed().toList()))
                .isInstanceOf(UserInputException.class)
                .hasMessage("6 of 12 rows cannot be removed and as many random ones compared; use a lower --remove");
        Removal removal = new Removal(run, recipe, data, progress);
        assertThatThrownBy(() -> removal.prove(query(SAID), PLANTED, order(), 0, () -> provenance))
                .isInstanceOf(UserInputException.class)
                .hasMessage("--seeds 0 must be at least 1");
        int once = data.rows().stream().mapToInt(Sequence::length).sum();
        assertThat(removal.tokens(3)).isEqualTo((long) once * 30 * 3 * 4);
    }

    private Proof prove(Content.Completion said, List<Integer> named) {
        return prove(said, named, 1, progress);
    }

    private Proof prove(Content.Completion said, List<Integer> named, int seeds, Progress told) {
        return new Removal(run, recipe, data, told).prove(query(said), named, order(), seeds, () -> provenance);
    }

    private static Tracer.Query query(Content.Completion said) {
        return new Tracer.Query(said, Map.of("prompt", said.prompt(), "output", said.completion()));
    }

    private static int[] order() {
        int[] order = new int[ROWS];
        Arrays.setAll(order, i -> i);
        return order;
    }
}
