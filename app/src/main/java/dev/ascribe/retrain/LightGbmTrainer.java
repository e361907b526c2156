package dev.ascribe.retrain;

import dev.ascribe.UserInputException;
import dev.ascribe.tree.ModelFile;
import dev.ascribe.tree.TreeEnsemble;
import io.github.metarank.lightgbm4j.LGBMBooster;
import io.github.metarank.lightgbm4j.LGBMDataset;
import io.github.metarank.lightgbm4j.LGBMException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** LightGBM by lightgbm4j, with the parameters that its model files have. */
record LightGbmTrainer(TreeEnsemble model, Map<String, String> parameters) implements Trainer {
    private static final String VERSION = "4.3.0-1";
    /** Parameters that training depends on. */
    private static final List<String> VALUES = List.of(
            "boosting",
            "objective",
            "learning_rate",
            "num_leaves",
            "max_depth",
            "min_data_in_leaf",
            "min_sum_hessian_in_leaf",
            "bagging_fraction",
            "pos_bagging_fraction",
            "neg_bagging_fraction",
            "bagging_freq",
            "bagging_seed",
            "feature_fraction",
            "feature_fraction_bynode",
            "feature_fraction_seed",
            "extra_seed",
            "max_delta_step",
            "lambda_l1",
            "lambda_l2",
            "min_gain_to_split",
            "min_data_per_group",
            "max_cat_threshold",
            "cat_l2",
            "cat_smooth",
            "max_cat_to_onehot",
            "monotone_constraints",
            "monotone_constraints_method",
            "monotone_penalty",
            "feature_contri",
            "path_smooth",
            "interaction_constraints",
            "max_bin",
            "max_bin_by_feature",
            "min_data_in_bin",
            "bin_construct_sample_cnt",
            "data_random_seed",
            "objective_seed",
            "seed",
            "num_class",
            "scale_pos_weight");
    /** Those that are 0 or 1 in the file and false or true to the library. */
    private static final List<String> FLAGS = List.of(
            "deterministic",
            "force_col_wise",
            "force_row_wise",
            "extra_trees",
            "enable_bundle",
            "is_enable_sparse",
            "use_missing",
            "zero_as_missing",
            "feature_pre_filter",
            "boost_from_average",
            "use_quantized_grad");

    private static final List<String> SEEDS = List.of(
            "seed", "bagging_seed", "feature_fraction_seed", "extra_seed", "data_random_seed", "objective_seed");
    private static final List<String> DECIDED = List.of("objective", "num_class", "boosting", "categorical_feature");
    private static final List<String> ROUNDS = List.of("num_iterations", "n_estimators", "num_boost_round");

    static LightGbmTrainer of(TreeEnsemble model, Map<String, String> given) {
        Trainer.refuse(given, DECIDED, model.path().toString());
        Trainer.refuse(given, ROUNDS, "--rounds");
        Map<String, String> parameters = new TreeMap<>();
        for (String name : VALUES) {
            String value = model.parameters().getOrDefault(name, "");
            if (!value.isBlank()) {
                parameters.put(name, value);
            }
        }
        for (String name : FLAGS) {
            String value = model.parameters().get(name);
            if (value != null) {
                parameters.put(name, value.equals("1") ? "true" : "false");
            }
        }
        parameters.put("objective", objective(model));
        String categorical = IntStream.range(0, model.features().size())
                .filter(f -> model.features().get(f).categorical())
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(","));
        if (!categorical.isEmpty()) {
            parameters.put("categorical_feature", categorical);
        }
        parameters.putAll(given);
        SEEDS.forEach(name -> Trainer.number(parameters, name, 0));
        return new LightGbmTrainer(model, parameters);
    }

    /** The objective's name without its settings: {@code binary sigmoid:1} is {@code binary}. */
    private static String objective(TreeEnsemble model) {
        return model.objectiveName().split(" ", 2)[0];
    }

    @Override
    public String name() {
        return "lightgbm4j " + VERSION;
    }

    @Override
    public boolean chance() {
        boolean bagged = Trainer.number(parameters, "bagging_freq", 0) > 0
                && (share("bagging_fraction") < 1
                        || share("pos_bagging_fraction") < 1
                        || share("neg_bagging_fraction") < 1);
        return bagged
                || share("feature_fraction") < 1
                || share("feature_fraction_bynode") < 1
                || "true".equals(parameters.get("extra_trees"));
    }

    private double share(String name) {
        return Trainer.number(parameters, name, 1);
    }

    @Override
    public double[][] train(Rows rows, long seed, double[][] asked) {
        Map<String, String> told = new TreeMap<>(parameters);
        told.put("verbosity", "-1");
        if (seed != 0) {
            SEEDS.stream()
                    .filter(told::containsKey)
                    .forEach(name -> told.merge(
                            name, "", (old, none) -> String.valueOf((long) Trainer.number(told, name, 0) + seed)));
            told.putIfAbsent("seed", String.valueOf(seed));
        }
        String text = told.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
        int width = model.features().size();
        try {
            LGBMBooster.loadNative();
            if (!LGBMBooster.isNativeLoaded()) {
                throw Trainer.unavailable(
                        name(), new UnsatisfiedLinkError("its jar has no native library for this platform"));
            }
            try (LGBMDataset data = LGBMDataset.createFromMat(rows.flat(), rows.size(), width, true, text, null)) {
                data.setField("label", Rows.floats(rows.labels()));
                data.setField("weight", Rows.floats(rows.weights()));
                try (LGBMBooster booster = LGBMBooster.create(data, text)) {
                    boolean finished = false;
                    for (int round = 0; round < model.rounds().size() && !finished; round++) {
                        finished = booster.updateOneIter();
                    }
                    TreeEnsemble trained =
                            read(booster.saveModelToString(0, 0, LGBMBooster.FeatureImportanceType.SPLIT));
                    return Arrays.stream(asked).map(trained::margins).toArray(double[][]::new);
                }
            }
        } catch (LGBMException e) {
            throw new UserInputException(
                    "%s does not train with these parameters (correct --params): %s".formatted(name(), e.getMessage()),
                    e);
        } catch (IOException | LinkageError e) {
            throw Trainer.unavailable(name(), e);
        }
    }

    /** The trained model by our own reader: lightgbm4j's prediction writes past its memory where there are several classes. */
    private static TreeEnsemble read(String text) throws IOException {
        Path file = Files.createTempFile("ascribe-", ".txt");
        try {
            Files.writeString(file, text);
            return ModelFile.open(file).limited("all");
        } finally {
            Files.delete(file);
        }
    }
}
