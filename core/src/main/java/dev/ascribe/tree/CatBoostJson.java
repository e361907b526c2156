package dev.ascribe.tree;

import dev.ascribe.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * CatBoost's {@code save_model(format="json")}: symmetric trees over numeric features, one output.
 *
 * <p>Bit b of a leaf's number is {@code (float) x > (float) border} of split b. Leaf values are refitted on all rows with the plain
 * margins, so that those of a model with {@code leaf_estimation_iterations=1} can be reproduced whatever its bootstrap was.
 */
final class CatBoostJson {
    private static final TreeEnsemble.Precision PRECISION = new TreeEnsemble.Precision(true, true, false);
    private static final int DEEPEST = 16; // CatBoost's own limit

    private final ModelValue document;
    private final List<Feature> features = new ArrayList<>();
    private final List<Integer> flat = new ArrayList<>(); // float feature -> feature
    private final List<Boolean> missingIsAbove = new ArrayList<>(); // of each float feature

    private CatBoostJson(ModelValue document) {
        this.document = document;
    }

    static TreeEnsemble read(ModelValue document) {
        return new CatBoostJson(document).ensemble();
    }

    private UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(document.file() + ": " + what);
    }

    private TreeEnsemble ensemble() {
        if (document.find("trees").isPresent()) {
            throw unsupported("its trees are not symmetric; train with grow_policy='SymmetricTree'");
        }
        if (document.find("ctr_data").isPresent()) {
            throw unsupported(
                    "it has categorical target statistics (ctr_data), which the file does not let anyone recompute; encode the categories as numbers before training");
        }
        ModelValue info = document.get("features_info");
        for (String kind : List.of("categorical_features", "text_features", "embedding_features")) {
            if (info.find(kind).map(found -> !found.list().isEmpty()).orElse(false)) {
                throw unsupported("it has " + kind.replace('_', ' ')
                        + ", which are not supported; encode them as numbers before training");
            }
        }
        readFeatures(info.get("float_features").list());
        List<ModelValue> scaleAndBias = document.get("scale_and_bias").list();
        if (scaleAndBias.size() != 2) {
            throw document.get("scale_and_bias").wrong("is not a scale and a list of biases");
        }
        double scale = scaleAndBias.get(0).number();
        double[] bias = scaleAndBias.get(1).numbers();
        if (bias.length != 1) {
            throw unsupported("it has %d outputs; supported are models of one (RMSE, Logloss)".formatted(bias.length));
        }
        List<List<Tree>> rounds = new ArrayList<>();
        for (ModelValue tree : document.get("oblivious_trees").list()) {
            rounds.add(List.of(tree(tree).scaled(scale, 0)));
        }
        if (rounds.isEmpty()) {
            throw document.get("oblivious_trees").wrong("has no tree");
        }
        ModelValue model = document.get("model_info");
        ModelValue params = model.get("params");
        ModelValue boosting = params.get("boosting_options");
        ModelValue learner = params.get("tree_learner_options");
        String loss = params.get("loss_function").get("type").text();
        String method =
                learner.find("leaf_estimation_method").map(ModelValue::text).orElse("Newton");
        String obstacle = obstacle(loss, method, learner);
        Objective newton = loss.equals("Logloss") ? Objective.logistic(1) : Objective.squaredError();
        Optional<List<String>> classes = model.find("class_params")
                .flatMap(parameters -> parameters.find("class_names"))
                .map(names ->
                        names.list().stream().map(name -> name.node().asText()).toList());
        return new TreeEnsemble(
                document.file(),
                TreeEnsemble.Kind.CATBOOST,
                features,
                features.stream().noneMatch(feature -> feature.name().startsWith("feature ")),
                loss,
                loss.equals("RMSE") || loss.equals("Logloss")
                        ? method.equals("Gradient") ? newton.byGradient() : newton
                        : null,
                obstacle,
                loss.equals("Logloss") ? classes.orElse(null) : null,
                List.of(bias[0]),
                boosting.get("learning_rate").number(),
                learner.get("l2_leaf_reg").number(),
                true,
                false,
                rounds,
                rounds.size(),
                PRECISION,
                suspects(params, boosting),
                Map.of());
    }

    private void readFeatures(List<ModelValue> written) {
        for (ModelValue feature : written) {
            int at = feature.get("flat_feature_index").integer();
            if (at != features.size()) {
                throw feature.wrong("is feature %d where %d was expected".formatted(at, features.size()));
            }
            String name = feature.find("feature_id").map(ModelValue::text).orElse("");
            boolean unnamed = name.isEmpty() || name.equals(String.valueOf(at));
            features.add(Feature.numeric(unnamed ? "feature " + at : name));
            flat.add(at);
            missingIsAbove.add(feature.find("nan_value_treatment")
                    .map(treatment -> treatment.text().equals("AsTrue"))
                    .orElse(false));
        }
        if (features.isEmpty()) {
            throw document.get("features_info").wrong("has no float_features");
        }
    }

    private static @Nullable String obstacle(String loss, String method, ModelValue learner) {
        if (!loss.equals("RMSE") && !loss.equals("Logloss")) {
            return "loss_function '%s' has leaves or a loss that influence cannot be taken through; supported are RMSE and Logloss"
                    .formatted(loss);
        }
        int iterations = learner.find("leaf_estimation_iterations")
                .map(ModelValue::integer)
                .orElse(1);
        if (iterations != 1) {
            return "leaf_estimation_iterations is %d: its leaves are the sum of several steps; train with leaf_estimation_iterations=1"
                    .formatted(iterations);
        }
        if (!method.equals("Newton") && !method.equals("Gradient")) {
            return "leaf_estimation_method '%s' is not a gradient step; train with Newton or Gradient"
                    .formatted(method);
        }
        return null;
    }

    private static List<String> suspects(ModelValue params, ModelValue boosting) {
        List<String> suspects = new ArrayList<>();
        params.find("data_processing_options").ifPresent(options -> {
            options.find("class_weights")
                    .filter(weights -> !weights.list().isEmpty())
                    .ifPresent(weights -> suspects.add("class_weights=" + weights.node()));
            options.find("auto_class_weights")
                    .filter(weights -> !weights.text().equals("None"))
                    .ifPresent(weights -> suspects.add("auto_class_weights=" + weights.text()));
        });
        boosting.find("model_shrink_rate")
                .filter(rate -> rate.number() != 0)
                .ifPresent(rate -> suspects.add("model_shrink_rate=" + rate.number()));
        boosting.find("posterior_sampling")
                .filter(ModelValue::flag)
                .ifPresent(sampling -> suspects.add("posterior_sampling=true"));
        return suspects;
    }

    /** A symmetric tree as any other: the last split at the root, so that leaves are numbered from left to right. */
    private Tree tree(ModelValue written) {
        List<ModelValue> splits = written.find("splits").map(ModelValue::list).orElse(List.of());
        int depth = splits.size();
        if (depth > DEEPEST) {
            throw written.wrong("has %d levels; CatBoost's trees have at most %d".formatted(depth, DEEPEST));
        }
        int leaves = 1 << depth;
        int nodes = leaves - 1;
        Splits shape = new Splits(nodes);
        for (int level = 0; level < depth; level++) {
            ModelValue split = splits.get(depth - 1 - level);
            String type = split.get("split_type").text();
            if (!type.equals("FloatFeature")) {
                throw unsupported(
                        "it splits by " + type + "; supported are numeric features, encode the others as numbers");
            }
            int feature = split.get("float_feature_index").integer();
            if (feature < 0 || feature >= flat.size()) {
                throw split.wrong(
                        "is on feature %d, but the model has features 0 to %d".formatted(feature, flat.size() - 1));
            }
            float border = (float) split.get("border").number();
            for (int i = (1 << level) - 1; i < (2 << level) - 1; i++) {
                shape.left()[i] = 2 * i + 1 < nodes ? 2 * i + 1 : ~(2 * i + 1 - nodes);
                shape.right()[i] = 2 * i + 2 < nodes ? 2 * i + 2 : ~(2 * i + 2 - nodes);
                shape.feature()[i] = flat.get(feature);
                shape.threshold()[i] = border;
                shape.missingLeft()[i] = !missingIsAbove.get(feature);
            }
        }
        double[] values = written.get("leaf_values").numbers();
        if (values.length != leaves) {
            throw written.get("leaf_values")
                    .wrong("has %d values for %d leaves of one output".formatted(values.length, leaves));
        }
        double[] cover = written.find("leaf_weights")
                .map(weights -> weights.numbers(leaves))
                .orElseGet(() -> new double[leaves]);
        return Tree.of(written.file() + ", " + written.at(), shape, features.size(), 0, 1, values, cover);
    }
}
