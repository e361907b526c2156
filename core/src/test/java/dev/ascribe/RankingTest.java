package dev.ascribe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class RankingTest {

    @Property
    void orderIsThatOfAStableSortByScore(@ForAll @Size(max = 40) double @DoubleRange(min = -2, max = 2) [] scores) {
        int[] expected = IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -scores[i] + 0.0))
                .mapToInt(Integer::intValue)
                .toArray();
        assertThat(Ranking.top(scores, scores.length)).isEqualTo(expected);
    }

    @Test
    void tiesGoToTheLowerRow() {
        assertThat(Ranking.top(new double[] {1, 3, 0.0, 3, -0.0}, 5)).containsExactly(1, 3, 0, 2, 4);
        assertThat(Ranking.bottom(new double[] {1, 3, 1, 3}, 3)).containsExactly(0, 2, 1);
    }

    @Test
    void doublesThatAreEqualAsFloatsAreStillOrdered() {
        double[] scores = {1.0, 1.0 + 1e-12, 1.0 + 2e-12};
        assertThat(Ranking.top(scores, 2)).containsExactly(2, 1);
    }

    @Test
    void ranksInvertTheOrder() {
        assertThat(Ranking.ranks(new double[] {0.1, 0.9, 0.5})).containsExactly(3, 1, 2);
    }

    @Test
    void notANumberIsRefusedByRow() {
        double[] scores = new double[3];
        Arrays.fill(scores, 1);
        scores[1] = Double.NaN;
        assertThatThrownBy(() -> Ranking.top(scores, 1)).hasMessageContaining("row 1");
    }
}
