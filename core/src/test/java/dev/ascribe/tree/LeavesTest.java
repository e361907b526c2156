package dev.ascribe.tree;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Progress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LeavesTest {

    /** A tree whose leaf k holds k - 1 < x <= k, a balanced search. */
    private static Tree search(int leaves) {
        Splits splits = new Splits(leaves - 1);
        int[] next = {0};
        build(splits, 0, leaves, next);
        double[] values = new double[leaves];
        return Tree.of("search", splits, 1, 0, 1, values, new double[leaves]);
    }

    private static int build(Splits splits, int from, int to, int[] next) {
        if (to - from == 1) {
            return ~from;
        }
        int split = next[0]++;
        int middle = (from + to) >>> 1;
        splits.threshold()[split] = middle - 1;
        splits.left()[split] = build(splits, from, middle, next);
        splits.right()[split] = build(splits, middle, to, next);
        return split;
    }

    @ParameterizedTest
    @CsvSource({"256, 1", "257, 2", "65536, 2", "65537, 4"})
    void aLeafIsKeptInAsFewBytesAsItNeeds(int leaves, int bytes) {
        int rows = 10_000; // more than one range
        double[] column = new double[rows];
        for (int row = 0; row < rows; row++) {
            column[row] = Math.floorDiv((long) row * (leaves - 1), rows - 1);
        }
        TreeEnsemble model = new TreeEnsemble(
                Path.of("search"),
                TreeEnsemble.Kind.FOREST,
                List.of(Feature.numeric("x")),
                true,
                "regression",
                null,
                "none",
                null,
                List.of(0.0),
                null,
                null,
                false,
                false,
                List.of(List.of(search(leaves))),
                1,
                new TreeEnsemble.Precision(false, false, false),
                List.of(),
                java.util.Map.of());
        Leaves found = Leaves.of(model, new double[][] {column}, Progress.SILENT);
        assertThat(found.bytes()).isEqualTo((long) rows * bytes);
        int[] all = new int[rows];
        found.read(0, 0, rows, all);
        for (int row = 0; row < rows; row++) {
            assertThat(all[row]).isEqualTo((int) column[row]);
            assertThat(found.of(row)).containsExactly((int) column[row]);
        }
        int[] counts = found.counts(0, leaves);
        assertThat(counts[leaves - 1]).isPositive();
        assertThat(Arrays.stream(counts).sum()).isEqualTo(rows);
    }
}
