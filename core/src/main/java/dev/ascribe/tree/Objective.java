package dev.ascribe.tree;

/**
 * The loss that an ensemble was boosted on, with its library's gradient g and Hessian h by the margins F, and the derivatives of
 * these, for the chain through later rounds. F of a row has shape (K).
 *
 * <p>The training loss of a row is multiplied by its weight, and by {@code positiveWeight} where its label is 1. The loss of a query,
 * {@link #loss} and {@link #lossGradient}, is never weighted.
 *
 * @param family which loss
 * @param outputs K
 * @param positiveWeight {@code scale_pos_weight}; 1 but for {@link Family#LOGISTIC}
 * @param curvature what the Hessian p(1 − p) is multiplied by: 2 in XGBoost's multiclass loss, K / (K − 1) in LightGBM's
 * @param newton whether leaves divide by the Hessian; false in CatBoost's gradient method, where they divide by the weight
 */
public record Objective(Family family, int outputs, double positiveWeight, double curvature, boolean newton) {
    /** The losses whose leaves are Newton or gradient steps, so that influence can be taken through them. */
    public enum Family {
        /** Half the squared error. */
        SQUARED_ERROR,
        /** Minus the log-probability of a label 0 or 1; the margin is the log odds of 1. */
        LOGISTIC,
        /** Minus the log-probability of a label 0 … K − 1 under the softmax of the margins. */
        SOFTMAX
    }

    public Objective {
        if (outputs < 1 || (family != Family.SOFTMAX && outputs != 1)) {
            throw new IllegalArgumentException(family + " has not " + outputs + " outputs");
        }
    }

    static Objective squaredError() {
        return new Objective(Family.SQUARED_ERROR, 1, 1, 1, true);
    }

    static Objective logistic(double positiveWeight) {
        return new Objective(Family.LOGISTIC, 1, positiveWeight, 1, true);
    }

    static Objective softmax(int outputs, double curvature) {
        return new Objective(Family.SOFTMAX, outputs, 1, curvature, true);
    }

    Objective byGradient() {
        return new Objective(family, outputs, positiveWeight, curvature, false);
    }

    /** Whether labels are classes. */
    public boolean classifies() {
        return family != Family.SQUARED_ERROR;
    }

    /** How many classes labels name, 0 for regression. */
    public int classes() {
        return switch (family) {
            case SQUARED_ERROR -> 0;
            case LOGISTIC -> 2;
            case SOFTMAX -> outputs;
        };
    }

    /** The unit of {@link #loss}. */
    public String scale() {
        return classifies() ? "nats" : "half-squared-error";
    }

    /** A row's loss, nats or half a squared error. */
    public double loss(double[] margins, double label) {
        return switch (family) {
            case SQUARED_ERROR -> (margins[0] - label) * (margins[0] - label) / 2;
            case LOGISTIC -> softplus(label == 1 ? -margins[0] : margins[0]);
            case SOFTMAX -> {
                double most = max(margins, 0);
                double sum = 0;
                for (double margin : margins) {
                    sum += Math.exp(margin - most);
                }
                yield Math.log(sum) + most - margins[(int) label];
            }
        };
    }

    private static double softplus(double x) {
        return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
    }

    /** ∂loss/∂F of a row, (K). */
    public double[] lossGradient(double[] margins, double label) {
        double[] gradient = new double[outputs];
        switch (family) {
            case SQUARED_ERROR -> gradient[0] = margins[0] - label;
            case LOGISTIC -> gradient[0] = sigmoid(margins[0]) - label;
            case SOFTMAX -> {
                softmax(margins, 0, gradient);
                gradient[(int) label] -= 1;
            }
        }
        return gradient;
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private double max(double[] margins, int from) {
        double most = margins[from];
        for (int c = 1; c < outputs; c++) {
            most = Math.max(most, margins[from + c]);
        }
        return most;
    }

    private void softmax(double[] margins, int from, double[] into) {
        double most = max(margins, from);
        double sum = 0;
        for (int c = 0; c < outputs; c++) {
            into[c] = Math.exp(margins[from + c] - most);
            sum += into[c];
        }
        for (int c = 0; c < outputs; c++) {
            into[c] /= sum;
        }
    }

    /** The weight of a row in the training loss. */
    public double weight(double label, double weight) {
        return label == 1 && family == Family.LOGISTIC ? weight * positiveWeight : weight;
    }

    /**
     * What margins predict of a row: a number, or the probabilities of its classes; of class 1 alone where there are two.
     *
     * @param margins holds F at {@code from} … {@code from + K − 1}
     * @param prediction receives it, (K)
     */
    void predict(double[] margins, int from, double[] prediction) {
        switch (family) {
            case SQUARED_ERROR -> prediction[0] = margins[from];
            case LOGISTIC -> prediction[0] = sigmoid(margins[from]);
            case SOFTMAX -> softmax(margins, from, prediction);
        }
    }

    /**
     * Gradient and Hessian of a row's weighted loss.
     *
     * @param prediction as {@link #predict} gives it
     * @param weight as {@link #weight} gives it
     * @param g receives the gradient, (K)
     * @param h receives the library's Hessian, (K)
     */
    void gradients(double[] prediction, double label, double weight, double[] g, double[] h) {
        switch (family) {
            case SQUARED_ERROR -> {
                g[0] = weight * (prediction[0] - label);
                h[0] = weight;
            }
            case LOGISTIC -> {
                double p = prediction[0];
                g[0] = weight * (p - label);
                h[0] = newton ? weight * p * (1 - p) : weight;
            }
            case SOFTMAX -> {
                for (int c = 0; c < outputs; c++) {
                    double p = prediction[c];
                    g[c] = weight * (p - (c == (int) label ? 1 : 0));
                    h[c] = newton ? weight * curvature * p * (1 - p) : weight;
                }
            }
        }
    }

    /**
     * What {@code Σ_c k_c (g_c + r_c h_c)} gives when it is differentiated by the row's margins: added to {@code into}, (K).
     *
     * @param prediction as {@link #predict} gives it
     * @param weight as {@link #weight} gives it
     * @param k (K)
     * @param r (K)
     * @param into where the K sums stand, at {@code from}
     */
    void pull(double[] prediction, double weight, double[] k, double[] r, double[] into, int from) {
        switch (family) {
            case SQUARED_ERROR -> into[from] += weight * k[0];
            case LOGISTIC -> {
                double p = prediction[0];
                double ofHessian = newton ? r[0] * (1 - 2 * p) : 0;
                into[from] += weight * k[0] * (1 + ofHessian) * p * (1 - p);
            }
            case SOFTMAX -> {
                double mean = 0;
                for (int c = 0; c < outputs; c++) {
                    mean += prediction[c] * pulled(k[c], r[c], prediction[c]);
                }
                for (int c = 0; c < outputs; c++) {
                    into[from + c] += weight * prediction[c] * (pulled(k[c], r[c], prediction[c]) - mean);
                }
            }
        }
    }

    private double pulled(double k, double r, double p) {
        return newton ? k * (1 + r * curvature * (1 - 2 * p)) : k;
    }
}
