package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LedgerCommandTest {
    private static final String SAMPLE = "sha256:" + "ab".repeat(32);
    private static final String OTHER = "sha256:" + "cd".repeat(32);
    private static final UUID RUN = new UUID(3, 4);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path home;

    private Path ledger = Path.of("");
    private Path keys = Path.of("");

    @BeforeEach
    void makeALedger() throws IOException {
        ledger = home.resolve("ledger");
        keys = home.resolve("vkeys");
        Call made = Call.of("ledger", "init", ledger, "--origin", "example.com/t", "--guard", home.resolve("guard"));
        assertThat(made.code()).as(made.err()).isZero();
        assertThat(made.out().lines()).hasSize(2).allMatch(line -> line.startsWith("example.com/t+"));
        Files.writeString(keys, made.out());
    }

    private Path events(String... lines) throws IOException {
        return Files.writeString(home.resolve("events.jsonl"), String.join("\n", lines) + "\n");
    }

    private static String ingest(String sample) {
        return "{\"type\": \"ingest\", \"sample\": \"%s\", \"source\": \"rows.jsonl\"}".formatted(sample);
    }

    private static String batch(String sample, int step) {
        return "{\"type\": \"batch\", \"run\": \"%s\", \"sample\": \"%s\", \"epoch\": 1, \"step\": %d, \"position\": 0}"
                .formatted(RUN, sample, step);
    }

    private static JsonNode json(Call call) throws IOException {
        return new ObjectMapper().readTree(call.out());
    }

    private Call append(Object... more) {
        List<Object> arguments = new ArrayList<>(List.of("ledger", "append", ledger));
        arguments.addAll(List.of(more));
        return Call.of(arguments.toArray());
    }

    @Test
    void eventsAreAcknowledgedWithTheirIndexesAndReadBackAsAStory() throws IOException {
        Call acknowledged = append("--events", events(ingest(SAMPLE), batch(SAMPLE, 1), batch(SAMPLE, 9)), "--ack");
        assertThat(acknowledged.out()).isEqualTo("1 2\n2 3\n3 4\n");
        assertThat(acknowledged.code()).isZero();
        Call history = Call.of("ledger", "history", ledger, "--sample", SAMPLE);
        assertThat(history.code()).isZero();
        assertThat(history.out())
                .contains("all 3 events in the first 6 entries of example.com/t")
                .contains("ingested from rows.jsonl")
                .contains("in 2 batches of run " + RUN + ": epoch 1, steps 1, 9")
                .contains("no log can speak of what was never logged");
        JsonNode document = json(Call.of("ledger", "history", ledger, "--sample", SAMPLE, "--json"));
        assertThat(document.get("schema").asText()).isEqualTo("ascribe/ledger-history/1");
        assertThat(document.get("count").asInt()).isEqualTo(3);
        assertThat(document.get("events").get(2).get("event").get("step").asInt())
                .isEqualTo(9);
        assertThat(Call.of("ledger", "history", ledger, "--sample", OTHER).code())
                .isEqualTo(1);
    }

    @Test
    void proofsOfAllKindsAreVerifiedByOthers() throws IOException {
        append("--events", events(ingest(SAMPLE), batch(SAMPLE, 1)));
        Path proof = home.resolve("proof.tlog-proof");
        assertThat(Call.of("ledger", "prove", ledger, "--sample", SAMPLE, "--seq", 1, "--out", proof)
                        .code())
                .isZero();
        assertVerdict(proof, "holds", "event", "--sample", SAMPLE);
        assertVerdict(proof, "fails", "event", "--sample", OTHER);
        assertVerdict(proof, "fails", "event", "--origin", "example.com/other");
        Call.of("ledger", "history", ledger, "--sample", SAMPLE, "--out", proof, "--unopened");
        assertVerdict(proof, "holds", "history");
        assertVerdict(proof, "fails", "history", "--sample", SAMPLE);
        assertThat(Call.of("ledger", "absent", ledger, "--sample", OTHER, "--out", proof)
                        .code())
                .isZero();
        assertVerdict(proof, "holds", "absence", "--sample", OTHER);
        assertVerdict(ledger.resolve("log/checkpoint"), "holds", "checkpoint");
        Call used = Call.of("ledger", "absent", ledger, "--sample", SAMPLE, "--out", proof);
        assertThat(used.code()).isEqualTo(1);
        assertThat(used.err()).contains("used: 2 events, first at index 2");
        Call whole = Call.of("ledger", "verify", "--tiles", ledger, "--key", "@" + keys);
        assertThat(whole.out()).startsWith("holds: all 5 entries of example.com/t");
        Files.writeString(ledger.resolve("log/stranger"), "");
        Files.writeString(ledger.resolve("log/tile/0/stranger"), "");
        assertThat(Call.of("ledger", "verify", "--tiles", ledger, "--key", "@" + keys)
                        .code())
                .isEqualTo(1);
    }

    private void assertVerdict(Path file, String verdict, String kind, String... more) throws IOException {
        List<Object> arguments = new ArrayList<>(List.of("ledger", "verify", file, "--key", "@" + keys, "--json"));
        arguments.addAll(List.of(more));
        Call call = Call.of(arguments.toArray());
        JsonNode document = json(call);
        assertThat(document.get("verdict").asText()).as(call.out()).isEqualTo(verdict);
        assertThat(document.get("kind").asText()).isEqualTo(kind);
        assertThat(call.code()).isEqualTo(verdict.equals("holds") ? 0 : 1);
    }

    @Test
    void aSequenceNumberMakesAnAppendExactlyOnce() throws IOException {
        String one = "{\"type\": \"ingest\", \"sample\": \"%s\", \"source\": \"a\", \"seq\": 1}".formatted(SAMPLE);
        String two = "{\"type\": \"ingest\", \"sample\": \"%s\", \"source\": \"a\", \"seq\": 2}".formatted(OTHER);
        assertThat(append("--events", events(one), "--ack").out()).isEqualTo("1 2\n");
        Call again = append("--events", events(one, two), "--ack");
        assertThat(again.out()).isEqualTo("1 2\n2 4\n");
        Call changed = append("--events", events(one.replace("\"a\"", "\"b\"")));
        assertThat(changed.code()).isEqualTo(2);
        assertThat(changed.err()).contains("line 1: \"seq\" 1 was logged at index 2 with other content");
        Call gap = append("--events", events(two.replace("\"seq\": 2", "\"seq\": 4")));
        assertThat(gap.err()).contains("line 1: \"seq\" is 4, but the next is 3");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "~~ | the line is blank",
                "[1] | an event must be a JSON object",
                "{\"type\": \"ingest\" | not JSON",
                "{\"type\": \"teach\"} | the type \"teach\" is not known",
                "{\"type\": \"delete\", \"sample\": \"S\", \"reason\": \"\"} | ledger erase makes deletes",
                "{\"type\": \"map\", \"size\": 1, \"root\": \"S\"} | \"map\" cannot be appended",
                "{\"type\": \"ingest\", \"sample\": \"S\"} | the key \"source\" is missing",
                "{\"type\": \"ingest\", \"sample\": \"S\", \"source\": \"a\", \"x\": 1} | the key \"x\" is not known here",
                "{\"type\": \"ingest\", \"sample\": \"S\", \"sample\": \"S\", \"source\": \"a\"} | Duplicate field",
                "{\"type\": \"ingest\", \"sample\": \"abc\", \"source\": \"a\"} | 'abc' is not a sample id",
                "{\"type\": \"batch\", \"sample\": \"S\", \"epoch\": 1, \"step\": 1.5, \"position\": 0} | \"step\" is 1.5",
                "{\"type\": \"batch\", \"sample\": \"S\", \"epoch\": 1, \"step\": 1, \"position\": -1} | \"position\" is -1",
                "{\"type\": \"batch\", \"sample\": \"S\", \"epoch\": 1, \"step\": 1, \"position\": 0} | a sample's first event must be 'ingest' or 'transform'",
                "{\"type\": \"ingest\", \"sample\": \"S\", \"source\": \"a\", \"run\": \"X\"} | must be a UUID in lower case",
                "{\"type\": \"ingest\", \"sample\": \"S\", \"source\": \"a\\u0000\"} | control character U+0000",
                "{\"type\": \"transform\", \"sample\": \"S\", \"kind\": \"stir\", \"parents\": [\"S\"]} | must be one of dedup",
                "{\"type\": \"transform\", \"sample\": \"S\", \"kind\": \"clean\", \"parents\": []} | 'parents' is empty",
                "{\"type\": \"checkpoint\", \"model\": \"S\", \"step\": 1, \"trainLoss\": 1, \"validationLoss\": null, \"selected\": true} | the key \"run\" is missing"
            })
    void aBadLineIsNamedAndNothingIsWritten(String line, String reason) throws IOException {
        Call call = append(
                "--events", events(ingest(OTHER), line == null ? "" : line.replace("\"S\"", '"' + SAMPLE + '"')));
        assertThat(call.code()).as(call.err()).isEqualTo(2);
        assertThat(call.err()).contains("events.jsonl, line 2: ").contains(reason);
        assertThat(json(Call.of("ledger", "checkpoint", ledger, "--json"))
                        .get("size")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void theGuideLeadsFromAnEmptyDirectoryToAVerifiedProof() throws IOException {
        String guide = Files.readString(Path.of("..", "docs", "ledger.md"));
        Path place = Files.createDirectory(home.resolve("guide"));
        Matcher blocks = Pattern.compile("```(json)?\n(.*?)```", Pattern.DOTALL).matcher(guide);
        List<String> commands = new ArrayList<>();
        while (blocks.find()) {
            if (blocks.group(1) == null) {
                blocks.group(2).lines().forEach(commands::add);
            } else {
                Files.writeString(place.resolve("events.jsonl"), blocks.group(2));
            }
        }
        assertThat(commands).hasSizeBetween(6, 10).allMatch(command -> command.startsWith("ascribe ledger "));
        for (String command : commands) {
            Object[] arguments = command.replaceAll(
                            "(?<= |@)(ledger|guard|vkeys|\\S+\\.jsonl|\\S+\\.tlog-proof|ledger/log)(?= |$)",
                            place + "/$1")
                    .replaceFirst("ascribe \\S*ledger ", "ledger ")
                    .split(" ");
            Call call = Call.of(arguments);
            assertThat(call.code()).as(command + "\n" + call.err()).isZero();
            if (command.contains(" init ")) {
                Files.writeString(place.resolve("vkeys"), call.out());
            }
            if (command.contains(" verify ")) {
                assertThat(call.out()).startsWith("holds: ");
            }
        }
    }
}
