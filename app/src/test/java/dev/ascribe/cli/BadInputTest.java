package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BadInputTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path home;

    @SuppressWarnings("NullAway.Init")
    private static SmallRun small;

    @BeforeAll
    static void make() throws IOException {
        small = SmallRun.in(home);
    }

    private static void refused(Call call, String... words) {
        assertThat(call.code()).as(call.err()).isEqualTo(2);
        assertThat(call.out()).isEmpty();
        assertThat(call.err()).contains(words).doesNotContain("\tat ");
    }

    private static Call score(Path model, Path data) {
        return Call.of("score", "--model", model, "--data", data);
    }

    private static byte[] replaced(byte[] bytes, String what, String by) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        assertThat(text).contains(what);
        return text.replace(what, by).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] half(byte[] bytes) {
        return Arrays.copyOf(bytes, bytes.length / 2);
    }

    @Test
    void aRowWithoutTokensIsRefusedBeforeTheFirstWordOfAResult() throws IOException {
        Path data = small.write("hollow.jsonl", List.of("{\"text\": \"a house\"}", "{\"text\": \"\"}"));
        refused(score(small.model(), data), "hollow.jsonl", "row 1", "no tokens");
        refused(Call.of("score", "--model", small.model(), "--data", data, "--json"), "row 1", "no tokens");
    }

    @Test
    void aMissingModelIsNamed() {
        refused(score(home.resolve("nowhere"), small.data()), "nowhere", "does not exist", ".gguf");
    }

    @Test
    void aTruncatedModelIsNamedWithItsTensor() throws IOException {
        Path model = small.damaged(small.model(), "model.safetensors", BadInputTest::half);
        refused(score(model, small.data()), "model.safetensors", "transformer.", "truncated");
    }

    @Test
    void anUnknownArchitectureIsNamedBesideTheKnownOnes() throws IOException {
        Path model = small.damaged(small.model(), "config.json", b -> replaced(b, "\"gpt2\"", "\"mamba\""));
        refused(score(model, small.data()), "config.json", "'mamba'", "llama");
    }

    @Test
    void aWeightThatIsNaNIsNamedWithItsPlace() throws IOException {
        Path model = small.damaged(small.model(), "model.safetensors", bytes -> {
            ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            buffer.putFloat(bytes.length - 4, Float.NaN);
            return bytes;
        });
        refused(score(model, small.data()), "model.safetensors", "transformer.", "NaN", "element");
    }

    @Test
    void moreLayersThanAnyModelHasAreRefused() throws IOException {
        Path model = small.damaged(
                small.model(), "config.json", b -> replaced(b, "\"n_layer\" : 1", "\"n_layer\" : 2000000000"));
        refused(score(model, small.data()), "config.json", "n_layer", "2000000000");
    }

    @Test
    void anAdapterOfAnotherModelIsNamed() throws IOException {
        Path other = home.resolve("other");
        assertThat(Call.of("train", "--arch", "gpt:1-16-2", "--epochs", 1, "--data", small.data(), "--out", other)
                        .code())
                .isZero();
        Call call = Call.of(
                "score",
                "--model",
                other.resolve("model"),
                "--adapter",
                small.run().resolve("adapter"),
                "--data",
                small.data());
        refused(call, "adapter", "not an adapter of this model", "shape");
    }

    @Test
    void anEmptyFileIsNamed() throws IOException {
        refused(score(small.model(), small.write("empty.jsonl", List.of())), "empty.jsonl", "empty");
    }

    @Test
    void brokenJsonIsNamedWithLineAndColumn() throws IOException {
        List<String> lines = new ArrayList<>(SmallRun.rows());
        lines.set(6, "{\"prompt\": \"x\", \"completion\": \"y");
        refused(
                score(small.model(), small.write("broken.jsonl", lines)),
                "broken.jsonl",
                "line 7",
                "column",
                "--skip-bad");
    }

    @Test
    void anUnknownKeyIsNamed() throws IOException {
        Path data =
                small.write("key.jsonl", List.of("{\"prompt\": \"x\", \"completion\": \"y\", \"colour\": \"red\"}"));
        refused(score(small.model(), data), "key.jsonl", "line 1", "\"colour\"", "Remove or rename");
    }

    @Test
    void aRowOfNoTokensIsNamed() throws IOException {
        Path data = small.write("none.jsonl", List.of("{\"text\": \"house\"}", "{\"text\": \"\"}"));
        Call call = Call.of("finetune", "--model", small.model(), "--data", data, "--out", home.resolve("none"));
        refused(call, "none.jsonl", "row 1", "no tokens");
    }

    @Test
    void aRowLongerThanTheContextIsCutCountedAndNamed() throws IOException {
        String words = " lives".repeat(200);
        List<String> lines = new ArrayList<>(SmallRun.rows());
        lines.add("{\"prompt\": \"Who\", \"completion\": \"" + words + "\"}");
        Path data = small.write("long.jsonl", lines);
        for (String most : List.of("512", "1000000")) {
            Call call = Call.of("score", "--model", small.model(), "--max-tokens", most, "--data", data, "--json");
            assertThat(call.code()).as(call.err()).isZero();
            assertThat(call.err()).contains("1 row", "longer than " + SmallRun.CONTEXT + " tokens", "row 16");
        }
        assertThat(Call.of("index", "--model", small.model(), "--data", data, "--out", home.resolve("long"))
                        .code())
                .isZero();
    }

    @Test
    void rowsWithNothingToPredictAreNotTrainedOn() {
        Call call = Call.of(
                "finetune",
                "--model",
                small.model(),
                "--max-tokens",
                2,
                "--data",
                small.data(),
                "--out",
                home.resolve("nothing"));
        refused(call, "16 rows", "no", "--max-tokens");
        assertThat(home.resolve("nothing/run.json")).doesNotExist();
    }

    @Test
    void aPromptWithoutTokensIsNamed() {
        refused(Call.of("generate", "--model", small.model(), "--prompt", ""), "prompt", "no tokens");
        refused(Call.of("trace", "--run", small.run(), "--prompt", ""), "prompt", "no tokens");
    }

    @Test
    void aPlaceThatCannotBeWrittenIsNamed() throws IOException {
        Path below = Files.writeString(home.resolve("file"), "x").resolve("out");
        refused(
                Call.of("finetune", "--model", small.model(), "--data", small.data(), "--out", below),
                below.toString(),
                "permission");
        refused(Call.of("index", "--run", small.run(), "--out", below), below.toString());
        refused(Call.of("demo", "--out", home.resolve("file")), "file", "--out");
    }

    @Test
    void anIndexIsNotWrittenAmongOtherFiles() {
        refused(Call.of("index", "--run", small.run(), "--out", small.run()), "is no index", "--out");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kind", "model", "rows", "checkpoints", "dataPath", "text"})
    void aRunWithoutOneOfItsKeysIsDamaged(String key) throws IOException {
        Path run = small.damaged(small.run(), "run.json", b -> replaced(b, "\"" + key + "\" :", "\"x" + key + "\" :"));
        refused(Call.of("index", "--run", run, "--out", home.resolve("x")), "run.json", "damaged");
    }

    static Stream<Arguments> damages() {
        return Stream.of(
                arguments("\"finetune\"", "\"finetuna\""),
                arguments("\"batch\" : 8", "\"batch\" : -8"),
                arguments("\"batch\" : 8", "\"batch\" : null"),
                arguments("\"schedule\" : \"linear\"", "\"schedule\" : \"square\""));
    }

    @ParameterizedTest
    @MethodSource("damages")
    void aRunWithABadValueIsDamaged(String value, String by) throws IOException {
        Path run = small.damaged(small.run(), "run.json", b -> replaced(b, value, by));
        refused(Call.of("index", "--run", run, "--out", home.resolve("x")), "run.json", "damaged");
    }

    @Test
    void aTruncatedRunOrIndexIsDamaged() throws IOException {
        Path run = small.damaged(small.run(), "run.json", BadInputTest::half);
        refused(Call.of("index", "--run", run, "--out", home.resolve("x")), "run.json", "damaged");
        Path index = small.damaged(small.index(), "index.json", BadInputTest::half);
        refused(Call.of("trace", "--index", index, "--prompt", SmallRun.QUESTION), "index.json", "damaged");
    }

    @ParameterizedTest
    @ValueSource(strings = {"settings", "checkpoints", "model", "dataPath"})
    void anIndexWithoutOneOfItsKeysIsDamaged(String key) throws IOException {
        Path index =
                small.damaged(small.index(), "index.json", b -> replaced(b, "\"" + key + "\" :", "\"x" + key + "\" :"));
        refused(Call.of("trace", "--index", index, "--prompt", SmallRun.QUESTION), "index.json", "damaged");
    }

    @Test
    void aFlippedByteIsFoundByVerify() throws IOException {
        Path index = small.damaged(small.index(), "features/init/features-00000.bin", bytes -> {
            bytes[bytes.length / 2] ^= 1;
            return bytes;
        });
        Call call = Call.of("index", "verify", index);
        assertThat(call.code()).isEqualTo(1);
        assertThat(call.err()).contains("features-00000.bin", "rows");
        assertThat(Call.of("index", "verify", small.index()).code()).isZero();
        refused(Call.of("index", "verify", home.resolve("nowhere")), "nowhere", "is no index");
    }

    @Test
    void anIndexOfAnotherModelCorpusOrSettingIsRefusedByName() throws IOException {
        Path earlier = home.resolve("base/checkpoints/000000");
        refused(
                Call.of("trace", "--index", small.index(), "--model", earlier, "--prompt", "x", "--output", "y"),
                "another model",
                earlier.toString());
        Path fewer = small.write("fewer.jsonl", SmallRun.rows().subList(0, 9));
        refused(
                Call.of("trace", "--index", small.index(), "--data", fewer, "--prompt", "x", "--output", "y"),
                "fewer.jsonl",
                "digest");
        refused(Call.of("index", "--run", small.run(), "--dtype", "int8", "--out", small.index()), "dtype");
        refused(
                Call.of("index", "--run", small.run(), "--seed", 7, "--dtype", "f32", "--out", small.index()),
                "seed 7");
    }

    static Stream<Arguments> hostile() {
        return Stream.of(
                arguments("score --model M --data D --max-tokens 0", "--max-tokens"),
                arguments("score --model M --data D --loss none", "--loss"),
                arguments("score --model M --data D --template nowhere", "--template"),
                arguments("generate --model M --prompt x --max-tokens 0", "--max-tokens"),
                arguments("generate --model M --prompt x --temperature NaN", "--temperature"),
                arguments("generate --model M --prompt x --top-p NaN", "--top-p"),
                arguments("finetune --model M --data D --out X --rank 0", "rank 0"),
                arguments("finetune --model M --data D --out X --alpha Infinity", "alpha"),
                arguments("finetune --model M --data D --out X --lr NaN", "--lr"),
                arguments("finetune --model M --data D --out X --epochs 0", "--epochs"),
                arguments("finetune --model M --data D --out X --epochs 2147483647", "--epochs"),
                arguments("finetune --model M --data D --out X --batch 0", "--batch"),
                arguments("finetune --model M --data D --out X --weight-decay Infinity", "--weight-decay"),
                arguments("finetune --model M --data D --out X --targets nowhere", "nowhere"),
                arguments("train --arch gpt:1-8-1 --max-tokens 2000000000 --data D --out X", "--max-tokens"),
                arguments("index --run R --out X --width 0", "--width"),
                arguments("index --run R --out X --projection 0x0", "--projection"),
                arguments("index --run R --out X --checkpoints 5", "--checkpoints"),
                arguments("index --run R", "--out"),
                arguments("trace --run R --prompt x --top 0", "--top"),
                arguments("trace --run R --prompt x --output y --candidates bm25:0", "0 candidates"),
                arguments("trace --run R --prompt x --output y --method nowhere", "--method"),
                arguments("prove --run R --prompt x --output y --remove 100000", "--remove"),
                arguments("prove --run R --prompt x --output y --seeds 0", "--seeds"),
                arguments("prove --run R --prompt x --output y --rows 99", "--rows 99"),
                arguments("score --model M --data D --model M", "--model"),
                arguments("score --model M --data D --nowhere", "--nowhere"),
                arguments("score --model M", "--data"),
                arguments("nowhere", "nowhere"));
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void aHostileValueIsRefusedByName(String line, String named) {
        Object[] words = Arrays.stream(line.split(" ", -1))
                .map(word -> switch (word) {
                    case "M" -> small.model();
                    case "D" -> small.data();
                    case "R" -> small.run();
                    case "X" -> home.resolve("hostile");
                    default -> word;
                })
                .toArray();
        refused(Call.of(words), "error: ", named);
        assertThat(home.resolve("hostile/run.json")).doesNotExist();
    }
}
