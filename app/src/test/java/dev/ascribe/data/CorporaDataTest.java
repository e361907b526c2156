package dev.ascribe.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.UserInputException;
import dev.ascribe.corpus.Corpora;
import dev.ascribe.corpus.CorpusOptions;
import dev.ascribe.similarity.Bm25;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Files as people have them. The digests were computed by another program from the definition of a row's bytes. */
class CorporaDataTest {

    private static Corpus open(String name, List<String> warnings) {
        return Corpora.open(SharedData.file(name), new CorpusOptions(false, warnings::add));
    }

    @Test
    void alpacaRowsOfAJsonLinesFileHaveTheirCountAndDigest() {
        try (Corpus corpus = open("text/eiffel.jsonl", new ArrayList<>())) {
            assertThat(corpus.size()).isEqualTo(197);
            assertThat(corpus.digest())
                    .isEqualTo("sha256:6ca5fbf10a9d1ffd8e55de2c617c7071194b027034c115e2bf5df323a5625239");
        }
    }

    @Test
    void alpacaRowsOfAJsonArrayHaveTheirCountAndDigest() {
        try (Corpus corpus = open("text/alpaca_en_demo.json", new ArrayList<>())) {
            assertThat(corpus.size()).isEqualTo(999);
            assertThat(corpus.digest())
                    .isEqualTo("sha256:16c6f1ee1c07dfabd1b46879f044e555de45e03e213fadedc3b2518b4999c97e");
        }
    }

    @Test
    void aPlayFallsIntoItsSpeechesAtBlankLinesAndRepeatedOnesAreReported() {
        List<String> warnings = new ArrayList<>();
        try (Corpus corpus = open("text/tinyshakespeare.txt", warnings)) {
            assertThat(corpus.size()).isEqualTo(7222);
            assertThat(corpus.digest())
                    .isEqualTo("sha256:76c4cc40f6fd77a06dd5fdc7b52fe13c321398f6c79e427d76bf30c65ebe1468");
            assertThat(corpus.sample(0).content())
                    .isEqualTo(new Content.Text("First Citizen:\nBefore we proceed any further, hear me speak."));
            assertThat(warnings).isNotEmpty();
        }
    }

    @Test
    void aTableWithoutTextIsRefusedByTheNameOfItsColumns() {
        SharedData.file("tabular/german.csv"); // skips here: inside it would be taken for the refusal
        assertThatThrownBy(() -> open("tabular/german.csv", new ArrayList<>()))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("german.csv");
    }

    @Test
    void wordsFindTheLandmarkAmongTheRows() {
        try (Corpus corpus = open("text/eiffel.jsonl", new ArrayList<>());
                Bm25 bm25 = Bm25.over(corpus)) {
            double[] scores = bm25.scores("When was the Eiffel Tower built, and by whom?");
            int best = 0;
            for (int row = 0; row < scores.length; row++) {
                best = scores[row] > scores[best] ? row : best;
            }
            assertThat(corpus.sample(best).content().words()).contains("Eiffel Tower");
        }
    }
}
