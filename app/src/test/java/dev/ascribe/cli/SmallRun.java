package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A model, a fine-tuning of it and an index, small enough to be made in a second. */
record SmallRun(Path home) {
    private static final int ROWS = 16;
    static final int CONTEXT = 24;
    static final String QUESTION = "Who lives in house 3 ?";

    static SmallRun in(Path home) throws IOException {
        SmallRun small = new SmallRun(home);
        small.write("rows.jsonl", rows());
        made(Call.of(
                "train",
                "--arch",
                "gpt:1-8-2",
                "--epochs",
                1,
                "--max-tokens",
                CONTEXT,
                "--data",
                small.data(),
                "--out",
                home.resolve("base")));
        made(Call.of(
                "finetune",
                "--model",
                small.model(),
                "--epochs",
                1,
                "--rank",
                2,
                "--data",
                small.data(),
                "--out",
                small.run()));
        made(Call.of("index", "--run", small.run(), "--dtype", "f32", "--out", small.index()));
        return small;
    }

    private static void made(Call call) {
        assertThat(call.code()).as(call.err()).isZero();
    }

    static List<String> rows() {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < ROWS; i++) {
            rows.add("{\"prompt\": \"Who lives in house %d ?\", \"completion\": \" Frau Müller %d lives there\"}"
                    .formatted(i, i % 5));
        }
        return rows;
    }

    Path write(String name, List<String> lines) throws IOException {
        return Files.write(home.resolve(name), lines);
    }

    Path data() {
        return home.resolve("rows.jsonl");
    }

    Path model() {
        return home.resolve("base/model");
    }

    Path run() {
        return home.resolve("run");
    }

    Path index() {
        return home.resolve("index");
    }

    /** A copy of one of its directories, one of whose files is changed. */
    Path damaged(Path directory, String file, Change change) throws IOException {
        Path copy = Files.createTempDirectory(home, "damaged");
        try (var all = Files.walk(directory)) {
            for (Path path : all.toList()) {
                Path to = copy.resolve(directory.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(to);
                } else {
                    Files.copy(path, to);
                }
            }
        }
        Path target = copy.resolve(file);
        Files.write(target, change.of(Files.readAllBytes(target)));
        return copy;
    }

    /** What becomes of a file's bytes. */
    interface Change {
        byte[] of(byte[] bytes);
    }
}
