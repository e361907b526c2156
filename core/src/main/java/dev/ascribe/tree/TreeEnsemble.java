package dev.ascribe.tree;

import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model of trees as its file says it: the margin of output c is {@code intercept[c]} plus what the row's leaf in each tree adds.
 *
 * @param path the file
 * @param kind which library wrote it
 * @param features F
 * @param named whether the file names its features; else columns are matched by position
 * @param objectiveName as the file has it
 * @param objective the loss that it was trained on, or null when that is not known here
 * @param obstacle why influence cannot be taken through its leaves: a message without the file's name; null when it can
 * @param classes the classes' names in the order of the labels, or null when the file has none
 * @param intercept what a margin is before the first tree, (K)
 * @param eta the learning rate, or null when the file does not say
 * @param lambda what leaf denominators have beside the Hessians, or null when the file does not say
 * @param lambdaByMeanWeight whether lambda is multiplied by the training rows' mean weight
 * @param interceptFromLabels whether the intercept stands in the first round's leaves, and follows from labels and weights
 * @param rounds the trees in the order of boosting, one list a round
 * @param best how many rounds the library predicts with, by its own early stopping
 * @param precision what values and gradients are rounded to
 * @param suspects parameters of training, as {@code name=value}, under which leaves cannot be reproduced
 * @param parameters all parameters of training that the file tells, by the library's names; most tell none
 */
public record TreeEnsemble(
        Path path,
        Kind kind,
        List<Feature> features,
        boolean named,
        String objectiveName,
        @Nullable Objective objective,
        @Nullable String obstacle,
        @Nullable List<String> classes,
        List<Double> intercept,
        @Nullable Double eta,
        @Nullable Double lambda,
        boolean lambdaByMeanWeight,
        boolean interceptFromLabels,
        List<List<Tree>> rounds,
        int best,
        Precision precision,
        List<String> suspects,
        Map<String, String> parameters) {

    /** The libraries whose files are read. */
    public enum Kind {
        XGBOOST,
        LIGHTGBM,
        CATBOOST,
        FOREST;

        /** As JSON has it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * How a library rounds.
     *
     * @param singleInputs feature values are compared as 32-bit floats
     * @param singleLabels labels and weights are 32-bit floats
     * @param singleMargins margins, gradients and Hessians of training are 32-bit floats
     */
    public record Precision(boolean singleInputs, boolean singleLabels, boolean singleMargins) {}

    public TreeEnsemble {
        if (objective == null && obstacle == null) {
            throw new IllegalArgumentException("an unknown loss is an obstacle");
        }
        features = List.copyOf(features);
        intercept = List.copyOf(intercept);
        rounds = List.copyOf(rounds);
        suspects = List.copyOf(suspects);
        parameters = Map.copyOf(parameters);
    }

    /** K. */
    public int outputs() {
        return intercept.size();
    }

    /** All trees in the order of boosting, T. */
    public List<Tree> trees() {
        List<Tree> all = new ArrayList<>();
        rounds.forEach(all::addAll);
        return all;
    }

    /**
     * What it predicts of a row.
     *
     * @param row values of the features, categories as their codes, missing ones NaN, (F)
     * @return margins, (K)
     */
    public double[] margins(double[] row) {
        double[] compared = new double[row.length];
        Arrays.setAll(compared, f -> comparable(f, row[f]));
        double[] margins = intercept.stream().mapToDouble(Double::doubleValue).toArray();
        for (List<Tree> round : rounds) {
            for (Tree tree : round) {
                int leaf = tree.leaf(compared, 0);
                for (int i = 0; i < tree.width(); i++) {
                    margins[tree.output() + i] += tree.value(leaf, i);
                }
            }
        }
        return margins;
    }

    /**
     * The loss that leaves were fitted by.
     *
     * @throws UnsupportedModelException when influence cannot be taken through the leaves
     */
    public Objective requireGradients() {
        if (objective == null || obstacle != null) {
            throw new UnsupportedModelException(
                    "%s: %s. The methods tree-sim, leaf-path, simplex and shap-similarity need no gradients and take this model"
                            .formatted(path, obstacle));
        }
        return objective;
    }

    /** How many classes labels name, 0 where they are numbers. */
    public int labelClasses() {
        return objective != null ? objective.classes() : classes != null ? classes.size() : 0;
    }

    /**
     * The ensemble of the first rounds.
     *
     * @param wanted {@code best}, {@code all} or a number
     */
    public TreeEnsemble limited(String wanted) {
        int count = switch (wanted.toLowerCase(Locale.ROOT)) {
            case "best" -> best;
            case "all" -> rounds.size();
            default -> {
                if (!wanted.matches("[0-9]{1,9}")
                        || Integer.parseInt(wanted) < 1
                        || Integer.parseInt(wanted) > rounds.size()) {
                    throw new UserInputException(
                            "--rounds '%s' must be best, all or a number from 1 to %d, the rounds of %s"
                                    .formatted(wanted, rounds.size(), path));
                }
                yield Integer.parseInt(wanted);
            }
        };
        if (count == rounds.size()) {
            return this;
        }
        if (kind == Kind.FOREST) {
            throw new UserInputException(
                    "--rounds '%s': %s is a forest, whose trees have no order; leave it out".formatted(wanted, path));
        }
        return with(intercept, interceptFromLabels, rounds.subList(0, count));
    }

    /** The same model with its intercept taken out of the first round's leaves. */
    TreeEnsemble withIntercept(List<Double> found) {
        List<List<Tree>> taken = new ArrayList<>(rounds);
        taken.set(
                0,
                rounds.getFirst().stream()
                        .map(tree -> tree.scaled(1, -found.get(tree.output())))
                        .toList());
        return with(found, false, taken);
    }

    private TreeEnsemble with(List<Double> intercept, boolean fromLabels, List<List<Tree>> rounds) {
        return new TreeEnsemble(
                path,
                kind,
                features,
                named,
                objectiveName,
                objective,
                obstacle,
                classes,
                intercept,
                eta,
                lambda,
                lambdaByMeanWeight,
                fromLabels,
                rounds,
                Math.min(best, rounds.size()),
                precision,
                suspects,
                parameters);
    }

    /** A value of a feature as the model's splits compare it. */
    double comparable(int feature, double value) {
        double rounded = precision.singleInputs() ? (float) value : value;
        return features.get(feature).zeroIsMissing() && Math.abs(rounded) <= LightGbmText.ZERO ? Double.NaN : rounded;
    }
}
