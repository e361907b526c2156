package dev.ascribe.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScanTest {
    /** Of the sum of the magnitudes that are added, the largest difference to double precision. */
    private static final double TOLERANCE = 1e-5;

    @TempDir
    Path folder;

    @Property(tries = 40)
    void dotsEqualThoseOfTheDequantisedRowsInDoublePrecision(
            @ForAll Dtype dtype,
            @ForAll @IntRange(min = 1, max = 40) int rows,
            @ForAll @IntRange(min = 1, max = 3000) int width,
            @ForAll @IntRange(min = 0, max = 5) int queries,
            @ForAll @IntRange(min = 64, max = 60_000) int segmentLimit,
            @ForAll long seed)
            throws IOException {
        Path directory = Files.createTempDirectory("scan");
        Random random = new Random(seed);
        int offset = random.nextInt(width);
        Block block = new Block("b", offset, 1 + random.nextInt(width - offset), 1);
        Stores.write(directory, Stores.spec(dtype, width), Stores.features(rows, width, seed), segmentLimit);
        float[][] whole = Stores.features(queries, width, seed + 1);
        float[][] part = Stores.features(queries, block.width(), seed + 2);
        try (FeatureStore store = FeatureStore.open(directory)) {
            assertDots(store, whole, new Block("all", 0, width, 1), Scan.dots(store, whole));
            assertDots(store, part, block, Scan.dots(store, part, block));
            float[] norms = Scan.squaredNorms(store, block);
            float[] row = new float[width];
            for (int r = 0; r < rows; r++) {
                store.row(r, row);
                double squares = 0;
                for (int i = block.offset(); i < block.end(); i++) {
                    squares += (double) row[i] * row[i];
                }
                assertThat((double) norms[r]).isCloseTo(squares, within(TOLERANCE * squares + Float.MIN_NORMAL));
            }
        }
        Stores.delete(directory);
    }

    private static void assertDots(FeatureStore store, float[][] queries, Block block, float[][] dots) {
        assertThat(dots).hasNumberOfRows(queries.length);
        float[] row = new float[store.width()];
        for (int q = 0; q < queries.length; q++) {
            assertThat(dots[q]).hasSize(store.rows());
            for (int r = 0; r < store.rows(); r++) {
                store.row(r, row);
                double dot = 0;
                double magnitude = 0;
                for (int i = 0; i < block.width(); i++) {
                    double product = (double) row[block.offset() + i] * queries[q][i];
                    dot += product;
                    magnitude += Math.abs(product);
                    // An int8 is computed together with its neighbours: to within a small part of its own rounding.
                    magnitude +=
                            store.spec().dtype() == Dtype.INT8 ? 0.01 * store.scale(r) * Math.abs(queries[q][i]) : 0;
                }
                assertThat((double) dots[q][r]).isCloseTo(dot, within(TOLERANCE * magnitude + Float.MIN_NORMAL));
            }
        }
    }

    @Property(tries = 40)
    void topRowsAreTheFirstOfAllRowsSortedByScoreThenRow(
            @ForAll Dtype dtype,
            @ForAll @IntRange(min = 1, max = 300) int rows,
            @ForAll @IntRange(min = 1, max = 400) int k,
            @ForAll @IntRange(min = 64, max = 6000) int segmentLimit,
            @ForAll long seed)
            throws IOException {
        Path directory = Files.createTempDirectory("scan");
        Random random = new Random(seed);
        float[][] features = new float[rows][2];
        for (float[] row : features) {
            // Few values: many ties, zeros of both signs.
            row[0] = random.nextInt(5) - 2;
            row[1] = random.nextBoolean() ? 0f : -0f;
        }
        Stores.write(directory, Stores.spec(dtype, 2), features, segmentLimit);
        float[][] queries = {{1, 0}, {-3, 1}, {0, 0}};
        try (FeatureStore store = FeatureStore.open(directory)) {
            float[][] dots = Scan.dots(store, queries);
            List<List<Hit>> expected = new ArrayList<>();
            for (float[] scores : dots) {
                expected.add(IntStream.range(0, rows)
                        .mapToObj(row -> new Hit(row, scores[row] + 0f))
                        .sorted(Comparator.comparingDouble((Hit hit) -> -hit.score())
                                .thenComparingInt(Hit::row))
                        .limit(k)
                        .toList());
            }
            assertThat(Scan.topK(store, queries, k)).isEqualTo(expected);
        }
        Stores.delete(directory);
    }

    @Test
    void topRowsOfManyTasksAreTheSameOnAnyNumberOfThreads() throws Exception {
        Stores.write(folder, Stores.spec(Dtype.F32, 512), Stores.features(6000, 512, 4), 5 << 20);
        float[][] queries = Stores.features(3, 512, 5);
        try (FeatureStore store = FeatureStore.open(folder);
                ForkJoinPool one = new ForkJoinPool(1);
                ForkJoinPool seven = new ForkJoinPool(7)) {
            float[][] dots = Scan.dots(store, queries);
            List<List<Hit>> top =
                    one.submit(() -> Scan.topK(store, queries, 100)).get();
            assertThat(seven.submit(() -> Scan.topK(store, queries, 100)).get()).isEqualTo(top);
            for (int q = 0; q < queries.length; q++) {
                float[] scores = dots[q];
                assertThat(top.get(q))
                        .containsExactlyElementsOf(IntStream.range(0, scores.length)
                                .mapToObj(row -> new Hit(row, scores[row]))
                                .sorted(Comparator.comparingDouble((Hit hit) -> -hit.score()))
                                .limit(100)
                                .toList());
            }
        }
    }

    private static final List<Block> BLOCKS =
            List.of(new Block("a", 0, 7, 100), new Block("b", 7, 33, 50), new Block("c", 45, 1, 1));
    private static final int WIDTH = 50;
    private static final int ROWS = 700;

    private void writeBlocks(Dtype dtype) {
        StoreSpec spec = new StoreSpec(dtype, WIDTH, BLOCKS, Map.of());
        Stores.write(folder, spec, Stores.features(ROWS, WIDTH, 8), 6000);
    }

    @ParameterizedTest
    @EnumSource
    void blockDotsEqualScansOfEachBlock(Dtype dtype) {
        writeBlocks(dtype);
        float[][] queries = Stores.features(2, WIDTH, 9);
        try (FeatureStore store = FeatureStore.open(folder)) {
            float[][][] dots = new float[2][BLOCKS.size()][ROWS];
            float[][] norms = new float[BLOCKS.size()][ROWS];
            Scan.blockDots(store, queries, (row, rowDots, squaredNorms) -> {
                for (int b = 0; b < BLOCKS.size(); b++) {
                    norms[b][row] = squaredNorms[b];
                    for (int q = 0; q < 2; q++) {
                        dots[q][b][row] = rowDots[q][b];
                    }
                }
            });
            for (int b = 0; b < BLOCKS.size(); b++) {
                Block block = BLOCKS.get(b);
                assertThat(norms[b]).containsExactly(Scan.squaredNorms(store, block));
                float[][] part = new float[2][];
                for (int q = 0; q < 2; q++) {
                    part[q] = java.util.Arrays.copyOfRange(queries[q], block.offset(), block.end());
                }
                assertDots(store, part, block, new float[][] {dots[0][b], dots[1][b]});
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void accumulateGivesTheSumOfDataInf(Dtype dtype) throws Exception {
        writeBlocks(dtype);
        float[][] queries = Stores.features(2, WIDTH, 9);
        float damping = 0.3f;
        Scan.BlockWeights weights = (row, dots, squaredNorms, into) -> {
            for (int q = 0; q < 2; q++) {
                for (int b = 0; b < BLOCKS.size(); b++) {
                    into[q][b] = dots[q][b] / (damping + squaredNorms[b]);
                }
            }
        };
        try (FeatureStore store = FeatureStore.open(folder);
                ForkJoinPool one = new ForkJoinPool(1);
                ForkJoinPool five = new ForkJoinPool(5)) {
            float[][] sums = Scan.accumulate(store, queries, weights);
            assertThat(one.submit(() -> Scan.accumulate(store, queries, weights))
                            .get())
                    .isDeepEqualTo(sums);
            assertThat(five.submit(() -> Scan.accumulate(store, queries, weights))
                            .get())
                    .isDeepEqualTo(sums);

            double[][] expected = new double[2][WIDTH];
            double[][] magnitude = new double[2][WIDTH];
            float[] row = new float[WIDTH];
            for (int r = 0; r < ROWS; r++) {
                store.row(r, row);
                for (Block block : BLOCKS) {
                    for (int q = 0; q < 2; q++) {
                        double dot = 0;
                        double squares = 0;
                        for (int i = block.offset(); i < block.end(); i++) {
                            dot += (double) row[i] * queries[q][i];
                            squares += (double) row[i] * row[i];
                        }
                        for (int i = block.offset(); i < block.end(); i++) {
                            expected[q][i] += dot / (damping + squares) * row[i];
                            magnitude[q][i] += Math.abs(dot / (damping + squares) * row[i]);
                        }
                    }
                }
            }
            for (int q = 0; q < 2; q++) {
                for (int i = 0; i < WIDTH; i++) {
                    assertThat((double) sums[q][i]).isCloseTo(expected[q][i], within(TOLERANCE * magnitude[q][i]));
                }
            }
        }
    }

    @Test
    void queriesOfAnotherWidthOrNotFiniteAreRefused() {
        Stores.write(folder, Stores.spec(Dtype.F32, 3), Stores.features(2, 3, 1), 1 << 20);
        try (FeatureStore store = FeatureStore.open(folder)) {
            assertThatThrownBy(() -> Scan.dots(store, new float[][] {{1, 2}})).hasMessageContaining("query 0 has 2");
            assertThatThrownBy(() -> Scan.topK(store, new float[][] {{1, 2, Float.NaN}}, 1))
                    .hasMessageContaining("feature 2 of query 0 is NaN");
            assertThatThrownBy(() -> Scan.dots(store, new float[1][2], new Block("b", 2, 2, 1)))
                    .hasMessageContaining("is not within the width 3");
        }
    }

    @Test
    void theBandwidthOfThisMachineIsPlausible() {
        assertThat(MemoryBandwidth.gigabytesPerSecond()).isBetween(0.1, 10_000.0);
    }
}
