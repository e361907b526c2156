package dev.ascribe;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/**
 * How much one training row speaks for the traced output. A positive score means helpful: removing the row is predicted to
 * raise the query's loss.
 *
 * @param rank 1 for the first of its list
 * @param row zero-based row of the corpus
 * @param id the sample's identity
 * @param score in the unit of {@link Attribution#scale()}
 * @param text the row's words
 * @param ranks where other evidence would have put the row
 */
public record Influence(
        int rank,
        int row,
        SampleId id,
        double score,
        String text,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Ranks ranks) {

    /**
     * The row's rank, 1 = first, by words (BM25), by meaning (sentence embedding) and by gradient; null where not measured.
     */
    public record Ranks(
            @Nullable Integer lexical,
            @Nullable Integer embedding,
            @Nullable Integer gradient) {}
}
