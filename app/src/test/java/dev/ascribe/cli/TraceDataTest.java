package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.data.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real rows through training, index and trace, on a network that is random but for one epoch. */
class TraceDataTest {
    private static final int ROWS = 197;

    @TempDir
    private Path home;

    private JsonNode json(Object... words) throws IOException {
        Call call = Call.of(words);
        assertThat(call.code()).as(call.err()).isZero();
        return new ObjectMapper().readTree(call.out());
    }

    @Test
    void everyRowIsFoundByItself() throws IOException {
        Path data = SharedData.file("text/eiffel.jsonl");
        Path run = home.resolve("run");
        Path index = home.resolve("index");
        Call trained = Call.of(
                "train", "--arch", "gpt:1-16-2", "--epochs", 1, "--max-tokens", 64, "--data", data, "--out", run);
        assertThat(trained.code()).as(trained.err()).isZero();
        Call indexed = Call.of(
                "index",
                "--run",
                run,
                "--checkpoints",
                "final",
                "--projection",
                "none",
                "--dtype",
                "f32",
                "--out",
                index);
        assertThat(indexed.code()).as(indexed.err()).isZero();
        List<String> lines = Files.readAllLines(data).subList(0, 12);
        Path queries = Files.write(home.resolve("queries.jsonl"), lines);

        JsonNode found = json("trace", "--index", index, "--run", run, "--query", queries, "--top", "all", "--json");

        assertThat(found.get("queries")).hasSize(lines.size());
        for (int q = 0; q < lines.size(); q++) {
            JsonNode influences = found.get("queries").get(q).get("influences");
            assertThat(influences.get(0).get("row").asInt()).isEqualTo(q);
            assertThat(influences.get(0).get("score").asDouble()).isEqualTo(1, within(1e-5));
            Set<Integer> rows = new HashSet<>();
            influences.forEach(influence -> rows.add(influence.get("row").asInt()));
            assertThat(rows).hasSize(ROWS);
        }
        assertThat(found.get("provenance").get("data").asText())
                .isEqualTo("sha256:6ca5fbf10a9d1ffd8e55de2c617c7071194b027034c115e2bf5df323a5625239");
    }
}
