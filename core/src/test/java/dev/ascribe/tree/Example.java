package dev.ascribe.tree;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A model that bench/peers/tree_models.py made, the rows it was trained on, and what its own library says of them. */
record Example(String name, Path folder) {
    private static final Path ALL = Path.of("src/test/resources/dev/ascribe/tree");
    static final Replay.Settings STRICT = new Replay.Settings(null, null, false);

    static List<Example> all() {
        try (Stream<Path> folders = Files.list(ALL)) {
            return folders.filter(Files::isDirectory)
                    .sorted()
                    .map(folder -> new Example(folder.getFileName().toString(), folder))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Example named(String name) {
        return new Example(name, ALL.resolve(name));
    }

    /** Those whose leaves follow from their rows. */
    static List<Example> boosted() {
        return all().stream()
                .filter(one -> !one.name.contains("forest")
                        && !one.name.equals("xgb-dart")
                        && !one.name.equals("xgb-subsample"))
                .toList();
    }

    Path file() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith("model."))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path data() {
        return folder.resolve("data.csv");
    }

    TreeEnsemble model() {
        return ModelFile.open(file()).limited("best");
    }

    JsonNode expected() {
        try {
            return new ObjectMapper().readTree(folder.resolve("expected.json").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean weighted() {
        return name.contains("weights") || name.equals("cat-regression");
    }

    Table.Layout layout() {
        return layout(weighted() ? "weight" : null);
    }

    Table.Layout layout(@Nullable String weight) {
        Map<String, List<String>> categories =
                name.equals("xgb-garbled") ? Map.of("colour", List.of("blau", "grün", "rot, dunkel", "ö")) : Map.of();
        return new Table.Layout("target", weight, Set.of(), Set.of(), categories, null);
    }

    Table table() {
        return Table.open(data(), model(), layout(), Table.Role.TRAINING);
    }

    /** Model and rows, played back. */
    Training training() {
        return training(true);
    }

    Training training(boolean gradients) {
        TreeEnsemble model = model();
        try (Table table = table()) {
            Leaves leaves = Leaves.of(model, table.features(), Progress.SILENT);
            Replay replay = gradients
                    ? Replay.of(model, leaves, table.labels(), table.weights(), data().toString(), STRICT)
                    : null;
            return new Training(model, table.features(), table.labels(), table.weights(), leaves, replay);
        }
    }

    /** A training row as a query, with a label of its own choice. */
    static Query query(Training training, int row, double label) {
        double[] values = new double[training.features().length];
        for (int f = 0; f < values.length; f++) {
            values[f] = training.features()[f][row];
        }
        return new Query(label, values, training.leaves().of(row));
    }

    static Query query(Training training, int row) {
        return query(training, row, training.labels()[row]);
    }

    @Override
    public String toString() {
        return name;
    }
}
