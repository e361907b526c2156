package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.Corpus;
import dev.ascribe.Digests;
import dev.ascribe.SampleId;
import dev.ascribe.corpus.Corpora;
import dev.ascribe.corpus.CorpusOptions;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.EventBody;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.LedgerReader;
import dev.ascribe.torch.train.Checkpoint;
import dev.ascribe.torch.train.Recording;
import dev.ascribe.torch.train.Run;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerRecordingTest {
    private static final int EPOCHS = 2;
    private static final int KILLS = 4;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path home;

    @SuppressWarnings("NullAway.Init")
    private static SmallRun small;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private Path ledger = Path.of("");
    private Path keys = Path.of("");

    @BeforeAll
    static void make() throws IOException {
        small = SmallRun.in(home);
    }

    @BeforeEach
    void makeALedger() throws IOException {
        ledger = ledger("ledger");
        keys = folder.resolve("ledger.vkeys");
    }

    private Path ledger(String name) throws IOException {
        Path made = folder.resolve(name);
        Call call = Call.of(
                "ledger", "init", made, "--origin", "example.com/" + name, "--guard", folder.resolve(name + ".guard"));
        assertThat(call.code()).as(call.err()).isZero();
        Files.writeString(folder.resolve(name + ".vkeys"), call.out());
        return made;
    }

    private static List<Object> finetune(Path out, int epochs, Object... more) {
        List<Object> words = new ArrayList<>(List.of(
                "finetune",
                "--model",
                small.model(),
                "--data",
                small.data(),
                "--rank",
                2,
                "--validation",
                0.25,
                "--batch",
                5,
                "--checkpoints",
                2,
                "--epochs",
                epochs,
                "--out",
                out));
        words.addAll(List.of(more));
        return words;
    }

    private static Call call(List<Object> words) {
        return Call.of(words.toArray());
    }

    private static Run recorded(Path out, Path ledger) {
        Call call = call(finetune(out, EPOCHS, "--ledger", ledger));
        assertThat(call.code()).as(call.err()).isZero();
        return Run.open(out);
    }

    private static UUID uuid(Run run) {
        return Objects.requireNonNull(run.recording()).run();
    }

    private static List<LedgerReader.Logged> history(LedgerReader reader, SampleId id) {
        return reader.history(reader.commitment(id).orElseThrow());
    }

    private static List<EventBody> bodies(List<LedgerReader.Logged> history) {
        return history.stream().map(logged -> logged.event().body()).toList();
    }

    private static Corpus corpus() {
        return Corpora.open(small.data(), CorpusOptions.strict());
    }

    @Test
    void everyRowIsTakenInTokenisedDividedAndInOneBatchAnEpoch() throws IOException {
        Run run = recorded(folder.resolve("run"), ledger);
        LedgerReader reader = LedgerReader.open(ledger);
        TreeSet<String> places = new TreeSet<>();
        try (Corpus corpus = corpus()) {
            for (int row = 0; row < corpus.size(); row++) {
                List<LedgerReader.Logged> history = history(reader, corpus.id(row));
                assertThat(history).allMatch(logged -> logged.event().run().equals(uuid(run)));
                List<EventBody> bodies = bodies(history);
                assertThat(bodies.getFirst()).isEqualTo(new EventBody.Ingest("rows.jsonl"));
                assertThat(bodies.get(1)).isInstanceOfSatisfying(EventBody.Transform.class, transform -> {
                    assertThat(transform.kind()).isEqualTo("tokenize");
                    assertThat(transform.detail())
                            .isEqualTo(
                                    "13 tokens, 6 to be predicted; template auto, loss response, at most 512 tokens");
                });
                boolean learned = run.trainRows().contains(row);
                assertThat(bodies.get(2)).isInstanceOfSatisfying(EventBody.Transform.class, transform -> {
                    assertThat(transform.kind()).isEqualTo("split");
                    assertThat(transform.detail()).isEqualTo(learned ? "to be learned" : "held out for validation");
                });
                assertThat(bodies).hasSize(learned ? 3 + EPOCHS : 3);
                for (int epoch = 1; learned && epoch <= EPOCHS; epoch++) {
                    EventBody.Batch batch = (EventBody.Batch) bodies.get(2 + epoch);
                    assertThat(batch.epoch()).isEqualTo(epoch);
                    assertThat(places.add("%03d %03d".formatted(batch.step(), batch.position())))
                            .isTrue();
                }
            }
        }
        // 12 rows in batches of 5: three steps an epoch, the place of each row its own
        assertThat(places).hasSize(12 * EPOCHS).contains("001 000", "001 004", "006 000");
        SampleId file = SampleId.parse(Digests.ofFile(small.data()));
        assertThat(bodies(history(reader, file))).containsExactly(new EventBody.Ingest("rows.jsonl"));
        assertHolds();
    }

    private void assertHolds() {
        Call whole = Call.of("ledger", "verify", "--tiles", ledger, "--key", "@" + keys);
        assertThat(whole.out()).as(whole.err()).startsWith("holds: ");
    }

    @Test
    void everyCheckpointIsLoggedWithItsFileItsLossesAndWhetherItIsSelected() throws IOException {
        Run run = recorded(folder.resolve("run"), ledger);
        LedgerReader reader = LedgerReader.open(ledger);
        List<EventBody> bodies = bodies(reader.history(Event.subjectOf(uuid(run))));
        assertThat(bodies).hasSize(run.checkpoints().size() + 1);
        for (int i = 0; i < run.checkpoints().size(); i++) {
            Checkpoint checkpoint = run.checkpoints().get(i);
            EventBody.Checkpoint logged = (EventBody.Checkpoint) bodies.get(i);
            assertThat(logged.model()).isEqualTo(weights(run, checkpoint));
            assertThat(logged.step()).isEqualTo(checkpoint.step());
            assertThat(logged.validationLoss().getAsDouble()).isEqualTo(checkpoint.validationLoss());
            assertThat(logged.selected()).isEqualTo(run.selected().contains(checkpoint));
            if (i > 0) {
                assertThat(logged.trainLoss()).isEqualTo(checkpoint.trainLoss());
            }
        }
        assertThat(bodies.getLast())
                .isEqualTo(new EventBody.Evaluate(
                        "validation-loss",
                        Objects.requireNonNull(run.last().validationLoss()),
                        weights(run, run.last()),
                        Hash.ofDigest(Digests.ofFile(small.data()))));
    }

    private static Hash weights(Run run, Checkpoint checkpoint) throws IOException {
        return Hash.ofDigest(Digests.ofFile(run.file(checkpoint).resolve("adapter_model.safetensors")));
    }

    @Test
    void recordingChangesNoBitOfTheTraining() throws IOException {
        Run with = recorded(folder.resolve("with"), ledger);
        assertThat(call(finetune(folder.resolve("without"), EPOCHS)).code()).isZero();
        Run without = Run.open(folder.resolve("without"));
        assertThat(with.checkpoints()).isEqualTo(without.checkpoints());
        for (Checkpoint checkpoint : with.checkpoints()) {
            assertThat(weights(with, checkpoint)).isEqualTo(weights(without, checkpoint));
        }
        assertThat(without.recording()).isNull();
    }

    /** Kills the process itself, so that what was not durable is lost, and lets the same command go on. */
    @Test
    void aRunThatWasKilledAgainAndAgainIsLoggedAsOneThatWasNot() throws IOException, InterruptedException {
        int epochs = 150; // 450 steps, some seconds
        Path whole = ledger("whole");
        Call call = call(finetune(folder.resolve("uninterrupted"), epochs, "--ledger", whole));
        assertThat(call.code()).as(call.err()).isZero();
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Path out = folder.resolve("run");
        int kills = 0;
        while (kills < KILLS && !Files.exists(out.resolve("run.json"))) {
            Process process = start(finetune(out, epochs, "--ledger", ledger));
            while (process.isAlive() && !Files.exists(out.resolve(".recording.json"))) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(kills == 0 ? 200 : 3000));
            kills += process.isAlive() ? 1 : 0;
            process.destroyForcibly().waitFor();
        }
        assertThat(kills).isPositive();
        call = call(finetune(out, epochs, "--ledger", ledger));
        assertThat(call.code()).as(call.err()).isZero();
        assertThat(Run.open(out).checkpoints())
                .isEqualTo(Run.open(folder.resolve("uninterrupted")).checkpoints());
        LedgerReader killed = LedgerReader.open(ledger);
        LedgerReader not = LedgerReader.open(whole);
        try (Corpus corpus = corpus()) {
            for (int row = 0; row < corpus.size(); row++) {
                assertThat(withoutParents(history(killed, corpus.id(row))))
                        .isEqualTo(withoutParents(history(not, corpus.id(row))));
            }
        }
        assertThat(bodies(killed.history(Event.subjectOf(uuid(Run.open(out))))))
                .isEqualTo(bodies(not.history(Event.subjectOf(uuid(Run.open(folder.resolve("uninterrupted")))))));
        assertHolds();
    }

    /** Parents are commitments, which differ from ledger to ledger. */
    private static List<EventBody> withoutParents(List<LedgerReader.Logged> history) {
        return bodies(history).stream()
                .map(body -> body instanceof EventBody.Transform transform
                        ? new EventBody.Transform(transform.kind(), List.of(), transform.detail())
                        : body)
                .toList();
    }

    private static Process start(List<Object> words) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        words.forEach(word -> command.add(word.toString()));
        return new ProcessBuilder(command)
                .redirectError(Redirect.DISCARD)
                .redirectOutput(Redirect.DISCARD)
                .start();
    }

    @Test
    void aRunCannotChangeItsLedgerNorBeginOneAfterwards() throws IOException {
        Path out = folder.resolve("run");
        recorded(out, ledger);
        Call other = call(finetune(out, EPOCHS, "--ledger", ledger("other")));
        assertThat(other.code()).isEqualTo(2);
        assertThat(other.err()).contains(out + " is recorded in the ledger of example.com/ledger+");
        long size = LedgerReader.open(ledger).checkpoint().size();
        assertThat(call(finetune(out, EPOCHS, "--ledger", ledger)).code()).isZero();
        assertThat(LedgerReader.open(ledger).checkpoint().size()).isEqualTo(size);
        Path without = folder.resolve("without");
        assertThat(call(finetune(without, EPOCHS)).code()).isZero();
        Call late = call(finetune(without, EPOCHS, "--ledger", ledger));
        assertThat(late.code()).isEqualTo(2);
        assertThat(late.err()).contains("was begun without --ledger");
        assertThat(Recording.of(without)).isEmpty();
    }

    @Test
    void trainingFromScratchIsRecordedToo() throws IOException {
        Path out = folder.resolve("scratch");
        Call call = Call.of(
                "train",
                "--arch",
                "gpt:1-8-2",
                "--epochs",
                2,
                "--max-tokens",
                24,
                "--data",
                small.data(),
                "--out",
                out,
                "--ledger",
                ledger);
        assertThat(call.code()).as(call.err()).isZero();
        Run run = Run.open(out);
        List<EventBody> bodies = bodies(LedgerReader.open(ledger).history(Event.subjectOf(uuid(run))));
        EventBody.Checkpoint last =
                (EventBody.Checkpoint) bodies.get(run.checkpoints().size() - 1);
        assertThat(last.model())
                .isEqualTo(Hash.ofDigest(Digests.ofFile(run.model().resolve("model.safetensors"))));
        assertHolds();
    }

    @Test
    void aTraceLogsWhatItFoundAndShowsEachRowsHistoryWithItsProof() throws IOException {
        Run run = recorded(folder.resolve("run"), ledger);
        Path page = folder.resolve("trace.html");
        Call call = Call.of(
                "trace",
                "--run",
                run.directory(),
                "--prompt",
                SmallRun.QUESTION,
                "--output",
                " Frau Müller",
                "--top",
                3,
                "--ledger",
                ledger,
                "--html",
                page,
                "--json");
        assertThat(call.code()).as(call.err()).isZero();
        JsonNode influences = new ObjectMapper().readTree(call.out()).at("/queries/0/influences");
        assertThat(influences).hasSize(3);
        LedgerReader reader = LedgerReader.open(ledger);
        for (JsonNode influence : influences) {
            JsonNode told = influence.get("ledger");
            List<LedgerReader.Logged> history =
                    history(reader, SampleId.parse(influence.get("id").asText()));
            assertThat(told.get("events").asInt()).isEqualTo(history.size());
            assertThat(told.get("first").asLong()).isEqualTo(history.getFirst().index());
            assertThat(told.get("last").asLong()).isEqualTo(history.getLast().index());
            assertThat(told.get("commitment").asText())
                    .isEqualTo(history.getFirst().event().subject().toString());
            assertThat(told.get("story").get(0).asText()).contains("ingested from rows.jsonl");
            assertThat(history.getLast().event().run()).isEqualTo(uuid(run));
            EventBody.Contribution contribution =
                    (EventBody.Contribution) history.getLast().event().body();
            assertThat(contribution.score()).isEqualTo(influence.get("score").asDouble());
            assertThat(contribution.method()).isEqualTo("gradient-cosine");
            assertThat(contribution.checkpoints()).contains(weights(run, run.start()));
            Path proof = Files.writeString(
                    folder.resolve("row.tlog-proof"), told.get("proof").asText());
            Call verified = Call.of(
                    "ledger",
                    "verify",
                    proof,
                    "--key",
                    "@" + keys,
                    "--sample",
                    influence.get("id").asText());
            assertThat(verified.out()).as(verified.err()).startsWith("holds: ");
        }
        assertThat(Files.readString(page))
                .contains("In the ledger: ", "ingested from rows.jsonl", "c2sp.org/tlog-proof@v1");
        Call again = Call.of(
                "trace",
                "--run",
                run.directory(),
                "--prompt",
                SmallRun.QUESTION,
                "--output",
                " Frau Müller",
                "--top",
                16,
                "--method",
                "bm25",
                "--ledger",
                ledger);
        assertThat(again.out())
                .contains("What the ledger says of them", "helped the answer to query", "(bm25)", "(gradient-cosine)");
        assertHolds();
    }

    @Test
    void rowsThatALedgerDoesNotKnowAreTakenInBeforeTheyContribute() throws IOException {
        Call call = Call.of(
                "trace",
                "--run",
                small.run(),
                "--index",
                small.index(),
                "--prompt",
                SmallRun.QUESTION,
                "--output",
                " Frau",
                "--top",
                2,
                "--ledger",
                ledger,
                "--json");
        assertThat(call.code()).as(call.err()).isZero();
        JsonNode told = new ObjectMapper().readTree(call.out()).at("/queries/0/influences/0/ledger");
        assertThat(told.get("events").asInt()).isEqualTo(2);
        assertHolds();
    }

    @Test
    void aTraceRefusesALedgerThatTheRunIsNotRecordedIn() throws IOException {
        Run run = recorded(folder.resolve("run"), ledger);
        Path other = ledger("other");
        Call call = Call.of(
                "trace",
                "--run",
                run.directory(),
                "--prompt",
                SmallRun.QUESTION,
                "--output",
                " Frau",
                "--ledger",
                other);
        assertThat(call.code()).isEqualTo(2);
        assertThat(call.err()).contains("the run is recorded in the ledger of example.com/ledger+");
        assertThat(LedgerReader.open(other).checkpoint().size()).isEqualTo(2);
    }
}
