package dev.ascribe.similarity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.Corpus;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HybridTest implements SimilarityContract {

    @Override
    public Similarity over(Corpus corpus) {
        return Hybrid.of(Bm25.over(corpus), Bm25.over(corpus));
    }

    @Test
    void scoresAreSumsOfReciprocalRanks() {
        try (Similarity hybrid = Hybrid.of(fixed(3, 2, 1), fixed(10, 30, 20))) {
            assertThat(hybrid.scores("any"))
                    .containsExactly(1.0 / 61 + 1.0 / 63, 1.0 / 62 + 1.0 / 61, 1.0 / 63 + 1.0 / 62);
        }
    }

    @Test
    void rowsOfEqualScoreHaveEqualRank() {
        try (Similarity hybrid = Hybrid.of(fixed(0, 5, 0, 7, 0))) {
            assertThat(hybrid.scores("any")).containsExactly(1.0 / 63, 1.0 / 62, 1.0 / 63, 1.0 / 61, 1.0 / 63);
        }
    }

    @Test
    void closingItClosesItsParts() {
        AtomicInteger closed = new AtomicInteger();
        Hybrid.of(new Fixed(closed, 1), new Fixed(closed, 2)).close();
        assertThat(closed).hasValue(2);
    }

    @Test
    void aFusionOfNothingIsRefused() {
        assertThatThrownBy(Hybrid::of).isInstanceOf(IllegalArgumentException.class);
    }

    private static Similarity fixed(double... scores) {
        return new Fixed(new AtomicInteger(), scores);
    }

    private static final class Fixed implements Similarity {
        private final AtomicInteger closed;
        private final double[] wanted;

        Fixed(AtomicInteger closed, double... wanted) {
            this.closed = closed;
            this.wanted = wanted;
        }

        @Override
        public String name() {
            return "fixed";
        }

        @Override
        public double[] scores(String query) {
            return wanted.clone();
        }

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }
}
