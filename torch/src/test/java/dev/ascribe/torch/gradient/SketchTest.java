package dev.ascribe.torch.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.UserInputException;
import dev.ascribe.store.Block;
import dev.ascribe.store.Dtype;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.train.Run.TextSettings;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SketchTest {
    private static final int SEEDS = 2000;
    private static final List<Block> FULL =
            List.of(new Block("a", 0, 40, 40), new Block("b", 40, 7, 7), new Block("c", 47, 33, 33));
    private static final List<Block> EACH =
            List.of(new Block("a", 0, 9, 40), new Block("b", 9, 7, 7), new Block("c", 16, 5, 33));

    private static float[] row(int seed) {
        Random random = new Random(seed);
        float[] row = new float[80];
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) (random.nextGaussian() + 0.5);
        }
        return row;
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    @Test
    void innerProductsAreUnbiased() {
        assertUnbiased(EACH);
        assertUnbiased(Sketch.whole(FULL, 16));
    }

    /** Over many seeds the mean lies within four standard errors of the truth, and the truth is many errors from zero. */
    private static void assertUnbiased(List<Block> stored) {
        double exact = dot(row(1), row(2));
        double sum = 0;
        double squares = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Sketch sketch = Sketch.of(FULL, stored, seed);
            double found = dot(sketch.apply(row(1), 1), sketch.apply(row(2), 1));
            sum += found;
            squares += found * found;
        }
        double mean = sum / SEEDS;
        double error = Math.sqrt((squares / SEEDS - mean * mean) / SEEDS);
        assertThat(error).isPositive();
        assertThat(mean).isCloseTo(exact, within(4 * error));
        assertThat(exact).isGreaterThan(20 * error);
    }

    @Test
    void everyNumberGoesToOneColumnOfItsBlockAndColumnsShareThemEvenly() {
        Sketch sketch = Sketch.of(FULL, EACH, 3);
        int[] taken = new int[sketch.width()];
        for (int i = 0; i < 80; i++) {
            float[] unit = new float[80];
            unit[i] = 1;
            float[] sketched = sketch.apply(unit, 1);
            int[] hit = IntStream.range(0, sketched.length)
                    .filter(c -> sketched[c] != 0)
                    .toArray();
            assertThat(hit).hasSize(1);
            assertThat(Math.abs(sketched[hit[0]])).isEqualTo(1);
            Block block = i < 40 ? EACH.get(0) : i < 47 ? EACH.get(1) : EACH.get(2);
            assertThat(hit[0]).isBetween(block.offset(), block.offset() + block.width() - 1);
            taken[hit[0]]++;
        }
        assertThat(Arrays.copyOf(taken, 9)).containsOnly(4, 5);
        assertThat(Arrays.copyOfRange(taken, 9, 16)).containsOnly(1);
        assertThat(Arrays.copyOfRange(taken, 16, 21)).containsOnly(6, 7);
    }

    @Test
    void blocksAsWideAsTheyWereStayAsTheyAre() {
        float[] two = new float[160];
        System.arraycopy(row(1), 0, two, 0, 80);
        System.arraycopy(row(2), 0, two, 80, 80);
        assertThat(Sketch.of(FULL, FULL, 3).apply(two, 2)).isEqualTo(two);
        float[] sketched = Sketch.of(FULL, EACH, 3).apply(two, 2);
        assertThat(Arrays.copyOfRange(sketched, 21 + 9, 21 + 16)).isEqualTo(Arrays.copyOfRange(row(2), 40, 47));
        assertThat(Arrays.copyOf(sketched, 21))
                .isEqualTo(Sketch.of(FULL, EACH, 3).apply(row(1), 1));
    }

    @Test
    void theSameSeedGivesTheSameSketchAndAnotherAnother() {
        assertThat(Sketch.of(FULL, EACH, 3).apply(row(1), 1))
                .isEqualTo(Sketch.of(FULL, EACH, 3).apply(row(1), 1))
                .isNotEqualTo(Sketch.of(FULL, EACH, 4).apply(row(1), 1));
    }

    @Test
    void columnsGoWhereTheEnergyIsAndEveryBlockKeepsAQuarterOfAnEvenShare() {
        double[] shares = {0.75, 0.25, 0};
        assertThat(Sketch.each(FULL, 12, () -> shares))
                .containsExactly(
                        new Block("a", 0, 23, 40), // 12 · (¼ + ¾ · 3 · ¾)
                        new Block("b", 23, 7, 7), // would take 9
                        new Block("c", 30, 3, 33));
        assertThat(Sketch.each(FULL, 40, () -> {
                    throw new AssertionError("not asked for");
                }))
                .isEqualTo(FULL);
    }

    @Test
    void aWholeSketchHasOneBlockWithAllEntries() {
        assertThat(Sketch.whole(FULL, 16)).containsExactly(new Block(Sketch.WHOLE, 0, 16, 80));
        assertThat(Sketch.whole(FULL, 80)).isEqualTo(FULL);
    }

    @Test
    void blocksOfOtherFeaturesAreRefused() {
        assertThatThrownBy(() -> Sketch.of(FULL, List.of(FULL.get(0), new Block("x", 40, 7, 7), FULL.get(2)), 1))
                .isInstanceOf(UserInputException.class)
                .hasMessage(
                        "the features' block 1 is of x with 7 numbers, but the model gives b with 7: build the index again");
        assertThatThrownBy(() -> Sketch.of(FULL, FULL.subList(0, 2), 1)).isInstanceOf(UserInputException.class);
        assertThatThrownBy(() -> Sketch.of(EACH, FULL, 1)).isInstanceOf(UserInputException.class);
    }

    @Test
    void settingsChooseTheBlocks() {
        double[] even = {1 / 3.0, 1 / 3.0, 1 / 3.0};
        assertThat(settings("12", "all").stored(FULL, () -> even))
                .extracting(Block::width)
                .containsExactly(12, 7, 12);
        assertThat(settings("12", "16").stored(FULL, () -> even)).isEqualTo(Sketch.whole(FULL, 16));
        assertThat(settings("none", "all").stored(FULL, () -> even)).isEqualTo(FULL);
        assertThat(settings("16x8", "all").stored(FULL, () -> even)).isEqualTo(FULL);
        assertThat(settings("16x8", "all").sides()).isEqualTo(new Projection(16, 8, 5));
        assertThat(Stream.of("12", "none").map(p -> settings(p, "all").sides())).containsOnly(Projection.none());
        for (String bad : List.of("0", "x", "0x16", "16x0", "-1x4", "16X16", "", "100000x1")) {
            assertThatThrownBy(() -> settings(bad, "all"))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage("--projection '" + bad
                            + "' must be numbers a matrix such as 256, two sides such as 16x16, or none");
        }
        assertThatThrownBy(() -> settings("none", "0")).isInstanceOf(UserInputException.class);
    }

    private static IndexSettings settings(String projection, String width) {
        return new IndexSettings(
                "lora",
                projection,
                width,
                Dtype.F32,
                Precision.F32,
                new TextSettings("none", "response", 60, false),
                5);
    }
}
