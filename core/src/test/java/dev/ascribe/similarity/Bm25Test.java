package dev.ascribe.similarity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.corpus.Corpora;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class Bm25Test implements SimilarityContract {

    @Override
    public Similarity over(Corpus corpus) {
        return Bm25.over(corpus);
    }

    @Property(tries = 100)
    void scoresAreThoseOfTheFormula(
            @ForAll @Size(min = 1, max = 12) List<@From("texts") List<String>> rows,
            @ForAll("texts") List<String> query) {
        try (Bm25 bm25 =
                over(rows.stream().map(words -> String.join(" ", words)).toList())) {
            double[] scores = bm25.scores(String.join(" ", query));
            for (int row = 0; row < rows.size(); row++) {
                assertThat(scores[row]).isCloseTo(formula(rows, row, query), within(1e-5));
            }
        }
    }

    private static double formula(List<List<String>> rows, int row, List<String> query) {
        List<String> words = rows.get(row);
        // Rows without any word do not count, neither as rows nor in the mean.
        List<List<String>> counted = rows.stream().filter(r -> !r.isEmpty()).toList();
        double mean = counted.stream().mapToInt(List::size).average().orElse(1);
        double sum = 0;
        for (String word : query) {
            double n = counted.stream().filter(r -> r.contains(word)).count();
            double tf = Collections.frequency(words, word);
            double idf = Math.log(1 + (counted.size() - n + 0.5) / (n + 0.5));
            sum += idf * tf / (tf + 1.2 * (1 - 0.75 + 0.75 * words.size() / mean));
        }
        return sum;
    }

    @Provide
    Arbitrary<List<String>> texts() {
        return Arbitraries.of("the", "of", "tower", "eiffel", "1889", "running", "run")
                .list()
                .ofMaxSize(30);
    }

    @Test
    void rowsThatShareNoWordScoreZero() {
        try (Bm25 bm25 = over(List.of("towers and bridges", "a tower", "rivers"))) {
            assertThat(bm25.scores("tower")).satisfies(scores -> {
                assertThat(scores[0]).isZero(); // no stemming
                assertThat(scores[1]).isPositive();
                assertThat(scores[2]).isZero();
            });
        }
    }

    @Test
    void letterCaseAndPunctuationDoNotMatterAndStopWordsCount() {
        try (Bm25 bm25 = over(List.of("The Tower.", "bridge"))) {
            assertThat(bm25.scores("THE")[0]).isPositive();
            assertThat(bm25.scores("\"tower\"*")).isEqualTo(bm25.scores("Tower"));
        }
    }

    @Test
    void aQueryMayHaveThousandsOfWords() {
        String query = IntStream.range(0, 5000).mapToObj(i -> "word" + i).collect(Collectors.joining(" "));
        try (Bm25 bm25 = over(List.of("word4999", "word5000"))) {
            assertThat(bm25.scores(query)[0]).isPositive();
            assertThat(bm25.scores(query)[1]).isZero();
        }
    }

    @Test
    void scoresBelongToTheirRowsInACorpusOfManySegments() {
        int rows = 60_000; // several times the writer's buffer of 16 MB
        try (Bm25 bm25 = over(IntStream.range(0, rows)
                .mapToObj(i -> "row%d %s".formatted(i, distinctWords(i)))
                .toList())) {
            for (int row = 0; row < rows; row += 997) {
                double[] scores = bm25.scores("row" + row);
                int wanted = row;
                assertThat(IntStream.range(0, rows).filter(i -> scores[i] > 0)).containsExactly(wanted);
            }
        }
    }

    private static String distinctWords(int row) {
        return IntStream.range(0, 12).mapToObj(i -> "w" + row + "x" + i).collect(Collectors.joining(" "));
    }

    private static Bm25 over(List<String> texts) {
        try (Corpus corpus =
                Corpora.of("texts", texts.stream().map(Content.Text::new).toList())) {
            return Bm25.over(corpus);
        }
    }
}
