package dev.ascribe.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.Result;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ResultJsonTest {

    static List<Result> results() {
        return List.of(
                Stories.traced(),
                Stories.recorded("rows.jsonl"),
                Stories.bare(),
                Stories.several(),
                Stories.proof(),
                Stories.refuted());
    }

    @ParameterizedTest
    @MethodSource("results")
    void whatIsWrittenIsReadBackEqual(Result result) {
        String json = ResultJson.write(result);
        Result read = ResultJson.parse(json, "test");
        assertThat(read).isEqualTo(result);
        assertThat(ResultJson.write(read)).isEqualTo(json);
    }

    @ParameterizedTest
    @MethodSource("results")
    void theSchemaComesFirstAndTheProvenanceLast(Result result) {
        String json = ResultJson.write(result);
        assertThat(json).startsWith("{\n  \"schema\": \"" + result.schema() + "\",\n");
        assertThat(json.substring(json.lastIndexOf("\n  \"")))
                .startsWith("\n  \"provenance\": {")
                .endsWith("\n}\n");
    }

    @Test
    void theKeysAreThoseOfTheContract() {
        assertThat(ResultJson.write(Stories.traced()).replaceAll("\\s+", " "))
                .startsWith("{ \"schema\": \"ascribe/attribution/1\", \"method\": { \"name\": \"gradient-cosine\",")
                .contains("\"scale\": \"cosine\", \"queries\": [ { \"query\": { \"prompt\": ")
                .contains("\"loss\": 0.1183, \"influences\": [ { \"rank\": 1, \"row\": 57, \"id\": \"sha256:")
                .contains("\"score\": 0.8421, \"text\": \"What is known")
                .contains("\"harmful\": [ {", "\"candidates\": { \"strategy\": \"all\", \"count\": 197 }")
                .contains(
                        "\"tokens\": [ { \"text\": \"The\", \"logprob\": -0.002, \"influences\": [ { \"row\": 88, \"score\": 0.004 } ] }")
                .contains("\"fidelity\": { \"measure\": \"lds\", \"value\": 0.412, \"low\": 0.371, \"high\": 0.453 }");
        assertThat(ResultJson.write(Stories.bare()))
                .contains("\"fidelity\": null,", "\"loss\": null,")
                .doesNotContain("\"tokens\"", "\"ranks\"");
        assertThat(ResultJson.write(Stories.proof()).replaceAll("\\s+", " "))
                .contains("\"removed\": [ 57, 102,", "\"seeds\": [ 0, 1, 2, 3, 4 ], \"lossWithAll\": [ 0.118,")
                .contains("\"lossWithoutNamed\": [", "\"lossWithoutRandom\": [")
                .contains("\"effect\": { \"mean\": 1.568, \"low\": 1.402, \"high\": 1.733, \"unit\": \"nats\" }")
                .contains("\"outputWithAll\": \"The", "\"outputWithoutNamed\": \"The", "\"verdict\": \"shown\"")
                .doesNotContain("\"shown\":");
    }

    @Property
    void everyFiniteDoubleComesBackExactly(@ForAll double score) {
        Attribution read = (Attribution) ResultJson.parse(ResultJson.write(scored(score)), "test");
        assertThat(read.queries().getFirst().influences().getFirst().score()).isEqualTo(score);
    }

    @Property
    void everyTextComesBackThroughUtf8(@ForAll String text) {
        String json = ResultJson.write(Stories.saying(text, text, text));
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        assertThat(ResultJson.parse(new String(bytes, StandardCharsets.UTF_8), "test"))
                .isEqualTo(Stories.saying(text, text, text));
    }

    @Test
    void halfASurrogatePairComesBackThroughUtf8() {
        Attribution odd = Stories.saying("\uD83D", "\uDE00\uD83D \uD83D\uDE00", "\uD800");
        byte[] bytes = ResultJson.write(odd).getBytes(StandardCharsets.UTF_8);
        assertThat(ResultJson.parse(new String(bytes, StandardCharsets.UTF_8), "test"))
                .isEqualTo(odd);
    }

    @Test
    void aNumberThatIsNotFiniteIsRefusedWithItsPlace() {
        assertThatThrownBy(() -> ResultJson.write(scored(Double.NaN)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "queries[0].influences[0].score = NaN is not a finite number and cannot be written as JSON");
        assertThatThrownBy(() -> parse(Stories.traced(), "0.8421", "1e999"))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("queries[0].influences[0].score");
    }

    @Test
    void aMapWithoutOrderIsWrittenInTheOrderOfItsKeys() {
        Map<String, Object> settings = Map.of("b", 1, "a", 2, "d", 3, "c", Map.of("z", 1, "y", 2));
        Attribution result =
                new Attribution(settings, "dot", List.of(), null, Stories.bare().provenance());
        assertThat(ResultJson.write(result).replaceAll("\\s", ""))
                .contains("\"method\":{\"a\":2,\"b\":1,\"c\":{\"y\":2,\"z\":1},\"d\":3}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "scale": "cosine"      | "scale": "cosine", "colour": 1 | colour
            "scale": "cosine",     |                                | scale
            "scale": "cosine"      | "scale": null                  | scale
            "scale": "cosine"      | "scale": 7                     | scale
            "rank": 1,             | "rank": 1.5,                   | queries[0].influences[0].rank
            "rank": 1,             | "rank": null,                  | queries[0].influences[0].rank
            "rank": 1,             | "rank": 1, "rank": 2,          | rank
            "count": 197           | "count": 197, "total": 3       | queries[0].candidates.total
            "id": "sha256:         | "id": "sha512:                 | is not a sample id
            ascribe/attribution/1  | ascribe/attribution/2          | "ascribe/attribution/2" is not known
            "schema":              | "kind":                        | schema null is not known
            """)
    void aDocumentThatIsNotExactlyRightIsRefusedByName(String from, String to, String named) {
        assertThatThrownBy(() -> parse(Stories.traced(), from, to == null ? "" : to))
                .isInstanceOf(UserInputException.class)
                .hasMessageStartingWith("result.json: ")
                .hasMessageContaining(named);
    }

    @Test
    void aRowsLedgerIsAFieldOfItsInfluenceAndOnlyThereWhenOneWasAsked() {
        assertThat(ResultJson.write(Stories.recorded("a")).replaceAll("\\s+", " "))
                .contains("\"ledger\": { \"origin\": \"example.com/log\", \"size\": 5012, \"commitment\": \"9f9f")
                .contains(
                        "\"events\": 14, \"first\": 33, \"last\": 5009, \"story\": [ \"2025-11-21 10:17:00 ingested from a\"");
        assertThat(ResultJson.write(Stories.traced())).doesNotContain("\"ledger\"");
    }

    @Test
    void brokenJsonIsNamedByLineAndColumn() {
        assertThatThrownBy(() -> parse(Stories.proof(), "\"seeds\":", "\"seeds\""))
                .isInstanceOf(UserInputException.class)
                .hasMessageMatching("(?s)result.json: line \\d+, column \\d+: .*");
        for (String text : List.of("", "[]", "7", "{} {}")) {
            assertThatThrownBy(() -> ResultJson.parse(text, "result.json"))
                    .isInstanceOf(UserInputException.class)
                    .hasMessageStartingWith("result.json: ");
        }
    }

    @Test
    void aFileIsReadAsUtf8(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("result.json");
        Files.writeString(file, ResultJson.write(Stories.proof()));
        assertThat(ResultJson.read(file)).isEqualTo(Stories.proof());
        Files.write(file, new byte[] {'{', (byte) 0xff, '}'});
        assertThatThrownBy(() -> ResultJson.read(file)).hasMessageContaining("is not UTF-8");
        assertThatThrownBy(() -> ResultJson.read(folder.resolve("none.json")))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("none.json does not exist");
    }

    private static Result parse(Result result, String from, String to) {
        String json = ResultJson.write(result);
        assertThat(json).contains(from);
        return ResultJson.parse(json.replaceFirst(java.util.regex.Pattern.quote(from), to), "result.json");
    }

    private static Attribution scored(double score) {
        Influence influence = new Influence(1, 0, Stories.id("a"), score, "a", null);
        return Stories.attribution(
                List.of(new Attribution.Query(
                        Stories.map("prompt", "?"),
                        null,
                        List.of(influence),
                        List.of(),
                        new Attribution.Candidates("all", 1),
                        null)),
                null);
    }

    @Test
    void severalDocumentsInOneFileAreRefusedInWords() {
        assertThatThrownBy(() -> ResultJson.parse("{\"a\": 1}\n{\"b\": 2}\n", "rows.jsonl"))
                .isInstanceOf(UserInputException.class)
                .hasMessage("rows.jsonl: more follows the document; give a file that holds one, as trace and prove"
                        + " write it with --json");
    }
}
