package dev.ascribe.torch.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.model.Sequence;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchOrderTest {
    private static final List<Sequence> ROWS =
            TinyModels.sequences(3, new Random(4).ints(101, 2, 60).toArray());

    @Test
    void everyRowComesExactlyOnceInAnEpoch() {
        for (int batch : new int[] {1, 8, 100, 101, 500}) {
            List<List<Sequence>> batches = BatchOrder.of(ROWS, batch, 9, 2);
            assertThat(batches).hasSize((101 + batch - 1) / batch);
            assertThat(batches).allMatch(rows -> rows.size() <= batch);
            assertThat(batches.stream().flatMap(List::stream)).containsExactlyInAnyOrderElementsOf(ROWS);
        }
    }

    @Test
    void seedAndEpochDecideTheOrder() {
        assertThat(BatchOrder.of(ROWS, 8, 9, 2)).isEqualTo(BatchOrder.of(ROWS, 8, 9, 2));
        assertThat(BatchOrder.of(ROWS, 8, 9, 2)).isNotEqualTo(BatchOrder.of(ROWS, 8, 9, 3));
        assertThat(BatchOrder.of(ROWS, 8, 9, 2)).isNotEqualTo(BatchOrder.of(ROWS, 8, 10, 2));
    }

    @Test
    void neighboursInABatchAreOfLikeLength() {
        List<Sequence> unsorted = ROWS.subList(0, 96);
        int padded = padded(BatchOrder.of(unsorted, 8, 9, 0));
        int asTheyCome = padded(IntStream.range(0, 12)
                .mapToObj(i -> unsorted.subList(8 * i, 8 * i + 8))
                .toList());
        int tokens = unsorted.stream().mapToInt(Sequence::length).sum();
        assertThat(padded - tokens).isLessThan((asTheyCome - tokens) / 3);
    }

    private static int padded(List<List<Sequence>> batches) {
        return batches.stream()
                .mapToInt(rows -> rows.size()
                        * rows.stream().mapToInt(Sequence::length).max().orElseThrow())
                .sum();
    }
}
