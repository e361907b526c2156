package dev.ascribe.torch.gradient;

import dev.ascribe.store.FeatureStore;
import dev.ascribe.store.Scan;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An instance of the gradient lens: a curvature, and whether both sides are normalised.
 *
 * @param label the name that the command line uses
 * @param scale the unit of the scores
 * @param curvature C
 * @param normalised whether scores are cosines
 */
public record GradientMethod(String label, String scale, Curvature curvature, boolean normalised) {
    private static final GradientMethod DATAINF = new GradientMethod("datainf", "nats", new DataInf(), false);

    private static final List<GradientMethod> ALL = List.of(
            new GradientMethod("gradient-cosine", "cosine", Curvature.IDENTITY, true),
            new GradientMethod("gradient-dot", "dot", Curvature.IDENTITY, false),
            DATAINF);

    /** By the name that the command line uses. */
    public static Optional<GradientMethod> named(String name) {
        return ALL.stream().filter(method -> method.label.equals(name)).findFirst();
    }

    /** All names, the default first. */
    public static List<String> names() {
        return ALL.stream().map(GradientMethod::label).toList();
    }

    /** Whether checkpoints count by their learning rate (else equally). */
    public boolean weightedByLearningRate() {
        return !normalised;
    }

    /** Every number that the scores depend on beside gradients. */
    public Map<String, Object> parameters() {
        Map<String, Object> parameters = new LinkedHashMap<>();
        parameters.put("name", label);
        if (equals(DATAINF)) {
            parameters.put("dampingFactor", DataInf.DAMPING);
        }
        return parameters;
    }

    /**
     * Scores every row for every query.
     *
     * @param rows the rows' gradients at one checkpoint
     * @param queries the queries' gradients there, shape (Q, width)
     * @return shape (Q, rows)
     */
    public double[][] scores(FeatureStore rows, float[][] queries) {
        float[][] bent = curvature.precondition(rows, queries);
        float[][] dots = Scan.dots(rows, bent);
        double[][] scores = new double[queries.length][rows.rows()];
        for (int q = 0; q < queries.length; q++) {
            double length = normalised ? norm(queries[q]) : 1;
            for (int i = 0; i < scores[q].length; i++) {
                double scale = normalised ? length * rows.norm(i) : 1;
                scores[q][i] = scale == 0 ? 0 : dots[q][i] / scale;
            }
        }
        return scores;
    }

    private static double norm(float[] vector) {
        double sum = 0;
        for (float value : vector) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum);
    }
}
