package dev.ascribe.similarity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.Ranking;
import dev.ascribe.corpus.Corpora;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SentenceEmbeddingTest implements SimilarityContract {

    @Override
    public Similarity over(Corpus corpus) {
        return SentenceEmbedding.over(corpus);
    }

    @Test
    void rowsThatMeanTheSameInOtherWordsComeFirst() {
        try (Corpus corpus = Corpora.of("rows", ROWS);
                Similarity similarity = over(corpus)) {
            assertThat(Ranking.top(similarity.scores("a recipe for a loaf"), 1)).containsExactly(1);
            assertThat(Ranking.top(similarity.scores("organelle that makes energy"), 1))
                    .containsExactly(2);
        }
    }

    @Test
    void scoresAreCosines() {
        try (Corpus corpus = Corpora.of("rows", ROWS);
                Similarity similarity = over(corpus)) {
            double[] scores = similarity.scores(ROWS.getFirst().words());
            assertThat(scores[0]).isCloseTo(1, within(1e-5));
            assertThat(scores[3]).as("a row without any token").isZero();
            assertThat(Arrays.stream(scores)).allMatch(score -> Math.abs(score) <= 1 + 1e-5);
        }
    }

    @Test
    void aTextOfThousandsOfWordsIsEmbedded() {
        String text = "Bread needs flour and patience. ".repeat(500);
        try (Corpus corpus = Corpora.of("rows", List.of(new Content.Text(text), ROWS.get(2)));
                Similarity similarity = over(corpus)) {
            assertThat(Ranking.top(similarity.scores("bread"), 1)).containsExactly(0);
        }
    }

    @Test
    void progressCountsEveryRow() {
        List<Long> seen = new ArrayList<>();
        try (Corpus corpus = Corpora.of("rows", ROWS);
                Similarity similarity = SentenceEmbedding.over(corpus, (job, done, total) -> seen.add(done))) {
            assertThat(similarity.name()).isEqualTo("embedding");
            assertThat(seen).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
        }
    }
}
