package dev.ascribe.tree;

import dev.ascribe.UserInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Boosting played back on the training rows: the sums of gradients and Hessians of each leaf, and the proof that the model's leaves
 * are {@code v = −η G / (H + λ)} of these rows.
 *
 * <p>Margins are the model's own leaf values, added up as its library does (in 32-bit floats for XGBoost); gradients and sums are 64-bit.
 *
 * <p>XGBoost's file has neither η nor λ. Every leaf gives {@code −G = v H · (1/η) + v · (λ/η)}: two unknowns and an equation a leaf, solved by
 * least squares, each equation divided by H so that residuals are of leaf values.
 */
public final class Replay {
    /** How far a leaf may be from what the data give, relative to the round's largest leaf. */
    public static final double LIMIT = 1e-5;

    private final TreeEnsemble model;
    private final double eta;
    private final double lambda;
    private final double[][] gradients; // [tree][leaf]
    private final double[][] hessians; // [tree][leaf]
    private final boolean approximate;
    private final double worst;

    /**
     * What the user says of the training.
     *
     * @param eta the learning rate in place of the file's or the inferred one
     * @param lambda the same for lambda
     * @param approximate go on when leaves are not reproduced
     */
    public record Settings(@Nullable Double eta, @Nullable Double lambda, boolean approximate) {
        public Settings {
            if (eta != null && !(eta > 0 && eta < Double.POSITIVE_INFINITY)) {
                throw new UserInputException("--eta " + eta + " must be a positive number");
            }
            if (lambda != null && !(lambda >= 0 && lambda < Double.POSITIVE_INFINITY)) {
                throw new UserInputException("--lambda " + lambda + " must be a number of at least 0");
            }
        }
    }

    private Replay(
            TreeEnsemble model,
            double eta,
            double lambda,
            double[][] gradients,
            double[][] hessians,
            boolean approximate,
            double worst) {
        this.model = model;
        this.eta = eta;
        this.lambda = lambda;
        this.gradients = gradients;
        this.hessians = hessians;
        this.approximate = approximate;
        this.worst = worst;
    }

    /**
     * Plays back.
     *
     * @param model with the rounds that are looked at
     * @param leaves of the training rows
     * @param labels (n)
     * @param weights (n)
     * @param name of the training rows, for messages
     * @throws UserInputException when the leaves are not reproduced, or eta and lambda cannot be inferred
     */
    static Replay of(
            TreeEnsemble model, Leaves leaves, double[] labels, double[] weights, String name, Settings settings) {
        Objective objective = model.requireGradients();
        if (settings.approximate() && model.eta() == null && (settings.eta() == null || settings.lambda() == null)) {
            throw new UserInputException(
                    "--approximate needs --eta and --lambda: %s does not say them, and without its own rows they cannot be inferred"
                            .formatted(model.path()));
        }
        TreeEnsemble whole =
                model.interceptFromLabels() ? model.withIntercept(intercept(objective, labels, weights)) : model;
        double[][] gradients = sums(whole);
        double[][] hessians = sums(whole);
        sum(whole, objective, leaves, labels, weights, gradients, hessians);
        double[] found = parameters(whole, gradients, hessians, settings);
        double mean =
                whole.lambdaByMeanWeight() ? Arrays.stream(weights).average().orElse(1) : 1;
        Replay replay =
                new Replay(whole, found[0], found[1] * mean, gradients, hessians, settings.approximate(), Double.NaN);
        return replay.checked(name);
    }

    private static double[][] sums(TreeEnsemble model) {
        return model.trees().stream().map(tree -> new double[tree.leaves()]).toArray(double[][]::new);
    }

    /** LightGBM's: the mean, its logit, or the logarithms of the class shares, weighted by the row weights alone. */
    private static List<Double> intercept(Objective objective, double[] labels, double[] weights) {
        double total = Arrays.stream(weights).sum();
        double[] sums = new double[objective.outputs()];
        for (int i = 0; i < labels.length; i++) {
            if (objective.family() == Objective.Family.SOFTMAX) {
                sums[(int) labels[i]] += weights[i];
            } else {
                sums[0] += weights[i] * labels[i];
            }
        }
        double least = 1e-15f; // LightGBM's kEpsilon
        List<Double> intercept = new ArrayList<>();
        for (double sum : sums) {
            double mean = sum / total;
            intercept.add(
                    switch (objective.family()) {
                        case SQUARED_ERROR -> mean;
                        case LOGISTIC -> {
                            double share = Math.clamp(mean, least, 1 - least);
                            yield Math.log(share / (1 - share));
                        }
                        case SOFTMAX -> Math.log(Math.max(least, mean));
                    });
        }
        return intercept;
    }

    /** Adds up each leaf's gradients and Hessians. */
    private static void sum(
            TreeEnsemble model,
            Objective objective,
            Leaves leaves,
            double[] labels,
            double[] weights,
            double[][] gradients,
            double[][] hessians) {
        int k = objective.outputs();
        boolean single = model.precision().singleMargins();
        Chunks chunks = Chunks.of(labels.length);
        double[][][] g = new double[chunks.count()][][];
        double[][][] h = new double[chunks.count()][][];
        chunks.forEach((chunk, from, to) -> {
            double[][] ownG = sums(model);
            double[][] ownH = sums(model);
            double[] margins = new double[(to - from) * k];
            for (int i = 0; i < margins.length; i++) {
                margins[i] = model.intercept().get(i % k);
            }
            int[][] leaf = new int[k][to - from];
            double[] prediction = new double[k];
            double[] rowG = new double[k];
            double[] rowH = new double[k];
            int first = 0;
            for (List<Tree> round : model.rounds()) {
                for (int c = 0; c < k; c++) {
                    leaves.read(first + c, from, to, leaf[c]);
                }
                for (int i = 0; i < to - from; i++) {
                    double label = labels[from + i];
                    double weight = objective.weight(label, weights[from + i]);
                    objective.predict(margins, i * k, prediction);
                    objective.gradients(prediction, label, weight, rowG, rowH);
                    for (int c = 0; c < k; c++) {
                        ownG[first + c][leaf[c][i]] += single ? (float) rowG[c] : rowG[c];
                        ownH[first + c][leaf[c][i]] += single ? (float) rowH[c] : rowH[c];
                        double next = margins[i * k + c] + round.get(c).value(leaf[c][i]);
                        margins[i * k + c] = single ? (float) next : next;
                    }
                }
                first += k;
            }
            g[chunk] = ownG;
            h[chunk] = ownH;
        });
        for (int chunk = 0; chunk < g.length; chunk++) {
            add(g[chunk], gradients);
            add(h[chunk], hessians);
        }
    }

    private static void add(double[][] from, double[][] to) {
        for (int t = 0; t < to.length; t++) {
            for (int leaf = 0; leaf < to[t].length; leaf++) {
                to[t][leaf] += from[t][leaf];
            }
        }
    }

    /** η and λ: what the user says, what the file says, else what fits the leaves best. */
    private static double[] parameters(TreeEnsemble model, double[][] g, double[][] h, Settings settings) {
        Double eta = settings.eta() != null ? settings.eta() : model.eta();
        Double lambda = settings.lambda() != null ? settings.lambda() : model.lambda();
        if (eta != null && lambda != null) {
            return new double[] {eta, lambda};
        }
        double aa = 0;
        double ab = 0;
        double bb = 0;
        double ay = 0;
        double by = 0;
        List<Tree> trees = model.trees();
        for (int t = 0; t < trees.size(); t++) {
            for (int leaf = 0; leaf < g[t].length; leaf++) {
                if (!(h[t][leaf] > 0)) {
                    continue;
                }
                double a = trees.get(t).value(leaf); // of 1/η
                double b = a / h[t][leaf]; // of λ/η
                double y = -g[t][leaf] / h[t][leaf];
                aa += a * a;
                ab += a * b;
                bb += b * b;
                ay += a * y;
                by += b * y;
            }
        }
        double inverse; // 1/η
        if (eta != null) {
            inverse = 1 / eta;
            lambda = eta * (by - inverse * ab) / bb;
        } else if (lambda != null) {
            inverse = (ay + lambda * by) / (aa + 2 * lambda * ab + lambda * lambda * bb);
        } else {
            double determinant = aa * bb - ab * ab;
            inverse = (bb * ay - ab * by) / determinant;
            lambda = (aa * by - ab * ay) / determinant / inverse;
        }
        if (!(inverse > 0 && inverse < Double.POSITIVE_INFINITY) || !Double.isFinite(lambda)) {
            throw new UserInputException(
                    "the learning rate and lambda of %s do not follow from its leaves and these rows: wrong rows, labels or weights, or too few leaves; give --eta and --lambda"
                            .formatted(model.path()));
        }
        return new double[] {1 / inverse, Math.max(0, lambda)};
    }

    private Replay checked(String name) {
        List<Tree> trees = model.trees();
        double worstShare = 0;
        String message = "";
        int first = 0;
        for (int t = 0; t < model.rounds().size(); t++) {
            int count = model.rounds().get(t).size();
            double largest = 0;
            for (int tree = first; tree < first + count; tree++) {
                for (int leaf = 0; leaf < trees.get(tree).leaves(); leaf++) {
                    largest = Math.max(largest, Math.abs(trees.get(tree).value(leaf)));
                }
            }
            for (int tree = first; tree < first + count; tree++) {
                for (int leaf = 0;
                        !trees.get(tree).constant() && leaf < trees.get(tree).leaves();
                        leaf++) {
                    double has = trees.get(tree).value(leaf);
                    double gives = -eta * gradients[tree][leaf] / denominator(tree, leaf);
                    double difference = Math.abs(has - (denominator(tree, leaf) == 0 ? 0 : gives));
                    double share = difference == 0 ? 0 : difference / largest;
                    if (!(share <= worstShare)) {
                        worstShare = share;
                        message = "round %d, tree %d, leaf %d: the model has %s, the rows give %s"
                                .formatted(t, tree, leaf, has, gives);
                    }
                }
            }
            first += count;
        }
        if (!approximate && !(worstShare <= LIMIT)) {
            throw new UserInputException(
                    ("the leaves of %s do not follow from the rows of %s; worst is %s (%s of the round's largest leaf, the limit is %s). Likely causes: "
                                    + "other rows, labels or --weight than in training, %s. With --approximate the trace goes on all the same")
                            .formatted(model.path(), name, message, rounded(worstShare), LIMIT, causes()));
        }
        return new Replay(
                model, eta, lambda, gradients, hessians, approximate, Double.isFinite(worstShare) ? worstShare : 1);
    }

    private static String rounded(double share) {
        return String.format(java.util.Locale.ROOT, "%.2g", share);
    }

    private String causes() {
        if (!model.suspects().isEmpty()) {
            return "or what the file itself says: " + String.join(", ", model.suspects());
        }
        return switch (model.kind()) {
            case XGBOOST ->
                "subsample, reg_alpha, max_delta_step, monotone constraints, or a learning rate that changed (eta %s and lambda %s were %s)"
                        .formatted(eta, lambda, "taken or inferred");
            case LIGHTGBM -> "an init_score, or training that was continued";
            case CATBOOST -> "class weights, a baseline, or training that was continued";
            case FOREST -> "another bootstrap";
        };
    }

    private double denominator(int tree, int leaf) {
        return hessians[tree][leaf] + lambda + model.trees().get(tree).extraLambda(leaf);
    }

    /** The model, its intercept taken out of the leaves. */
    TreeEnsemble model() {
        return model;
    }

    Objective objective() {
        return Objects.requireNonNull(model.objective());
    }

    /** η. */
    public double eta() {
        return eta;
    }

    /** λ as it stands in denominators. */
    public double lambda() {
        return lambda;
    }

    /** The largest distance of a leaf from what the rows give, relative to its round's largest leaf. */
    public double worst() {
        return worst;
    }

    /** Whether the leaves need not be those of the rows. */
    public boolean approximate() {
        return approximate;
    }

    /** H + λ of each leaf that rows move, infinite elsewhere, [tree][leaf]. */
    double[][] denominators() {
        List<Tree> trees = model.trees();
        double[][] all = new double[trees.size()][];
        for (int t = 0; t < all.length; t++) {
            all[t] = new double[trees.get(t).leaves()];
            for (int leaf = 0; leaf < all[t].length; leaf++) {
                double sum = hessians[t][leaf] + lambda + trees.get(t).extraLambda(leaf);
                all[t][leaf] = trees.get(t).constant() || sum == 0 ? Double.POSITIVE_INFINITY : sum;
            }
        }
        return all;
    }

    /** Leaf values, [tree][leaf]. */
    double[][] values() {
        return model.trees().stream()
                .map(tree -> {
                    double[] values = new double[tree.leaves()];
                    Arrays.setAll(values, tree::value);
                    return values;
                })
                .toArray(double[][]::new);
    }
}
