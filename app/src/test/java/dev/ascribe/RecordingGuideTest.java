package dev.ascribe;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.corpus.Corpora;
import dev.ascribe.corpus.CorpusOptions;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.EventBody;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.Ledger;
import dev.ascribe.ledger.LedgerReader;
import dev.ascribe.ledger.Recorder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.UUID;
import java.util.function.IntFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code docs/recording.md} shows is what works. */
class RecordingGuideTest {
    private static final Path PAGE = Path.of("..", "docs", "recording.md");
    private static final Path THIS = Path.of("src/test/java/dev/ascribe/RecordingGuideTest.java");

    @TempDir
    private Path folder;

    private static String block(String language) throws IOException {
        return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(PAGE))
                .results()
                .findFirst()
                .orElseThrow()
                .group(1);
    }

    static Stream<String> vectors() throws IOException {
        return block("json").lines();
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void theIdentitiesOfThePageAreOurs(String vector) throws IOException {
        JsonNode json = new ObjectMapper().readTree(vector);
        Path file = Files.writeString(folder.resolve("row.jsonl"), json.get("row") + "\n");
        try (Corpus corpus = Corpora.open(file, CorpusOptions.strict())) {
            assertThat(corpus.id(0)).hasToString(json.get("id").asText());
        }
    }

    @Test
    void theJavaOfThePageIsTheCodeBelow() throws IOException {
        String source = Files.readString(THIS);
        String shown =
                source.substring(source.lastIndexOf("// shown") + "// shown\n".length(), source.lastIndexOf("// end"));
        assertThat(block("java")).isEqualTo(shown.stripIndent().strip() + "\n");
    }

    @Test
    void theCodeBelowRecordsALoopOnceAlsoWhenItIsRepeated() throws IOException {
        Path ledger = folder.resolve("ledger");
        Ledger.init(ledger, "example.com/loop", List.of(), Optional.of(folder.resolve("guard")));
        Path weights = Files.writeString(folder.resolve("weights"), "w");
        UUID run = new UUID(5, 6);
        List<SampleId> rows = Stream.of("a", "b", "c")
                .map(text -> SampleId.of(text.getBytes(StandardCharsets.UTF_8)))
                .toList();
        IntFunction<List<List<SampleId>>> batches = epoch -> List.of(rows.subList(0, 2), rows.subList(2, 3));
        loop(ledger, run, rows, 2, batches, weights);
        loop(ledger, run, rows, 2, batches, weights);
        LedgerReader reader = LedgerReader.open(ledger);
        assertThat(reader.history(reader.commitment(rows.get(1)).orElseThrow()))
                .extracting(logged -> logged.event().body())
                .containsExactly(
                        new EventBody.Ingest("rows.jsonl"), new EventBody.Batch(1, 1, 1), new EventBody.Batch(2, 3, 1));
        assertThat(reader.history(Event.subjectOf(run))).hasSize(1);
    }

    private static void loop(
            Path ledger,
            UUID run,
            List<SampleId> rows,
            int epochs,
            IntFunction<List<List<SampleId>>> batches,
            Path weights)
            throws IOException {
        // shown
        try (Recorder recorder = Recorder.open(ledger)) {
            recorder.resume(run); // after a crash the same calls again: what is logged is not logged twice
            rows.forEach(row -> recorder.sampleIngested(run, row, "rows.jsonl"));
            long step = 0;
            for (int epoch = 1; epoch <= epochs; epoch++) {
                for (List<SampleId> batch : batches.apply(epoch)) {
                    step++; // here the weights are updated
                    for (int position = 0; position < batch.size(); position++) {
                        recorder.sampleUsed(run, batch.get(position), epoch, step, position);
                    }
                }
            }
            Hash model = Hash.ofDigest(Digests.ofFile(weights));
            recorder.checkpointReached(run, new EventBody.Checkpoint(model, step, 0.7, OptionalDouble.empty(), true));
        } // all of it is durable, and under a signed checkpoint
        // end
    }
}
