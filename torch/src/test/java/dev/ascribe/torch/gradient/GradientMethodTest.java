package dev.ascribe.torch.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.store.Block;
import dev.ascribe.store.Dtype;
import dev.ascribe.store.FeatureStore;
import dev.ascribe.store.FeatureStoreWriter;
import dev.ascribe.store.StoreSpec;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the formulas of the page on conventions, with n × d matrices and no trick. */
class GradientMethodTest {
    private static final int ROWS = 37;

    /** The second block is of zeros: its λ is 0. The fourth has more entries than columns, as projected blocks do. */
    private static final List<Block> BLOCKS = List.of(
            new Block("a", 0, 5, 5), new Block("b", 5, 4, 4), new Block("c", 9, 8, 8), new Block("d", 17, 3, 12));

    private static final int WIDTH = 20;
    private static final int ZERO_ROW = 11;

    private final float[][] rows = random(ROWS, 1);
    private final float[][] queries = random(3, 2);

    @TempDir
    private Path directory;

    GradientMethodTest() {
        for (float[] row : rows) {
            for (int i = 5; i < 9; i++) {
                row[i] = 0;
            }
        }
        rows[ZERO_ROW] = new float[WIDTH];
        rows[ZERO_ROW + 1][0] = 50; // large against the damping
    }

    @Test
    void dotIsTheInnerProduct() {
        double[][] scores = scores("gradient-dot");
        for (int q = 0; q < queries.length; q++) {
            for (int i = 0; i < ROWS; i++) {
                assertThat(scores[q][i]).isCloseTo(dot(queries[q], rows[i], 0, WIDTH), within(1e-4));
            }
        }
    }

    @Test
    void cosineIsTheInnerProductOverTheNormsAndZeroWhereOneIsZero() {
        queries[2] = new float[WIDTH];
        double[][] scores = scores("gradient-cosine");
        for (int q = 0; q < queries.length; q++) {
            for (int i = 0; i < ROWS; i++) {
                double norms = Math.sqrt(dot(queries[q], queries[q], 0, WIDTH) * dot(rows[i], rows[i], 0, WIDTH));
                double expected = norms == 0 ? 0 : dot(queries[q], rows[i], 0, WIDTH) / norms;
                assertThat(scores[q][i]).isCloseTo(expected, within(1e-6));
            }
        }
        assertThat(scores[0][ZERO_ROW]).isZero();
        assertThat(scores[2]).containsOnly(0);
    }

    @Test
    void datainfIsItsFormulaBlockByBlock() {
        double[][] scores = scores("datainf");
        double[] damping = new double[BLOCKS.size()];
        for (int q = 0; q < queries.length; q++) {
            double[] expected = new double[ROWS];
            for (int b = 0; b < BLOCKS.size(); b++) {
                Block block = BLOCKS.get(b);
                int from = block.offset();
                int to = from + block.width();
                for (float[] row : rows) {
                    damping[b] += q > 0 ? 0 : 0.1 * dot(row, row, from, to) / ROWS / block.entries();
                }
                for (int i = 0; damping[b] > 0 && i < ROWS; i++) {
                    double sum = 0;
                    for (float[] other : rows) {
                        double along = dot(rows[i], other, from, to)
                                / (damping[b] + dot(other, other, from, to))
                                * dot(queries[q], other, from, to);
                        sum += dot(queries[q], rows[i], from, to) - along;
                    }
                    expected[i] += sum / (ROWS * damping[b]) / ROWS;
                }
            }
            double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            assertThat(scores[q]).containsExactly(expected, within(1e-5 * largest));
            assertThat(scores[q][ZERO_ROW]).isZero();
        }
        assertThat(damping[1]).isZero();
        assertThat(damping[3]).isPositive();
    }

    @Test
    void datainfOfRowsThatAreAllZeroIsZero() {
        for (int i = 0; i < ROWS; i++) {
            rows[i] = new float[WIDTH];
        }
        for (double[] scores : scores("datainf")) {
            assertThat(scores).containsOnly(0);
        }
    }

    @Test
    void datainfRefusesASketch() {
        List<Block> sketch = List.of(new Block(Sketch.WHOLE, 0, WIDTH, 400));
        try (FeatureStore store = store(sketch)) {
            assertThatThrownBy(() -> method("datainf").scores(store, queries))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage("datainf needs every matrix apart, but this index was sketched to width 20; "
                            + "build one with --width all");
        }
    }

    @Test
    void methodsAreFoundByNameAndTellTheirNumbers() {
        assertThat(GradientMethod.names()).containsExactly("gradient-cosine", "gradient-dot", "datainf");
        assertThat(GradientMethod.named("datainf2")).isEmpty();
        assertThat(method("datainf").parameters()).isEqualTo(Map.of("name", "datainf", "dampingFactor", 0.1));
        assertThat(method("gradient-dot").parameters()).isEqualTo(Map.of("name", "gradient-dot"));
        assertThat(GradientMethod.names().stream().map(name -> method(name).scale()))
                .containsExactly("cosine", "dot", "nats");
        assertThat(method("gradient-cosine").weightedByLearningRate()).isFalse();
        assertThat(method("datainf").weightedByLearningRate()).isTrue();
    }

    private double[][] scores(String name) {
        try (FeatureStore store = store(BLOCKS)) {
            return method(name).scores(store, queries);
        }
    }

    private static GradientMethod method(String name) {
        return GradientMethod.named(name).orElseThrow();
    }

    private FeatureStore store(List<Block> blocks) {
        StoreSpec spec = new StoreSpec(Dtype.F32, WIDTH, blocks, Map.of("of", "test"));
        try (FeatureStoreWriter writer = FeatureStoreWriter.open(directory.resolve("store"), spec, ROWS)) {
            for (int i = 0; i < ROWS; i++) {
                writer.append(SampleId.of(("row " + i).getBytes(StandardCharsets.UTF_8)), rows[i]);
            }
            writer.finish();
        }
        return FeatureStore.open(directory.resolve("store"));
    }

    private static float[][] random(int count, long seed) {
        Random random = new Random(seed);
        float[][] all = new float[count][WIDTH];
        for (float[] row : all) {
            for (int i = 0; i < WIDTH; i++) {
                row[i] = (float) random.nextGaussian();
            }
        }
        return all;
    }

    private static double dot(float[] a, float[] b, int from, int to) {
        double sum = 0;
        for (int i = from; i < to; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
