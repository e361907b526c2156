package dev.ascribe.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Calls a verb on one of the example models of trees, its first rows being the queries. */
final class TreeExamples {
    static final Path FOLDER = Path.of("../core/src/test/resources/dev/ascribe/tree"); // tests run in their module

    private TreeExamples() {}

    static Call call(String verb, Path home, String example, int queries, String... more) {
        try {
            Path folder = FOLDER.resolve(example);
            Path model;
            try (Stream<Path> files = Files.list(folder)) {
                model = files.filter(file -> file.getFileName().toString().startsWith("model."))
                        .findFirst()
                        .orElseThrow();
            }
            Path query = Files.write(
                    home.resolve("query.csv"),
                    Files.readAllLines(folder.resolve("data.csv")).subList(0, queries + 1));
            List<Object> words = new ArrayList<>(List.of(
                    verb,
                    "--model",
                    model,
                    "--data",
                    folder.resolve("data.csv"),
                    "--query",
                    query,
                    "--target",
                    "target"));
            words.addAll(List.of(more));
            return Call.of(words.toArray());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
