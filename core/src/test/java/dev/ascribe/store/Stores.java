package dev.ascribe.store;

import dev.ascribe.Digests;
import dev.ascribe.SampleId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Small stores of random features for tests. */
final class Stores {
    private Stores() {}

    static StoreSpec spec(Dtype dtype, int width) {
        return new StoreSpec(dtype, width, List.of(), Map.of("model", "sha256:aa", "seed", "1"));
    }

    static SampleId id(int row) {
        return SampleId.of(("sample " + row).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    /** Shape (rows, width), each row of another magnitude. */
    static float[][] features(int rows, int width, long seed) {
        Random random = new Random(seed);
        float[][] features = new float[rows][width];
        for (float[] row : features) {
            double magnitude = Math.exp(random.nextGaussian());
            for (int i = 0; i < width; i++) {
                row[i] = (float) (magnitude * random.nextGaussian());
            }
        }
        return features;
    }

    /** A finished store whose segments hold at most {@code segmentLimit} bytes. */
    static void write(Path directory, StoreSpec spec, float[][] features, long segmentLimit) {
        try (FeatureStoreWriter writer = open(directory, spec, features.length, segmentLimit)) {
            for (int row = writer.rows(); row < features.length; row++) {
                writer.append(id(row), features[row]);
            }
            writer.finish();
        }
    }

    static FeatureStoreWriter open(Path directory, StoreSpec spec, int planned, long segmentLimit) {
        return FeatureStoreWriter.open(directory, spec, planned, Set.of(), false, segmentLimit);
    }

    /** All files by name. */
    static SortedMap<String, byte[]> contents(Path directory) throws IOException {
        SortedMap<String, byte[]> contents = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                contents.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return contents;
    }

    /** The digest of every file by name: two stores of one value are byte for byte equal. */
    static SortedMap<String, String> digests(Path directory) throws IOException {
        SortedMap<String, String> digests = new TreeMap<>();
        contents(directory).forEach((name, bytes) -> digests.put(name, Digests.name(Digests.sha256(bytes))));
        return digests;
    }

    static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(file);
            }
        }
    }
}
