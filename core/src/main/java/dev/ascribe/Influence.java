package dev.ascribe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
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
 * @param fields of a row of a table: what stands in it; null elsewhere
 * @param ledger what a ledger knows of the row, or null where none was asked
 */
public record Influence(
        int rank,
        int row,
        SampleId id,
        double score,
        String text,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Ranks ranks,

        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable TableRow fields,

        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable History ledger) {

    /** One of which no ledger was asked. */
    public Influence(int rank, int row, SampleId id, double score, String text, @Nullable Ranks ranks) {
        this(rank, row, id, score, text, ranks, null, null);
    }

    /** The same, with what a ledger knows of the row. */
    public Influence with(History history) {
        return new Influence(rank, row, id, score, text, ranks, fields, history);
    }

    /**
     * The row's rank, 1 = first, by words (BM25), by meaning (sentence embedding) and by gradient; null where not measured.
     */
    public record Ranks(
            @Nullable Integer lexical,
            @Nullable Integer embedding,
            @Nullable Integer gradient) {}

    /**
     * All that a ledger knows of a row.
     *
     * @param origin the ledger's name
     * @param size entries of the log that this is all in
     * @param commitment what stands for the row there, 64 hexadecimal digits
     * @param events how many there are about it
     * @param first index of the first
     * @param last index of the last
     * @param story what happened, for people, in order
     * @param proof that these are all, as the text of a {@code .tlog-proof} file
     */
    public record History(
            String origin,
            long size,
            String commitment,
            long events,
            long first,
            long last,
            List<String> story,
            String proof) {
        public History {
            story = List.copyOf(story);
        }
    }
}
