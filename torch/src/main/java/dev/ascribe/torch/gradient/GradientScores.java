package dev.ascribe.torch.gradient;

import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import dev.ascribe.store.Dtype;
import dev.ascribe.store.FeatureStore;
import dev.ascribe.torch.model.Sequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Scores of rows for queries by gradients, summed over the points at which they are taken. */
public final class GradientScores {
    private GradientScores() {}

    /**
     * From an index.
     *
     * @param lineage of the index's points, on its base model
     * @param queries Q
     * @return shape (Q, rows of the index)
     */
    public static double[][] from(GradientIndex index, Lineage lineage, GradientMethod method, List<Sequence> queries) {
        List<double[][]> parts = new ArrayList<>();
        for (Point point : index.points()) {
            IndexSettings settings = index.settings();
            try (Subject subject = lineage.at(point, settings.sites(), settings.sides());
                    FeatureStore store = index.store(point)) {
                Sketch sketch =
                        Sketch.of(subject.features().blocks(), store.spec().blocks(), settings.seed());
                float[][] rows = new RowGradients(subject).all(queries);
                parts.add(method.scores(
                        store, Stream.of(rows).map(row -> sketch.apply(row, 1)).toArray(float[][]::new)));
            }
        }
        return sum(parts, index.points(), method);
    }

    /**
     * Without an index: the gradients of chosen rows are taken now and kept, in full, in a temporary store.
     *
     * @param chosen row numbers of the corpus
     * @param scratch a directory for the temporary store
     * @return shape (Q, chosen)
     */
    public static double[][] of(
            Indexer indexer,
            int[] chosen,
            List<Point> points,
            Path scratch,
            GradientMethod method,
            List<Sequence> queries) {
        List<double[][]> parts = new ArrayList<>();
        for (Point point : points) {
            Path directory = scratch.resolve(point.name());
            try (Subject subject = indexer.subject(point)) {
                requireRoom(scratch, (long) chosen.length * subject.features().width() * Float.BYTES, chosen.length);
                indexer.write(subject, point, directory, chosen, Dtype.F32, false);
                try (FeatureStore store = FeatureStore.open(directory)) {
                    parts.add(method.scores(store, new RowGradients(subject).all(queries)));
                }
            } finally {
                delete(directory);
            }
        }
        return sum(parts, points, method);
    }

    private static void requireRoom(Path scratch, long bytes, int rows) {
        try {
            long free = Files.getFileStore(scratch).getUsableSpace();
            if (bytes > free / 2) {
                throw new UserInputException(
                        "the full gradients of %d rows need %.1f GB at a time, but %s has %.1f GB free: build an index (projected gradients are far smaller), or look at fewer rows with --candidates hybrid:200"
                                .formatted(rows, bytes / 1e9, scratch, free / 1e9));
            }
        } catch (IOException e) {
            throw new UserInputException("%s cannot be used: %s".formatted(scratch, FileTrouble.of(e)), e);
        }
    }

    private static double[][] sum(List<double[][]> parts, List<Point> points, GradientMethod method) {
        double[][] total = parts.getFirst().clone();
        for (int q = 0; q < total.length; q++) {
            total[q] = new double[total[q].length];
            for (int p = 0; p < parts.size(); p++) {
                // One point alone is not weighted, so that its scores keep their unit.
                double weight = points.size() > 1 && method.weightedByLearningRate()
                        ? points.get(p).learningRate()
                        : 1;
                for (int i = 0; i < total[q].length; i++) {
                    total[q][i] += weight * parts.get(p)[q][i];
                }
            }
        }
        return total;
    }

    /** Removes a directory and all in it. */
    public static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> walk = Files.walk(directory)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UserInputException("%s cannot be removed: %s".formatted(directory, FileTrouble.of(e)), e);
        }
    }
}
