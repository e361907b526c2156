package dev.ascribe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The answer to "who taught the model this": ranked rows for each query, with everything needed to repeat it.
 *
 * @param method its {@code name} and every parameter that the scores depend on
 * @param scale the unit of the scores: {@code nats}, {@code cosine}, {@code dot}, {@code similarity},
 *     {@code half-squared-error} or {@code margin}
 * @param model of a model of trees: what it is and how it was read
 * @param approximate of a model of trees: whether its leaves need not be those of the rows
 * @param queries in the order asked
 * @param fidelity how far the scores were found to be true, or null when that was not measured
 * @param provenance what it was made from
 */
public record Attribution(
        Map<String, Object> method,
        String scale,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Model model,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Boolean approximate,
        List<Query> queries,
        @Nullable Fidelity fidelity,
        Provenance provenance)
        implements Result {
    /** The name and version of the document that this record becomes. */
    public static final String SCHEMA = "ascribe/attribution/1";

    public Attribution {
        queries = List.copyOf(queries);
    }

    /** Of a language model. */
    public Attribution(
            Map<String, Object> method,
            String scale,
            List<Query> queries,
            @Nullable Fidelity fidelity,
            Provenance provenance) {
        this(method, scale, null, null, queries, fidelity, provenance);
    }

    /** The same with other queries. */
    public Attribution withQueries(UnaryOperator<Query> change) {
        return new Attribution(
                method, scale, model, approximate, queries.stream().map(change).toList(), fidelity, provenance);
    }

    @Override
    public String schema() {
        return SCHEMA;
    }

    /**
     * One traced output.
     *
     * @param query what was asked and answered ({@code prompt}, {@code output}, or {@code row} of a query file)
     * @param loss mean nats per target token of the output under the model, or null if it has no target; of a model of trees the loss
     *     of the prediction, in nats or half a squared error, or null if its objective is not known
     * @param influences the highest scores, best first
     * @param harmful the most negative scores, lowest first
     * @param candidates which rows were scored
     * @param prediction of a model of trees: its margins; of a contrast: the difference
     * @param fields of a row of a table: what stands in it
     * @param contrast of two groups of a table's rows: which they are, and how their predictions differ; {@code loss} is then how far
     *     they are apart
     * @param tokens the answer's tokens, each with the rows behind it; null unless asked for
     */
    public record Query(
            Map<String, Object> query,
            @Nullable Double loss,
            List<Influence> influences,
            List<Influence> harmful,
            Candidates candidates,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            List<Double> prediction,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            TableRow fields,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Contrast contrast,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            List<Token> tokens) {
        /** Of a language model. */
        public Query(
                Map<String, Object> query,
                @Nullable Double loss,
                List<Influence> influences,
                List<Influence> harmful,
                Candidates candidates,
                @Nullable List<Token> tokens) {
            this(query, loss, influences, harmful, candidates, null, null, null, tokens);
        }

        /** The same with other words about its rows. */
        public Query withRows(UnaryOperator<Influence> change) {
            return new Query(
                    query,
                    loss,
                    influences.stream().map(change).toList(),
                    harmful.stream().map(change).toList(),
                    candidates,
                    prediction,
                    fields,
                    contrast,
                    tokens);
        }
    }

    /**
     * A model of trees.
     *
     * @param kind {@code xgboost}, {@code lightgbm}, {@code catboost} or {@code forest}
     * @param objective as its file has it
     * @param rounds how many rounds predict
     * @param features in the model's order, as rows' values are
     * @param target the column of the labels
     * @param classes what labels 0 … K − 1 are called; null for numbers
     * @param eta learning rate, as the file says, as the user says or as inferred; null where it plays no part
     * @param lambda what leaf denominators have beside the Hessians
     * @param intercept margins before the first round
     * @param reconstruction how well the rows give the leaves; null where they were not looked at
     */
    public record Model(
            String kind,
            String objective,
            int rounds,
            List<String> features,
            String target,
            @Nullable List<String> classes,
            @Nullable Double eta,
            @Nullable Double lambda,
            List<Double> intercept,
            @Nullable Reconstruction reconstruction) {}

    /**
     * Two groups of rows whose mean predictions are compared.
     *
     * @param column whose values tell them apart
     * @param a the value of the first group
     * @param b the value of the second
     * @param rowsA rows of the first
     * @param rowsB rows of the second
     * @param meanA mean margin of the first
     * @param meanB mean margin of the second
     * @param difference {@code meanA − meanB}
     */
    public record Contrast(
            String column, String a, String b, int rowsA, int rowsB, double meanA, double meanB, double difference) {}

    /** The worst leaf's distance from what the rows give, relative to its round's largest leaf, and how far it may be. */
    public record Reconstruction(double worst, double limit) {}

    /**
     * Which rows were scored.
     *
     * @param strategy {@code all}, {@code bm25:N}, {@code embed:N} or {@code hybrid:N}
     * @param count how many rows
     */
    public record Candidates(String strategy, int count) {}

    /**
     * A token of the answer and the rows that most explain it, strongest first.
     *
     * @param logprob its log-probability under the model, nats
     */
    public record Token(String text, double logprob, List<Share> influences) {}

    /** What one row says of one token. */
    public record Share(int row, double score) {}

    /**
     * How far the scores were found to be true.
     *
     * @param measure what was measured, such as {@code lds}
     * @param low lower end of its 95 % interval
     * @param high upper end
     */
    public record Fidelity(String measure, double value, double low, double high) {}
}
