package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
                .contains("No log can speak of what was never logged.");
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
                "{\"type\": \"batch\", \"sample\": \"S\", \"epoch\": 9007199254740992, \"step\": 1, \"position\": 0} | \"epoch\" is 9007199254740992",
                "{\"type\": \"evaluate\", \"run\": \"0b5e3c52-9a4e-4f59-8a39-0d5d7ee0b0a6\", \"metric\": \"m\", \"value\": 1e-999, \"model\": \"S\", \"data\": \"S\"} | \"value\" is 1E-999, which its 64 bits cannot hold",
                "{\"type\": \"evaluate\", \"run\": \"0b5e3c52-9a4e-4f59-8a39-0d5d7ee0b0a6\", \"metric\": \"m\", \"value\": 9007199254740993, \"model\": \"S\", \"data\": \"S\"} | cannot hold exactly",
                "{\"type\": \"ingest\", \"sample\": \"S\", \"source\": \"a\"} {} | not JSON",
                "{\"type\": \"ingest\", \"sample\": \"S\", \"source\": \"\\ud800\"} | half of a surrogate pair",
                "{\"type\": \"ingest\", \"sample\": \"S\", \"source\": \"a\", \"seq\": 0} | \"seq\" counts from 1",
                "{\"type\": \"ingest\", \"sample\": \"S\", \"source\": \"a\", \"seq\": 2} | \"seq\" is 2, but the next is 1",
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
    void anEntryThatIsTooLongIsRefusedByItsLineAndWholeNumbersMayHaveAPoint() throws IOException {
        String longest = "a".repeat(65_535 - 98 - 2);
        String template = "{\"type\": \"ingest\", \"sample\": \"%s\", \"source\": \"%s\"}";
        Call call = append("--events", events(ingest(OTHER), template.formatted(SAMPLE, longest + "a")));
        assertThat(call.code()).isEqualTo(2);
        assertThat(call.err()).contains("line 2: an entry of 65,536 bytes is longer than the log's limit of 65,535");
        assertThat(append("--events", events(template.formatted(SAMPLE, longest)))
                        .code())
                .isZero();
        String points =
                batch(SAMPLE, 7).replace("\"step\": 7", "\"step\": 7.0").replace("\"epoch\": 1", "\"epoch\": 1e3");
        assertThat(append("--events", events(points)).code()).isZero();
        JsonNode event = json(Call.of("ledger", "history", ledger, "--sample", SAMPLE, "--json"))
                .at("/events/1/event");
        assertThat(event.get("step").asLong()).isEqualTo(7);
        assertThat(event.get("epoch").asLong()).isEqualTo(1000);
    }

    @Test
    void whatIsNoInputIsRefusedWithoutATrace() throws IOException {
        append("--events", events(ingest(SAMPLE)));
        Path file = Files.writeString(home.resolve("file"), "x");
        Path onlyMlDsa = home.resolve("mlDsa");
        Call.of("ledger", "keygen", "example.com/u", "--out", home.resolve("both"));
        Files.writeString(onlyMlDsa, Files.readAllLines(home.resolve("both")).getLast() + "\n");
        Path fresh = home.resolve("fresh");
        Path out = home.resolve("out");
        assertRefused(
                "none of the keys is an Ed25519 key", "init", fresh, "--origin", "example.com/u", "--key", onlyMlDsa);
        assertRefused("lies in the ledger", "init", fresh, "--origin", "u", "--guard", fresh.resolve("guard"));
        assertRefused("is a file", "init", file, "--origin", "example.com/u", "--guard", home.resolve("g"));
        assertRefused("file, line 1: no signer key", "init", fresh, "--origin", "example.com/u", "--key", file);
        assertRefused("cannot be read", "append", ledger, "--events", home);
        assertRefused("there is no index 4 in a log of 4 entries", "prove", ledger, "--index", 4, "--out", out);
        assertRefused("there is no index -1", "prove", ledger, "--index", -1, "--out", out);
        assertRefused("control character", "erase", ledger, "--sample", SAMPLE, "--reason", "a\nb");
        assertRefused("--run: \"run\" is 'x'", "history", ledger, "--run", "x");
        assertRefused("--commitment: 'x' is no hash", "history", ledger, "--commitment", "x");
        assertRefused(
                "file, line 1: 'x' is no verifier key",
                "verify",
                ledger.resolve("log/checkpoint"),
                "--key",
                "@" + file);
        assertRefused("stands for no run", "export", ledger, "--format", "prov", "--out", out, "--run", new UUID(0, 0));
        assertRefused("each needs the other", "checkpoint", ledger, "--witness", "http://127.0.0.1:1");
        assertRefused("is no witness", "checkpoint", ledger, "--witness", "w", "--witness-key", "@" + keys);
        assertThat(out).doesNotExist();
        assertThat(fresh).doesNotExist();
        assertThat(json(Call.of("ledger", "checkpoint", ledger, "--json"))
                        .get("size")
                        .asInt())
                .isEqualTo(4);
    }

    private static void assertRefused(String reason, Object... words) {
        List<Object> all = new ArrayList<>(List.of("ledger"));
        all.addAll(List.of(words));
        Call call = Call.of(all.toArray());
        assertThat(call.err()).contains(reason).doesNotContain("bug");
        assertThat(call.code()).as(call.err()).isEqualTo(2);
        assertThat(call.out()).isEmpty();
    }

    @Test
    void theLogItselfIsNoSubject() throws IOException {
        Call call = Call.of("ledger", "history", ledger, "--commitment", "00".repeat(32), "--json");
        assertThat(json(call).get("count").asInt()).isZero();
        assertThat(call.code()).isEqualTo(1);
    }

    @Test
    void aCheckpointOfAnotherLogIsNamed() {
        Call call = Call.of(
                "ledger", "verify", ledger.resolve("log/checkpoint"), "--key", "@" + keys, "--origin", "example.com/u");
        assertThat(call.out()).startsWith("fails: the log is 'example.com/t', not 'example.com/u'");
        assertThat(call.code()).isEqualTo(1);
    }

    @Test
    void whatAProofDoesNotSayIsPrintedWithIt() throws IOException {
        append("--events", events(ingest(SAMPLE)));
        Path proof = home.resolve("p.tlog-proof");
        String never = "No log can speak of what was never logged.";
        for (Object[] words : List.<Object[]>of(
                new Object[] {"ledger", "prove", ledger, "--sample", SAMPLE, "--out", proof},
                new Object[] {"ledger", "history", ledger, "--sample", SAMPLE, "--out", proof},
                new Object[] {"ledger", "absent", ledger, "--sample", OTHER, "--out", proof})) {
            Call made = Call.of(words);
            assertThat(made.code()).as(made.err()).isZero();
            assertThat(made.out()).contains("It does not say", never);
            assertThat(Call.of("ledger", "verify", proof, "--key", "@" + keys).out())
                    .startsWith("holds: ")
                    .contains("It does not say", never);
        }
        assertThat(Call.of("ledger", "verify", "--tiles", ledger, "--key", "@" + keys)
                        .out())
                .contains(never);
    }

    /** An erased id cannot be recognised: its content comes back as another subject, with a history of its own. */
    @Test
    void anErasedSampleThatComesBackIsANewSubject() throws IOException {
        append("--events", events(ingest(SAMPLE)));
        Call erased = Call.of("ledger", "erase", ledger, "--sample", SAMPLE, "--json");
        String old = json(erased).get("commitment").asText();
        Call gone = Call.of("ledger", "history", ledger, "--sample", SAMPLE, "--json");
        assertThat(gone.code()).isEqualTo(1);
        assertThat(gone.err()).contains("has no history here");
        assertThat(json(gone).get("subject").isNull()).isTrue();
        assertThat(json(gone).get("count").asInt()).isZero();
        Call followed = append("--events", events(batch(SAMPLE, 1)));
        assertThat(followed.code()).isEqualTo(2);
        assertThat(followed.err()).contains("a sample's first event must be 'ingest' or 'transform'");
        assertThat(append("--events", events(ingest(SAMPLE))).code()).isZero();
        JsonNode history = json(Call.of("ledger", "history", ledger, "--sample", SAMPLE, "--json"));
        assertThat(history.get("count").asInt()).isEqualTo(1);
        assertThat(history.get("subject").asText()).isNotEqualTo(old);
        JsonNode before = json(Call.of("ledger", "history", ledger, "--commitment", old, "--json"));
        assertThat(before.get("count").asInt()).isEqualTo(2);
        assertThat(before.at("/events/1/event/type").asText()).isEqualTo("delete");
        assertThat(Call.of("ledger", "verify", "--tiles", ledger, "--key", "@" + keys)
                        .code())
                .isZero();
    }

    @Test
    void theLogIsExportedInEachFormat() throws IOException {
        String checkpoint =
                "{\"type\": \"checkpoint\", \"run\": \"%s\", \"model\": \"%s\", \"step\": 1, \"trainLoss\": 1, \"validationLoss\": null, \"selected\": true}"
                        .formatted(RUN, OTHER);
        append("--events", events(ingest(SAMPLE), batch(SAMPLE, 1), checkpoint));
        for (String format : List.of("openlineage", "prov", "intoto", "cyclonedx", "croissant")) {
            Path out = home.resolve(format);
            Call call = Call.of("ledger", "export", ledger, "--format", format, "--run", RUN, "--out", out, "--json");
            assertThat(call.code()).as(call.err()).isZero();
            assertThat(json(call).get("format").asText()).isEqualTo(format);
            assertThat(json(call).get("size").asInt()).isEqualTo(6);
            assertThat(Files.readString(out)).doesNotContain(SAMPLE.substring("sha256:".length()));
            assertThat(new ObjectMapper().readTree(Files.readString(out)).isObject())
                    .isTrue();
        }
        Path out = home.resolve("none");
        Call none = Call.of("ledger", "export", ledger, "--format", "prov", "--run", new UUID(9, 9), "--out", out);
        assertThat(none.code()).isEqualTo(1);
        assertThat(none.err()).contains("none of the first 6 entries of example.com/t is of the run");
        assertThat(out).doesNotExist();
    }

    @Test
    void aWitnessOfItsOwnProcessCosignsAndOneThatIsGoneLeavesTheCheckpoint() throws IOException, InterruptedException {
        Path its = home.resolve("witness-keys");
        Path vkeys = home.resolve("witness-vkeys");
        Files.writeString(
                vkeys,
                Call.of("ledger", "keygen", "example.com/w", "--out", its).out());
        Process witness = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "ledger",
                        "witness",
                        "--listen",
                        "127.0.0.1:0",
                        "--key",
                        its.toString(),
                        "--log",
                        "@" + keys,
                        "--state",
                        home.resolve("state").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String address;
        try (BufferedReader out = witness.inputReader(StandardCharsets.UTF_8)) {
            address = out.readLine();
            assertThat(address).matches("http://127\\.0\\.0\\.1:\\d+");
            append("--events", events(ingest(SAMPLE)));
            Call cosigned = Call.of("ledger", "checkpoint", ledger, "--witness", address, "--witness-key", "@" + vkeys);
            assertThat(cosigned.code()).as(cosigned.err()).isZero();
            String key = Files.readAllLines(vkeys).getLast();
            assertThat(Call.of("ledger", "verify", ledger.resolve("log/checkpoint"), "--key", "@" + keys, "--key", key)
                            .out())
                    .startsWith("holds: checkpoint of example.com/t with 4 entries");
        } finally {
            witness.destroy();
            witness.waitFor();
        }
        String before = Files.readString(ledger.resolve("log/checkpoint"));
        Call gone = Call.of("ledger", "checkpoint", ledger, "--witness", address, "--witness-key", "@" + vkeys);
        assertThat(gone.code()).isEqualTo(1);
        assertThat(gone.err()).contains("the witness " + address + "/add-checkpoint did not cosign");
        assertThat(Files.readString(ledger.resolve("log/checkpoint"))).isEqualTo(before);
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
        assertThat(commands).hasSizeBetween(9, 12).allMatch(command -> command.startsWith("ascribe ledger "));
        for (String command : commands) {
            Object[] arguments = command.replaceAll(
                            "(?<= |@)(ledger|guard|vkeys|\\S+\\.jsonl|\\S+\\.tlog-proof|\\S+\\.json|ledger/log)(?= |$)",
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
