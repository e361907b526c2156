package dev.ascribe.tree;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * XGBoost's {@code save_model} in JSON or UBJSON, from version 1.0 on
 * (<a href="https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html">its schema</a>).
 *
 * <p>A numeric value goes left when it is strictly less than the condition, both as 32-bit floats; a category goes right when the set
 * holds it. {@code base_score} is a text, from 3.1 on a list with one number per class: a probability for {@code binary:logistic} (and
 * for {@code binary:logitraw} before 3.1), else a margin.
 */
final class XgboostJson {
    private static final TreeEnsemble.Precision SINGLE = new TreeEnsemble.Precision(true, true, true);
    private static final double SOFTMAX_CURVATURE = 2;
    private static final Pattern COMMA = Pattern.compile(",");

    private final ModelValue learner;
    private final ModelValue objective;
    private final String booster;
    private final String name;
    private final int features;
    private final int outputs;

    private XgboostJson(ModelValue document) {
        this.learner = document.get("learner");
        this.objective = learner.get("objective");
        this.name = objective.get("name").text();
        this.booster = learner.get("gradient_booster").get("name").text();
        ModelValue parameters = learner.get("learner_model_param");
        this.features = parameters.get("num_feature").integer();
        int classes = parameters.get("num_class").integer();
        int targets = parameters.find("num_target").map(ModelValue::integer).orElse(1);
        this.outputs = Math.max(1, Math.max(classes, targets));
        if (features < 1 || outputs > 100_000) {
            throw parameters.wrong("has %d features and %d outputs".formatted(features, outputs));
        }
    }

    static TreeEnsemble read(ModelValue document) {
        return new XgboostJson(document).ensemble();
    }

    private TreeEnsemble ensemble() {
        if (booster.equals("gblinear")) {
            throw new UnsupportedModelException(
                    "%s: booster 'gblinear' is a linear model without trees; train with booster gbtree"
                            .formatted(learner.file()));
        }
        if (!booster.equals("gbtree") && !booster.equals("dart")) {
            throw new UnsupportedModelException(
                    "%s: booster '%s' is not known; supported are gbtree and dart".formatted(learner.file(), booster));
        }
        ModelValue gradientBooster = learner.get("gradient_booster");
        ModelValue model =
                booster.equals("dart") ? gradientBooster.get("gbtree").get("model") : gradientBooster.get("model");
        double @Nullable [] dropped =
                booster.equals("dart") ? gradientBooster.get("weight_drop").numbers() : null;
        List<ModelValue> written = model.get("trees").list();
        int[] classes = model.get("tree_info").integers(written.size());
        List<Tree> trees = new ArrayList<>();
        for (int t = 0; t < classes.length; t++) {
            if (classes[t] < 0 || classes[t] >= outputs) {
                throw model.wrong(
                        "has tree %d of class %d, but there are %d classes".formatted(t, classes[t], outputs));
            }
            Tree tree = tree(written.get(t), t, classes[t]);
            if (dropped != null && dropped.length != classes.length) {
                throw model.wrong("has %d trees and %d weights of dropout".formatted(classes.length, dropped.length));
            }
            trees.add(dropped == null ? tree : tree.scaled(dropped[t], 0));
        }
        int parallel = model.get("gbtree_model_param")
                .find("num_parallel_tree")
                .map(ModelValue::integer)
                .orElse(1);
        List<List<Tree>> rounds = rounds(model, trees, parallel);
        List<Double> intercept = intercept();
        Optional<Objective> loss = loss();
        String obstacle = obstacle(parallel, loss);
        List<Feature> named = features(model);
        return new TreeEnsemble(
                learner.file(),
                TreeEnsemble.Kind.XGBOOST,
                named,
                learner.find("feature_names")
                        .map(names -> !names.list().isEmpty())
                        .orElse(false),
                name,
                loss.orElse(null),
                obstacle,
                null,
                intercept,
                null,
                null,
                false,
                false,
                rounds,
                best(rounds.size()),
                SINGLE,
                List.of(),
                Map.of());
    }

    private @Nullable String obstacle(int parallel, Optional<Objective> loss) {
        if (booster.equals("dart")) {
            return "booster 'dart' changes earlier trees in later rounds, so no round's leaves can be reproduced";
        }
        if (parallel > 1) {
            return "num_parallel_tree is %d: a round of several trees a class is a forest, whose leaves are averaged"
                    .formatted(parallel);
        }
        return loss.isPresent()
                ? null
                : ("objective '%s' has leaves or a loss that influence cannot be taken through; supported are reg:squarederror, "
                                + "binary:logistic, binary:logitraw, multi:softprob and multi:softmax")
                        .formatted(name);
    }

    private Optional<Objective> loss() {
        double positive = objective
                .find("reg_loss_param")
                .flatMap(parameters -> parameters.find("scale_pos_weight"))
                .map(ModelValue::number)
                .orElse(1.0);
        return switch (name) {
            case "reg:squarederror", "reg:linear" ->
                outputs == 1 ? Optional.of(Objective.squaredError()) : Optional.empty();
            case "binary:logistic", "binary:logitraw" ->
                outputs == 1 ? Optional.of(Objective.logistic(positive)) : Optional.empty();
            case "multi:softprob", "multi:softmax" ->
                outputs > 1 ? Optional.of(Objective.softmax(outputs, SOFTMAX_CURVATURE)) : Optional.empty();
            default -> Optional.empty();
        };
    }

    /** How many rounds XGBoost's scikit-learn wrapper predicts with. */
    private int best(int rounds) {
        int best = learner.find("attributes")
                .flatMap(attributes -> attributes.find("best_iteration"))
                .map(ModelValue::integer)
                .orElse(rounds - 1);
        if (best < 0 || best >= rounds) {
            throw learner.wrong("has best_iteration %d, but %d rounds".formatted(best, rounds));
        }
        return best + 1;
    }

    private List<List<Tree>> rounds(ModelValue model, List<Tree> trees, int parallel) {
        Optional<ModelValue> starts = model.find("iteration_indptr");
        int[] from;
        if (starts.isPresent()) {
            from = starts.get().integers();
        } else { // before 2.0
            int each = Math.max(1, outputs * parallel);
            from = new int[trees.size() / each + 1];
            Arrays.setAll(from, i -> i * each);
        }
        if (from.length < 2 || from[0] != 0 || from[from.length - 1] != trees.size()) {
            throw model.wrong("does not say how its %d trees form rounds".formatted(trees.size()));
        }
        List<List<Tree>> rounds = new ArrayList<>();
        for (int i = 0; i + 1 < from.length; i++) {
            int count = from[i + 1] - from[i];
            boolean fits = from[i] < from[i + 1] && from[i + 1] <= trees.size();
            for (int t = 0; fits && parallel == 1 && t < count; t++) {
                fits = count == outputs && trees.get(from[i] + t).output() == t;
            }
            if (!fits) {
                throw model.wrong("has a round of trees %d to %d of %d, which are not one for each of %d classes"
                        .formatted(from[i], from[i + 1] - 1L, trees.size(), outputs));
            }
            rounds.add(List.copyOf(trees.subList(from[i], from[i + 1])));
        }
        return rounds;
    }

    private List<Double> intercept() {
        ModelValue base = learner.get("learner_model_param").get("base_score");
        String text = base.node().isTextual() ? base.text() : String.valueOf(base.number());
        boolean list = text.startsWith("[") && text.endsWith("]");
        String[] parts = COMMA.split(list ? text.substring(1, text.length() - 1) : text, -1);
        if (parts.length != 1 && parts.length != outputs) {
            throw base.wrong("has %d numbers for %d outputs".formatted(parts.length, outputs));
        }
        boolean probability = name.equals("binary:logistic") || (name.equals("binary:logitraw") && !list);
        List<Double> intercept = new ArrayList<>();
        for (int c = 0; c < outputs; c++) {
            float score;
            try {
                score = Float.parseFloat(parts[parts.length == 1 ? 0 : c].strip());
            } catch (NumberFormatException e) {
                throw base.wrong("is '" + text + "', not a number");
            }
            if (!Float.isFinite(score) || (probability && !(score > 0 && score < 1))) {
                throw base.wrong("is " + score + ", which is no " + (probability ? "probability" : "margin"));
            }
            intercept.add(probability ? (float) -Math.log(1.0 / score - 1) : (double) score);
        }
        return intercept;
    }

    private List<Feature> features(ModelValue model) {
        List<String> names =
                learner.find("feature_names").map(ModelValue::texts).orElse(List.of());
        List<String> types =
                learner.find("feature_types").map(ModelValue::texts).orElse(List.of());
        List<ModelValue> encodings = model.find("cats")
                .flatMap(cats -> cats.find("enc"))
                .map(ModelValue::list)
                .orElse(List.of());
        for (List<?> each : List.of(names, types, encodings)) {
            if (!each.isEmpty() && each.size() != features) {
                throw learner.wrong("describes %d features, but has %d".formatted(each.size(), features));
            }
        }
        List<Feature> all = new ArrayList<>();
        for (int f = 0; f < features; f++) {
            String feature = names.isEmpty() ? "feature " + f : names.get(f);
            boolean categorical = !types.isEmpty() && types.get(f).equals("c");
            List<String> categories = categorical && !encodings.isEmpty() ? categories(encodings.get(f)) : List.of();
            all.add(new Feature(feature, categorical, categories.isEmpty() ? null : categories, false));
        }
        return all;
    }

    /**
     * Names as offsets into UTF-8 bytes, or numbers; nothing when the names cannot be told.
     *
     * <p>XGBoost 3.2 counts the characters of names from pandas where it means their bytes, and cuts the bytes to as many: from a
     * character beyond ASCII on the names are garbled. Where that cuts a character in two it is seen here, else when the data name
     * a category that is not there.
     */
    private static List<String> categories(ModelValue encoding) {
        Optional<ModelValue> offsets = encoding.find("offsets");
        ModelValue values = encoding.get("values");
        if (offsets.isEmpty()) {
            return values.list().stream().map(value -> value.node().asText()).toList();
        }
        int[] bytes = values.integers();
        int[] from = offsets.get().integers();
        List<String> names = new ArrayList<>();
        for (int i = 0; i + 1 < from.length; i++) {
            if (from[i] < 0 || from[i + 1] < from[i] || from[i + 1] > bytes.length) {
                throw encoding.wrong(
                        "has category %d from byte %d to %d of %d".formatted(i, from[i], from[i + 1], bytes.length));
            }
            byte[] name = new byte[from[i + 1] - from[i]];
            for (int b = 0; b < name.length; b++) {
                name[b] = (byte) bytes[from[i] + b];
            }
            names.add(new String(name, StandardCharsets.UTF_8));
        }
        boolean garbled = names.stream().anyMatch(name -> name.indexOf('\uFFFD') >= 0);
        return garbled ? List.of() : names;
    }

    private Tree tree(ModelValue written, int number, int output) {
        ModelValue parameters = written.get("tree_param");
        int vector =
                parameters.find("size_leaf_vector").map(ModelValue::integer).orElse(1);
        if (vector > 1) {
            throw new UnsupportedModelException(
                    "%s: tree %d has leaves of %d values (multi_strategy 'multi_output_tree'); train with one_output_per_tree"
                            .formatted(written.file(), number, vector));
        }
        int[] left = written.get("left_children").integers();
        int n = left.length;
        int[] right = written.get("right_children").integers(n);
        double[] condition = written.get("split_conditions").numbers(n);
        int[] feature = written.get("split_indices").integers(n);
        boolean[] missingLeft = written.get("default_left").flags(n);
        double[] hessians = written.get("sum_hessian").numbers(n);
        String where = written.file() + ", " + written.at();
        Tree.Nodes nodes = new Tree.Nodes(where, left, right);
        long[][] sets = sets(written, where, n);
        int splits = nodes.splits.length;
        Splits shape = new Splits(splits);
        for (int s = 0; s < splits; s++) {
            int node = nodes.splits[s];
            long[] set = sets[node];
            boolean swapped = set != null; // its set goes right
            shape.left()[s] = nodes.child(swapped ? right[node] : left[node]);
            shape.right()[s] = nodes.child(swapped ? left[node] : right[node]);
            shape.feature()[s] = feature[node];
            shape.threshold()[s] = Math.nextDown((float) condition[node]);
            shape.missingLeft()[s] = missingLeft[node] != swapped;
            shape.sets()[s] = set;
        }
        double[] values = nodes.ofLeaves(condition);
        for (int leaf = 0; leaf < values.length; leaf++) {
            values[leaf] = (float) values[leaf];
        }
        return Tree.of(where, shape, features, output, 1, values, nodes.ofLeaves(hessians));
    }

    /** The categories that go right, of each node that splits by category. */
    private static long[] @Nullable [] sets(ModelValue written, String where, int nodes) {
        long[][] sets = new long[nodes][];
        Optional<ModelValue> types = written.find("split_type");
        if (types.isEmpty()) { // before 1.3
            return sets;
        }
        int[] byCategory = types.get().integers(nodes);
        int[] of = written.get("categories_nodes").integers();
        int[] from = written.get("categories_segments").integers(of.length);
        int[] sizes = written.get("categories_sizes").integers(of.length);
        int[] categories = written.get("categories").integers();
        for (int i = 0; i < of.length; i++) {
            if (of[i] < 0 || of[i] >= nodes || from[i] < 0 || sizes[i] < 0 || from[i] > categories.length - sizes[i]) {
                throw new CorruptDataException("%s: categories %d to %d of node %d are not there; the file is damaged"
                        .formatted(where, from[i], (long) from[i] + sizes[i] - 1, of[i]));
            }
            sets[of[i]] = Tree.set(where, Arrays.copyOfRange(categories, from[i], from[i] + sizes[i]));
        }
        for (int node = 0; node < nodes; node++) {
            if ((byCategory[node] != 0) != (sets[node] != null)) {
                throw new CorruptDataException("%s: node %d %s; the file is damaged"
                        .formatted(
                                where,
                                node,
                                sets[node] == null ? "splits by no category" : "has categories but a threshold"));
            }
        }
        return sets;
    }
}
