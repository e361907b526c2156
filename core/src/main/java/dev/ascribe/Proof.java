package dev.ascribe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The judge's answer to a claim "these rows taught the model this": retrained without them, and without as many random rows.
 * Losses are mean nats per target token of the query, of a model of trees the loss of the prediction, one per seed; the same position is the same seed.
 *
 * @param query what was asked and answered
 * @param removed the named rows
 * @param effect loss without the named rows minus loss without random rows, mean over seeds, 95 % interval
 * @param outputWithAll the model's greedy answer after training on all rows (first seed)
 * @param outputWithoutNamed the same without the named rows
 * @param outputs every retraining's answer, by arm, one per seed
 * @param verdict {@code shown} or {@code not shown}
 * @param reason one sentence that says why
 * @param retraining of a model of trees: how it was retrained
 */
public record Proof(
        Map<String, Object> query,
        List<Integer> removed,
        List<Long> seeds,
        List<Double> lossWithAll,
        List<Double> lossWithoutNamed,
        List<Double> lossWithoutRandom,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<Double> lossWithoutMatched,
        Effect effect,
        String outputWithAll,
        String outputWithoutNamed,
        Map<String, List<String>> outputs,
        String verdict,
        String reason,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Retraining retraining,
        Provenance provenance)
        implements Result {
    /** The name and version of the document that this record becomes. */
    public static final String SCHEMA = "ascribe/proof/1";
    /** The verdict of a claim that held. */
    public static final String SHOWN = "shown";
    /** The verdict of a claim that did not. */
    public static final String NOT_SHOWN = "not shown";

    /** A difference of losses with its 95 % interval, in {@code unit}. */
    public record Effect(double mean, double low, double high, String unit) {}

    /**
     * How a model of trees was retrained, and whether that gives the model again.
     *
     * @param trainer library and version
     * @param parameters as they were given to it
     * @param chance whether two trainings on the same rows may differ; if not, the seeds draw the random rows alone
     * @param reproduced whether all rows gave the model again
     * @param worst the largest difference of a training row's margin from the model's
     * @param limit up to where that counts as the same
     */
    public record Retraining(
            String trainer,
            Map<String, String> parameters,
            boolean chance,
            boolean reproduced,
            double worst,
            double limit) {}

    @Override
    public String schema() {
        return SCHEMA;
    }

    /** Whether the claim held. */
    public boolean shown() {
        return verdict.equals(SHOWN);
    }
}
