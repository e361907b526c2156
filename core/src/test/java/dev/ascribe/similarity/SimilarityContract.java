package dev.ascribe.similarity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.Ranking;
import dev.ascribe.corpus.Corpora;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What every similarity does, however it scores. */
interface SimilarityContract {
    /** Rows of which each is about something else; one is nothing but space. */
    List<Content> ROWS = List.of(
            new Content.Instruction(
                    "When was Tower Bridge built?", "", "Tower Bridge was built in 1894 by Horace Jones."),
            new Content.Completion("How do I bake bread?", "Mix flour, water, salt and yeast; let it rise; bake it."),
            new Content.Text("The mitochondrion is the powerhouse of the cell."),
            new Content.Text(" "),
            new Content.Chat(List.of(
                    new Content.Message("user", "Who painted the Mona Lisa?"),
                    new Content.Message("assistant", "Leonardo da Vinci painted it."))),
            new Content.Text("Kätzchen spielen gern mit Wolle; 小猫喜欢毛线。"));

    Similarity over(Corpus corpus);

    private Similarity overRows() {
        try (Corpus corpus = Corpora.of("rows", ROWS)) {
            return over(corpus); // which outlives the corpus
        }
    }

    @Test
    default void aRowsOwnWordsFindThatRowFirst() {
        try (Similarity similarity = overRows()) {
            for (int row = 0; row < ROWS.size(); row++) {
                if (!ROWS.get(row).words().isBlank()) {
                    assertThat(Ranking.top(similarity.scores(ROWS.get(row).words()), 1))
                            .containsExactly(row);
                }
            }
        }
    }

    @Test
    default void everyRowHasAFiniteScoreWhateverTheQuery() {
        try (Similarity similarity = overRows()) {
            for (String query : List.of(
                    "", " \n", "\u0000", "+-&&||!(){}[]^\"~*?:\\/ AND OR NOT bread:x", "😀", "bread ".repeat(3000))) {
                assertThat(similarity.scores(query)).hasSize(ROWS.size()).matches(SimilarityContract::finite);
            }
        }
    }

    @Test
    default void aQueryHasTheSameScoresEachTimeAndInEveryThread() {
        try (Similarity similarity = overRows()) {
            double[] once = similarity.scores("bake a bridge");
            assertThat(IntStream.range(0, 50)
                            .parallel()
                            .allMatch(i -> Arrays.equals(once, similarity.scores("bake a bridge"))))
                    .isTrue();
        }
    }

    @Test
    default void itHasAName() {
        try (Similarity similarity = overRows()) {
            assertThat(similarity.name()).matches("[a-z][a-z0-9-]*");
        }
    }

    private static boolean finite(double[] scores) {
        return Arrays.stream(scores).allMatch(Double::isFinite);
    }
}
