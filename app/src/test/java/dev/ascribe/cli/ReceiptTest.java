package dev.ascribe.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.Digests;
import dev.ascribe.ledger.Dsse;
import dev.ascribe.ledger.SignerKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReceiptTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path home;

    @SuppressWarnings("NullAway.Init")
    private static SmallRun small;

    @SuppressWarnings("NullAway.Init")
    private static Path secret;

    @SuppressWarnings("NullAway.Init")
    private static Path vkeys;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path receipt;

    private final List<Runnable> undo = new ArrayList<>();

    @BeforeAll
    static void make() throws IOException {
        small = SmallRun.in(home);
        secret = home.resolve("secret");
        vkeys = home.resolve("vkeys");
        Files.writeString(
                vkeys,
                Call.of("ledger", "keygen", "example.com/tracer", "--out", secret)
                        .out());
    }

    @BeforeEach
    void trace() {
        receipt = folder.resolve("receipt.json");
        trace("--top", 4);
    }

    @AfterEach
    void undo() {
        undo.forEach(Runnable::run);
    }

    private void trace(Object... more) {
        List<Object> words = new ArrayList<>(List.of(
                "trace",
                "--run",
                small.run(),
                "--prompt",
                SmallRun.QUESTION,
                "--output",
                " Frau \u001b \"Müller\u2028",
                "--receipt",
                receipt,
                "--receipt-key",
                secret));
        words.addAll(List.of(more));
        Call call = Call.of(words.toArray());
        assertThat(call.code()).as(call.err()).isZero();
    }

    private JsonNode verify(int code, Object... more) throws IOException {
        List<Object> words = new ArrayList<>(
                List.of("receipt", "verify", receipt, "--run", small.run(), "--key", "@" + vkeys, "--json"));
        words.addAll(List.of(more));
        Call call = Call.of(words.toArray());
        assertThat(call.code()).as(call.out() + call.err()).isEqualTo(code);
        return JSON.readTree(call.out());
    }

    private static List<String> different(JsonNode document) {
        return StreamSupport.stream(document.get("parts").spliterator(), false)
                .filter(part -> !part.get("same").asBoolean())
                .map(part -> part.get("part").asText())
                .toList();
    }

    private void change(Path file, SmallRun.Change change) throws IOException {
        byte[] before = Files.readAllBytes(file);
        undo.add(() -> {
            try {
                Files.write(file, before);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        Files.write(file, change.of(before.clone()));
    }

    private static byte[] lastByteChanged(byte[] bytes) {
        bytes[bytes.length - 1] ^= 1;
        return bytes;
    }

    /** The receipt with another statement, rightly signed. */
    private void restate(Consumer<ObjectNode> change) throws IOException {
        JsonNode envelope = JSON.readTree(Files.readAllBytes(receipt));
        ObjectNode statement = (ObjectNode)
                JSON.readTree(Base64.getDecoder().decode(envelope.get("payload").asText()));
        ObjectNode predicate = (ObjectNode) statement.get("predicate");
        change.accept(predicate);
        Receipt changed = JSON.treeToValue(predicate, Receipt.class);
        ReceiptKeys.of(secret, null).write(receipt, changed);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--top 4",
                "--top all",
                "--per-token",
                "--method datainf --top 3",
                "--method gradient-dot --checkpoints all",
                "--method bm25",
                "--candidates bm25:6 --top 2"
            })
    void aReceiptHoldsBitForBitOnTheSameRunAndEngine(String options) throws IOException {
        trace((Object[]) options.split(" ", -1));
        JsonNode document = verify(0);
        assertThat(document.get("schema").asText()).isEqualTo("ascribe/receipt/1");
        assertThat(document.get("verdict").asText()).isEqualTo("holds");
        assertThat(document.get("engine").asText()).isEqualTo("same");
        assertThat(document.get("largestDifference").asDouble()).isZero();
        assertThat(document.get("allowed").asDouble()).isZero();
        assertThat(different(document)).isEmpty();
    }

    @Test
    void anIndexIsAPartOfIt() throws IOException {
        trace("--index", small.index());
        assertThat(different(verify(0, "--index", small.index()))).isEmpty();
        Call without = Call.of("receipt", "verify", receipt, "--run", small.run());
        assertThat(without.code()).isEqualTo(2);
        assertThat(without.err()).contains("was made with an index", "give it by --index");
        Path other = home.resolve("other-index");
        if (!Files.exists(other)) {
            Call.of("index", "--run", small.run(), "--dtype", "bf16", "--out", other);
        }
        assertThat(different(verify(1, "--index", other))).containsExactly("index", "result");
        trace();
        assertThat(Call.of("receipt", "verify", receipt, "--run", small.run(), "--index", other)
                        .code())
                .isEqualTo(2);
    }

    @Test
    void whichInputDiffersIsSaid() throws IOException {
        change(small.run().resolve("checkpoints/000002/adapter_model.safetensors"), ReceiptTest::lastByteChanged);
        assertThat(different(verify(1))).containsExactly("adapter final", "result");
        undo();
        change(small.run().resolve("adapter/adapter_model.safetensors"), ReceiptTest::lastByteChanged);
        assertThat(different(verify(1))).containsExactly("adapter result", "result");
        undo();
        change(small.model().resolve("model.safetensors"), ReceiptTest::lastByteChanged);
        assertThat(different(verify(1))).containsExactly("model", "result");
        undo();
        change(
                small.data(),
                bytes -> new String(bytes, UTF_8).replace("house 7", "home 7").getBytes(UTF_8));
        assertThat(different(verify(1))).containsExactly("corpus", "result");
        undo();
        change(
                small.run().resolve("run.json"),
                bytes -> new String(bytes, UTF_8)
                        .replace("\"maxTokens\" : 512", "\"maxTokens\" : 500")
                        .getBytes(UTF_8));
        JsonNode document = verify(1);
        assertThat(different(document)).containsExactly("settings");
        assertThat(document.toString()).contains("maxTokens is 512 in the receipt, 500 here");
    }

    @Test
    void aWrongScoreIsNamedWithItsDifference() throws IOException {
        restate(predicate -> {
            ObjectNode score = (ObjectNode) predicate.at("/result/0/influences/1");
            score.put("score", score.get("score").asDouble() + 0.25);
        });
        JsonNode document = verify(1);
        assertThat(different(document)).containsExactly("result");
        assertThat(document.get("largestDifference").asDouble()).isCloseTo(0.25, within(1e-12));
        assertThat(document.toString()).contains("the largest difference is 0.250 at row ", "of query 1");
    }

    @Test
    void aRowThatShouldHaveBeenNamedIsMissed() throws IOException {
        restate(predicate -> ((ArrayNode) predicate.at("/result/0/influences")).remove(0));
        assertThat(verify(1).toString()).contains("query 1 has 3 rows named, and should have 4");
    }

    @Test
    void anotherEngineMayBeOffByTheToleranceAndNoMore() throws IOException {
        restate(predicate -> {
            ((ObjectNode) predicate.get("engine")).put("cpu", "another");
            ObjectNode score = (ObjectNode) predicate.at("/result/0/influences/0");
            score.put("score", score.get("score").asDouble() * (1 + 5e-4));
        });
        JsonNode document = verify(0);
        assertThat(document.get("engine").asText()).isEqualTo("other");
        assertThat(document.get("largestDifference").asDouble()).isPositive();
        assertThat(document.get("allowed").asDouble()).isEqualTo(1e-3);
        restate(predicate -> {
            ObjectNode score = (ObjectNode) predicate.at("/result/0/influences/0");
            score.put("score", score.get("score").asDouble() * (1 + 5e-3));
        });
        assertThat(different(verify(1))).containsExactly("result");
    }

    @Test
    void theSignatureIsCheckedAndAMissingOneTold() throws IOException {
        Path strangers = folder.resolve("strangers");
        Files.writeString(
                strangers,
                Call.of("ledger", "keygen", "example.com/other", "--out", folder.resolve("s"))
                        .out());
        Call call = Call.of("receipt", "verify", receipt, "--run", small.run(), "--key", "@" + strangers);
        assertThat(call.code()).isEqualTo(1);
        assertThat(call.out()).startsWith("differs: ").contains("not signed by example.com/other+");
        Call unchecked = Call.of("receipt", "verify", receipt, "--run", small.run());
        assertThat(unchecked.code()).as(unchecked.err()).isZero();
        assertThat(unchecked.out())
                .startsWith("holds: ")
                .contains("only its word: no --key was given", "the same bit for bit");
        change(receipt, bytes -> {
            String text = new String(bytes, UTF_8);
            int at = text.indexOf("\"payload\" : \"") + 60;
            return (text.substring(0, at) + (text.charAt(at) == 'A' ? 'B' : 'A') + text.substring(at + 1))
                    .getBytes(UTF_8);
        });
        assertThat(different(verify(1))).containsExactly("signature");
    }

    @Test
    void whatIsNoReceiptIsBadInput() throws IOException {
        for (String text :
                List.of("", "{", "[]", "{\"payload\": 1}", "{\"payload\": \"??\", \"payloadType\": \"x\"}")) {
            Files.writeString(receipt, text);
            Call call = Call.of("receipt", "verify", receipt, "--run", small.run());
            assertThat(call.code()).as(text).isEqualTo(2);
            assertThat(call.err()).contains("is no DSSE envelope");
        }
        SignerKey key = LedgerCommand.signerKeys(secret).getFirst();
        byte[] payload = "{\"_type\": \"https://in-toto.io/Statement/v1\"}".getBytes(UTF_8);
        Files.write(
                receipt,
                new Envelope(Dsse.IN_TOTO, payload, Map.of(key.verifierKey(), Dsse.sign(Dsse.IN_TOTO, payload, key)))
                        .json());
        Call call = Call.of("receipt", "verify", receipt, "--run", small.run());
        assertThat(call.code()).isEqualTo(2);
        assertThat(call.err()).contains("is no attribution receipt");
        assertThat(Call.of("receipt", "verify", receipt, "--run", folder.resolve("nowhere"))
                        .code())
                .isEqualTo(2);
    }

    @Test
    void aReceiptNeedsAKeyAndARunAndTheLedgersOwnKeyServes() throws IOException {
        Call none =
                Call.of("trace", "--run", small.run(), "--prompt", "Who", "--output", " Frau", "--receipt", receipt);
        assertThat(none.code()).isEqualTo(2);
        assertThat(none.err()).contains("--receipt needs a key: give --receipt-key FILE");
        Call noRun = Call.of(
                "trace",
                "--model",
                small.model(),
                "--data",
                small.data(),
                "--prompt",
                "Who",
                "--output",
                " Frau",
                "--receipt",
                receipt,
                "--receipt-key",
                secret);
        assertThat(noRun.code()).isEqualTo(2);
        assertThat(noRun.err()).contains("--receipt needs --run RUN");
        Path ledger = folder.resolve("ledger");
        Path own = folder.resolve("own");
        Files.writeString(
                own,
                Call.of("ledger", "init", ledger, "--origin", "example.com/l", "--guard", folder.resolve("guard"))
                        .out());
        Call call = Call.of(
                "trace",
                "--run",
                small.run(),
                "--prompt",
                "Who",
                "--output",
                " Frau",
                "--receipt",
                receipt,
                "--ledger",
                ledger);
        assertThat(call.code()).as(call.err()).isZero();
        Call verified = Call.of("receipt", "verify", receipt, "--run", small.run(), "--key", "@" + own);
        assertThat(verified.code()).as(verified.out()).isZero();
        assertThat(verified.out()).contains("signed by example.com/l");
    }

    @Test
    void theStatementIsInTotosAndItsSubjectTheDigestOfTheScoresAsTheyAreDescribed() throws IOException {
        JsonNode envelope = JSON.readTree(Files.readAllBytes(receipt));
        assertThat(envelope.get("payloadType").asText()).isEqualTo("application/vnd.in-toto+json");
        JsonNode statement =
                JSON.readTree(Base64.getDecoder().decode(envelope.get("payload").asText()));
        assertThat(statement.get("_type").asText()).isEqualTo("https://in-toto.io/Statement/v1");
        JsonNode predicate = statement.get("predicate");
        StringBuilder scores = new StringBuilder("ascribe-scores-v1\n");
        String query = predicate.at("/queries/0").asText();
        scores.append("query sha256:")
                .append(HexFormat.of().formatHex(Digests.sha256(query.getBytes(UTF_8))))
                .append('\n');
        for (String list : List.of("influences", "harmful")) {
            for (JsonNode score : predicate.at("/result/0/" + list)) {
                scores.append(list.equals("harmful") ? "- " : "+ ")
                        .append(score.get("row").asInt())
                        .append(' ')
                        .append(score.get("id").asText())
                        .append(' ')
                        .append("%016x"
                                .formatted(Double.doubleToLongBits(
                                        score.get("score").asDouble())))
                        .append('\n');
            }
        }
        assertThat(statement.at("/subject/0/digest/sha256").asText())
                .isEqualTo(HexFormat.of()
                        .formatHex(Digests.sha256(scores.toString().getBytes(UTF_8))));
        String all = statement.toString();
        assertThat(all).doesNotContain(home.toString()); // no path of this machine
        assertThat(query).contains("Müller").contains("\\u001b");
    }
}
