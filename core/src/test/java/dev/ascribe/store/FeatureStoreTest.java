package dev.ascribe.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FeatureStoreTest {
    private static final long ONE_SEGMENT = FeatureStoreWriter.SEGMENT_LIMIT;

    @TempDir
    Path folder;

    @Property(tries = 30)
    void everyShapeComesBackWithinTheRoundingOfItsDtype(
            @ForAll Dtype dtype,
            @ForAll @IntRange(min = 1, max = 40) int rows,
            @ForAll @IntRange(min = 1, max = 150) int width,
            @ForAll @IntRange(min = 64, max = 2000) int segmentLimit,
            @ForAll long seed)
            throws IOException {
        Path directory = Files.createTempDirectory("store");
        float[][] features = Stores.features(rows, width, seed);
        Stores.write(directory, Stores.spec(dtype, width), features, segmentLimit);
        try (FeatureStore store = FeatureStore.open(directory)) {
            assertThat(store.rows()).isEqualTo(rows);
            float[] row = new float[width];
            for (int r = 0; r < rows; r++) {
                store.row(r, row);
                float largest = 0;
                double squares = 0;
                for (float value : features[r]) {
                    largest = Math.max(largest, Math.abs(value));
                    squares += (double) value * value;
                }
                for (int i = 0; i < width; i++) {
                    float value = features[r][i];
                    float rounding = switch (dtype) {
                        case F32 -> 0;
                        case BF16 -> Math.abs(value) / 256;
                        case INT8 -> largest / 254 * 1.0001f;
                    };
                    assertThat(row[i]).isCloseTo(value, within(rounding));
                }
                assertThat(store.id(r)).isEqualTo(Stores.id(r));
                assertThat(store.norm(r)).isEqualTo((float) Math.sqrt(squares));
            }
        }
        assertThat(FeatureStore.verify(directory, Progress.SILENT))
                .isEqualTo(Stores.contents(directory).values().stream()
                        .mapToLong(bytes -> bytes.length)
                        .sum());
        Stores.delete(directory);
    }

    @Property(tries = 30)
    void noByteDependsOnCommitsInterruptionsOrExtensions(
            @ForAll Dtype dtype,
            @ForAll @IntRange(min = 1, max = 60) int rows,
            @ForAll @IntRange(min = 1, max = 20_000) int width,
            @ForAll long seed)
            throws IOException {
        Path once = Files.createTempDirectory("store");
        Path pieces = Files.createTempDirectory("store");
        StoreSpec spec = Stores.spec(dtype, width);
        Random random = new Random(seed);
        long segmentLimit = spec.stride() * (1 + random.nextInt(rows));
        float[][] features = Stores.features(rows, width, seed);
        Stores.write(once, spec, features, segmentLimit);

        int planned = 1 + random.nextInt(rows);
        for (int row = 0; row < rows; planned = rows) {
            try (FeatureStoreWriter writer =
                    FeatureStoreWriter.open(pieces, spec, planned, Set.of(), true, segmentLimit)) {
                row = writer.rows();
                for (int end = Math.min(planned, row + 1 + random.nextInt(9)); row < end; row++) {
                    writer.append(Stores.id(row), features[row]);
                    if (random.nextInt(3) == 0) {
                        writer.commit();
                    }
                }
                if (row == planned && random.nextBoolean()) {
                    writer.finish();
                } else {
                    row = 0;
                }
            }
        }
        assertThat(Stores.digests(pieces)).isEqualTo(Stores.digests(once));
        Stores.delete(once);
        Stores.delete(pieces);
    }

    @Test
    void aBatchEqualsItsRowsOneByOne() throws IOException {
        float[][] features = Stores.features(7, 5, 3);
        float[] batch = new float[35];
        IntStream.range(0, 7).forEach(row -> System.arraycopy(features[row], 0, batch, 5 * row, 5));
        Stores.write(folder.resolve("a"), Stores.spec(Dtype.INT8, 5), features, ONE_SEGMENT);
        try (FeatureStoreWriter writer = FeatureStoreWriter.open(folder.resolve("b"), Stores.spec(Dtype.INT8, 5), 7)) {
            writer.append(IntStream.range(0, 7).mapToObj(Stores::id).toList(), batch);
            writer.finish();
        }
        assertThat(Stores.digests(folder.resolve("b"))).isEqualTo(Stores.digests(folder.resolve("a")));
    }

    @Test
    void bf16RoundsToNearestEven() {
        float step = 1f / 128;
        Stores.write(
                folder.resolve("s"),
                Stores.spec(Dtype.BF16, 4),
                new float[][] {{1 + step / 2, 1 + step * 3 / 2, 1 + step * 0.51f, -1 - step / 2}},
                ONE_SEGMENT);
        assertThat(row(folder.resolve("s"))).containsExactly(1, 1 + 2 * step, 1 + step, -1);
    }

    @Test
    void int8RoundsToNearestAndKeepsTheLargestMagnitude() {
        Stores.write(
                folder.resolve("s"),
                Stores.spec(Dtype.INT8, 5),
                new float[][] {{-127, 0.4f, 0.6f, 126.6f, 0}},
                ONE_SEGMENT);
        assertThat(row(folder.resolve("s"))).containsExactly(-127, 0, 1, 127, 0);
    }

    @ParameterizedTest
    @EnumSource
    void rowsOfZerosAndOfTinyValuesStayFinite(Dtype dtype) {
        Stores.write(
                folder.resolve("s"), Stores.spec(dtype, 2), new float[][] {{Float.MIN_VALUE, 0}, {0, 0}}, ONE_SEGMENT);
        float[] row = row(folder.resolve("s"));
        assertThat(row[0]).isBetween(0f, Float.MIN_NORMAL);
        assertThat(row[1]).isZero();
    }

    private static float[] row(Path directory) {
        try (FeatureStore store = FeatureStore.open(directory)) {
            float[] row = new float[store.width()];
            store.row(0, row);
            return row;
        }
    }

    @ParameterizedTest
    @EnumSource
    void valuesThatAreNotFiniteAreRefusedNamingTheRow(Dtype dtype) {
        try (FeatureStoreWriter writer = FeatureStoreWriter.open(folder.resolve("s"), Stores.spec(dtype, 3), 4)) {
            writer.append(Stores.id(0), new float[3]);
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                assertThatThrownBy(() -> writer.append(Stores.id(1), new float[] {0, 0, bad}))
                        .isInstanceOf(UserInputException.class)
                        .hasMessageContainingAll("row 1", Stores.id(1).toString(), "feature 2 is " + bad);
            }
        }
    }

    @Test
    void valuesBeyondBf16AreRefusedNamingTheRow() {
        try (FeatureStoreWriter writer = FeatureStoreWriter.open(folder.resolve("s"), Stores.spec(Dtype.BF16, 1), 4)) {
            assertThatThrownBy(() -> writer.append(Stores.id(0), new float[] {Float.MAX_VALUE}))
                    .isInstanceOf(UserInputException.class)
                    .hasMessageContainingAll("row 0", "beyond the range of bf16");
        }
    }

    @Test
    void anotherSpecIsRefusedNamingTheKeyAndBothValues() {
        Path directory = folder.resolve("s");
        StoreSpec spec = Stores.spec(Dtype.F32, 3);
        FeatureStoreWriter.open(directory, spec, 4).close();
        record Other(StoreSpec spec, String key, String stored, String asked) {}
        List<Block> blocks = List.of(new Block("q", 0, 2, 9));
        for (Other other : List.of(
                new Other(new StoreSpec(Dtype.BF16, 3, List.of(), spec.identity()), "dtype", "f32", "bf16"),
                new Other(new StoreSpec(Dtype.F32, 5, List.of(), spec.identity()), "width", "3", "5"),
                new Other(new StoreSpec(Dtype.F32, 3, blocks, spec.identity()), "block q", "absent", "0+2 (9 entries)"),
                new Other(
                        new StoreSpec(Dtype.F32, 3, List.of(), Map.of("model", "sha256:aa", "seed", "2")),
                        "seed",
                        "1",
                        "2"),
                new Other(
                        new StoreSpec(Dtype.F32, 3, List.of(), Map.of("seed", "1")), "model", "sha256:aa", "absent"))) {
            assertThatThrownBy(() -> FeatureStoreWriter.open(directory, other.spec, 4))
                    .isInstanceOf(UserInputException.class)
                    .hasMessageContaining("%s was made with %s %s, but %s %s is asked for"
                            .formatted(directory, other.key, other.stored, other.key, other.asked));
        }
        assertThatThrownBy(() -> FeatureStoreWriter.open(directory, spec, 5))
                .hasMessageContaining("planned for 4 rows");
    }

    @Test
    void anExtendedStoreEqualsOneWrittenAtOnceAndTakesTheNewIdentity() throws IOException {
        float[][] features = Stores.features(9, 6, 1);
        StoreSpec grown = new StoreSpec(Dtype.F32, 6, List.of(), Map.of("model", "sha256:aa", "seed", "2"));
        Stores.write(folder.resolve("once"), grown, features, ONE_SEGMENT);
        Path grows = folder.resolve("grows");
        Stores.write(grows, Stores.spec(Dtype.F32, 6), java.util.Arrays.copyOf(features, 4), ONE_SEGMENT);

        assertThatThrownBy(() -> FeatureStoreWriter.open(grows, Stores.spec(Dtype.F32, 6), 9))
                .isInstanceOf(UserInputException.class);
        assertThatThrownBy(() -> FeatureStoreWriter.extend(grows, grown, 9, Set.of("model")))
                .hasMessageContaining("seed 1, but seed 2");
        try (FeatureStoreWriter writer = FeatureStoreWriter.extend(grows, grown, 9, Set.of("seed"))) {
            assertThat(writer.rows()).isEqualTo(4);
            assertThatThrownBy(() -> FeatureStore.open(grows)).hasMessageContaining("it has 4 of 9 rows");
            for (int row = 4; row < 9; row++) {
                writer.append(Stores.id(row), features[row]);
            }
            writer.finish();
        }
        assertThat(Stores.digests(grows)).isEqualTo(Stores.digests(folder.resolve("once")));
    }

    @Test
    void aFinishedStoreIsOpenedAgainWithNothingLeftToDo() throws IOException {
        Path directory = folder.resolve("s");
        StoreSpec spec = Stores.spec(Dtype.INT8, 3);
        Stores.write(directory, spec, Stores.features(5, 3, 1), ONE_SEGMENT);
        Map<String, String> before = Stores.digests(directory);
        try (FeatureStoreWriter writer = FeatureStoreWriter.open(directory, spec, 5)) {
            assertThat(writer.rows()).isEqualTo(5);
            assertThatThrownBy(() -> writer.append(Stores.id(5), new float[3]))
                    .isInstanceOf(IllegalStateException.class);
            writer.commit();
            writer.finish();
        }
        assertThat(Stores.digests(directory)).isEqualTo(before);
    }

    @Test
    void digestNamesRowsAndSpecAndNothingElse() {
        StoreSpec spec = Stores.spec(Dtype.F32, 3);
        float[][] features = Stores.features(5, 3, 1);
        Stores.write(folder.resolve("a"), spec, features, ONE_SEGMENT);
        Stores.write(folder.resolve("b"), spec, features, ONE_SEGMENT);
        features[4][2] = Math.nextUp(features[4][2]);
        Stores.write(folder.resolve("c"), spec, features, ONE_SEGMENT);
        assertThat(digest("a")).isEqualTo(digest("b")).isNotEqualTo(digest("c"));
    }

    private String digest(String name) {
        try (FeatureStore store = FeatureStore.open(folder.resolve(name))) {
            return store.digest();
        }
    }

    @Test
    void twoWritersAtOnceAreRefused() {
        Path directory = folder.resolve("s");
        try (FeatureStoreWriter first = FeatureStoreWriter.open(directory, Stores.spec(Dtype.F32, 3), 4)) {
            assertThat(first.rows()).isZero();
            assertThatThrownBy(() -> FeatureStoreWriter.open(directory, Stores.spec(Dtype.F32, 3), 4))
                    .isInstanceOf(UserInputException.class)
                    .hasMessageContaining("another process");
        }
    }

    @Test
    void foldersThatHoldSomethingElseAreLeftAlone() throws IOException {
        Files.writeString(folder.resolve("thesis.txt"), "years of work");
        assertThatThrownBy(() -> FeatureStoreWriter.open(folder, Stores.spec(Dtype.F32, 3), 4))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("thesis.txt");
        assertThatThrownBy(() -> FeatureStore.open(folder))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("is not an index");
        assertThat(folder.resolve("thesis.txt")).hasContent("years of work");
        assertThat(Stores.contents(folder)).hasSize(1);
    }

    @Test
    void finishingWithoutAllRowsIsRefused() {
        try (FeatureStoreWriter writer = FeatureStoreWriter.open(folder.resolve("s"), Stores.spec(Dtype.F32, 1), 2)) {
            writer.append(SampleId.of(new byte[0]), new float[1]);
            assertThatThrownBy(writer::finish).hasMessage("1 of 2 planned rows");
        }
    }

    @Test
    void aStoreLargerThanTheDiskIsRefusedBeforeItBegins() {
        assertThatThrownBy(() -> FeatureStoreWriter.open(
                        folder.resolve("s"), Stores.spec(Dtype.F32, 1 << 28), Integer.MAX_VALUE))
                .isInstanceOf(UserInputException.class)
                .hasMessageContainingAll("more bytes", "free");
    }
}
