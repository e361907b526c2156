package dev.ascribe.similarity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.Corpus;
import dev.ascribe.Progress;
import dev.ascribe.UserInputException;
import dev.ascribe.corpus.Corpora;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetrievalTest {

    @ParameterizedTest
    @ValueSource(strings = {"all", "bm25:200", "embed:1", "hybrid:37"})
    void whatIsReadIsWrittenTheSame(String text) {
        assertThat(Retrieval.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "bm25",
                "bm25:",
                "bm25:-1",
                "bm25:0",
                "all:3",
                "BM25:200",
                "tfidf:200",
                "embed:9999999999",
                " all"
            })
    void whatNamesNoCandidatesIsRefused(String text) {
        assertThatThrownBy(() -> Retrieval.parse(text)).isInstanceOf(UserInputException.class);
    }

    @Test
    void aRefusalSaysWhatToWrite() {
        assertThatThrownBy(() -> Retrieval.parse("bm25"))
                .hasMessageContaining("'bm25'")
                .hasMessageContaining("all, bm25:200, embed:200 or hybrid:200");
        assertThatThrownBy(() -> Retrieval.parse("bm25:0")).hasMessageContaining("at least 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bm25:2", "embed:2", "hybrid:2"})
    void theRowsMostAlikeAreTheCandidates(String text) {
        assertThat(candidates(text, "Who painted the Mona Lisa, Leonardo?"))
                .hasSize(2)
                .startsWith(4);
    }

    @Test
    void allRowsAreCandidatesInTheirOrder() {
        assertThat(candidates("all", "bread")).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @Test
    void moreCandidatesThanRowsAreAllRows() {
        assertThat(candidates("bm25:200", "bread")).hasSize(6).startsWith(1);
    }

    private static int[] candidates(String text, String query) {
        Retrieval retrieval = Retrieval.parse(text);
        try (Corpus corpus = Corpora.of("rows", SimilarityContract.ROWS);
                Similarity similarity = retrieval.over(corpus, Progress.SILENT)) {
            return retrieval.candidates(similarity, query);
        }
    }
}
