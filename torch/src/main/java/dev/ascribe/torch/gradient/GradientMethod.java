package dev.ascribe.torch.gradient;

import dev.ascribe.UserInputException;
import dev.ascribe.store.FeatureStore;
import dev.ascribe.store.Scan;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An instance of the gradient lens: a curvature, and whether both sides are normalised. */
public enum GradientMethod {
    /** g(q)·g(i). */
    GRADIENT_DOT("gradient-dot", "dot", Curvature.IDENTITY, false),
    /** The cosine of g(q) and g(i); 0 where a norm is 0. */
    GRADIENT_COSINE("gradient-cosine", "cosine", Curvature.IDENTITY, true),
    /** {@link DataInf}. */
    DATAINF("datainf", "nats", new DataInf(), false);

    private final String label;
    private final String scale;
    private final Curvature curvature;
    private final boolean normalised;

    GradientMethod(String label, String scale, Curvature curvature, boolean normalised) {
        this.label = label;
        this.scale = scale;
        this.curvature = curvature;
        this.normalised = normalised;
    }

    /** By the name that the command line uses. */
    public static GradientMethod parse(String name) {
        return Arrays.stream(values())
                .filter(method -> method.label.equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new UserInputException("--method '%s' is not known; use one of %s".formatted(name, names())));
    }

    /** All names. */
    public static List<String> names() {
        return Arrays.stream(values()).map(GradientMethod::label).toList();
    }

    /** The name that the command line uses. */
    public String label() {
        return label;
    }

    /** The unit of the scores. */
    public String scale() {
        return scale;
    }

    /** Whether checkpoints count by their learning rate (else equally). */
    public boolean weightedByLearningRate() {
        return !normalised;
    }

    /** Every number that the scores depend on beside gradients. */
    public Map<String, Object> parameters() {
        Map<String, Object> parameters = new LinkedHashMap<>();
        parameters.put("name", label);
        if (this == DATAINF) {
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
