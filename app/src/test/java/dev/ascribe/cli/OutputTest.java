package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path home;

    @SuppressWarnings("NullAway.Init")
    private static SmallRun small;

    @BeforeAll
    static void make() throws IOException {
        small = SmallRun.in(home);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "doctor",
                "finetune",
                "train",
                "generate",
                "score",
                "index",
                "index verify",
                "index append",
                "trace",
                "prove",
                "report",
                "receipt",
                "receipt verify"
            })
    void everyVerbHasHelpWithAnExample(String verb) {
        List<Object> words = new ArrayList<>(List.of((Object[]) verb.split(" ", -1)));
        words.add("--help");
        Call call = Call.of(words.toArray());
        assertThat(call.code()).isZero();
        assertThat(call.out()).contains("Usage: ascribe " + verb, "Example: ascribe " + verb, "--debug");
        assertThat(call.err()).isEmpty();
    }

    @Test
    void theVersionIsAResult() {
        Call call = Call.of("--version");
        assertThat(call.code()).isZero();
        assertThat(call.out()).startsWith("ascribe ");
    }

    @Test
    void onlyDebugShowsAStackTrace() {
        assertThat(Call.of("score", "--model", "nowhere", "--data", small.data())
                        .err())
                .doesNotContain("\tat ");
        assertThat(Call.of("score", "--model", "nowhere", "--data", small.data(), "--debug")
                        .err())
                .contains("\tat dev.ascribe.");
    }

    @Test
    void everyDocumentBeginsWithItsSchemaEndsWithProvenanceAndIsFinite() throws IOException {
        document("score", Call.of("score", "--model", small.model(), "--data", small.data(), "--json"));
        document("generate", Call.of("generate", "--model", small.model(), "--prompt", SmallRun.QUESTION, "--json"));
        document(
                "attribution",
                Call.of(
                        "trace",
                        "--run",
                        small.run(),
                        "--prompt",
                        SmallRun.QUESTION,
                        "--output",
                        " Frau Müller",
                        "--per-token",
                        "--json"));
    }

    private static void document(String kind, Call call) throws IOException {
        assertThat(call.code()).as(call.err()).isZero();
        JsonNode json = new ObjectMapper().readTree(call.out()); // refuses NaN
        List<String> keys = new ArrayList<>();
        json.fieldNames().forEachRemaining(keys::add);
        assertThat(keys.getFirst()).isEqualTo("schema");
        assertThat(json.get("schema").asText()).isEqualTo("ascribe/" + kind + "/1");
        assertThat(keys.getLast()).isEqualTo("provenance");
        assertThat(json.at("/provenance/model").asText()).startsWith("sha256:");
        assertThat(json.at("/provenance/seconds").isNumber()).isTrue();
        assertThat(call.out()).doesNotContain("\"NaN\"", "Infinity");
    }

    @Test
    void lettersBeyondAsciiArriveAsTheyAre() {
        Call call = Call.of("score", "--model", small.model(), "--data", small.data(), "--json");
        assertThat(call.out()).contains("Müller");
    }

    @Test
    void optionsThatSomethingElseDecidesAreSaidToBeIgnored() {
        Call call = Call.of(
                "trace",
                "--index",
                small.index(),
                "--max-tokens",
                5,
                "--prompt",
                SmallRun.QUESTION,
                "--output",
                "Frau");
        assertThat(call.code()).as(call.err()).isZero();
        assertThat(call.err()).contains("warning: --max-tokens is ignored");
    }

    @Test
    void aQueryThatIsTooLongIsSaidToBeCut() {
        Call call = Call.of("trace", "--run", small.run(), "--prompt", "Who", "--output", " lives".repeat(99));
        assertThat(call.code()).as(call.err()).isZero();
        assertThat(call.err()).contains("the query", "longer than " + SmallRun.CONTEXT + " tokens");
    }
}
