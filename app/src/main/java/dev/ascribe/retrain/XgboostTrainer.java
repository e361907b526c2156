package dev.ascribe.retrain;

import dev.ascribe.UserInputException;
import dev.ascribe.tree.Feature;
import dev.ascribe.tree.Objective;
import dev.ascribe.tree.Tree;
import dev.ascribe.tree.TreeEnsemble;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import ml.dmlc.xgboost4j.java.Booster;
import ml.dmlc.xgboost4j.java.Column;
import ml.dmlc.xgboost4j.java.DMatrix;
import ml.dmlc.xgboost4j.java.XGBoost;
import ml.dmlc.xgboost4j.java.XGBoostError;

/**
 * XGBoost by xgboost4j. Its model files have none of the parameters of training: eta and lambda follow from the leaves, {@code max_depth} is
 * the depth of the deepest tree, {@code min_child_weight} 1 or the weight of the lightest leaf if that is less (with these two the splits
 * that the model has are exactly those that stay allowed), the rest is as the library has it unless the user says otherwise.
 *
 * <p>The intercept is given as base margin, so that versions that estimate it in other ways agree: the rows' mean if that is what the
 * model has, else the model's own.
 */
record XgboostTrainer(TreeEnsemble model, Map<String, String> parameters, boolean fromMean) implements Trainer {
    private static final String VERSION = "2.1.4";
    private static final double NEAR = 1e-3;
    private static final Map<String, String> ALIASES = Map.of(
            "learning_rate", "eta",
            "reg_lambda", "lambda",
            "reg_alpha", "alpha",
            "min_split_loss", "gamma",
            "random_state", "seed");
    private static final List<String> DECIDED = List.of(
            "objective", "num_class", "base_score", "booster", "scale_pos_weight", "num_parallel_tree", "process_type");
    private static final List<String> ROUNDS = List.of("n_estimators", "num_boost_round", "num_round", "nrounds");
    private static final List<String> SHARES =
            List.of("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode");

    static XgboostTrainer of(TreeEnsemble model, Rows all, double eta, double lambda, Map<String, String> given) {
        Trainer.refuse(given, DECIDED, model.path().toString());
        Trainer.refuse(given, ROUNDS, "--rounds");
        Map<String, String> parameters = new TreeMap<>();
        int depth = 0;
        double lightest = 1;
        for (Tree tree : model.trees()) {
            depth = Math.max(depth, tree.depth());
            for (int leaf = 0; tree.depth() > 0 && leaf < tree.leaves(); leaf++) {
                lightest = Math.min(lightest, tree.cover(leaf));
            }
        }
        Objective objective = model.requireGradients();
        parameters.put("objective", model.objectiveName());
        if (objective.family() == Objective.Family.SOFTMAX) {
            parameters.put("num_class", String.valueOf(objective.outputs()));
        }
        if (objective.positiveWeight() != 1) {
            parameters.put("scale_pos_weight", String.valueOf(objective.positiveWeight()));
        }
        parameters.put("eta", String.valueOf(eta));
        parameters.put("lambda", String.valueOf(lambda));
        parameters.put("max_depth", String.valueOf(depth));
        parameters.put("min_child_weight", String.valueOf((float) lightest));
        parameters.put("tree_method", "hist");
        given.forEach((name, value) -> parameters.put(ALIASES.getOrDefault(name, name), value));
        SHARES.forEach(name -> Trainer.number(parameters, name, 1));
        Trainer.number(parameters, "seed", 0);
        return new XgboostTrainer(model, parameters, near(mean(objective, all), own(model)));
    }

    @Override
    public String name() {
        return "xgboost4j " + VERSION;
    }

    @Override
    public boolean chance() {
        return SHARES.stream().anyMatch(name -> Trainer.number(parameters, name, 1) < 1);
    }

    @Override
    public double[][] train(Rows rows, long seed, double[][] asked) {
        Map<String, Object> told = new HashMap<>(parameters);
        told.put("seed", (long) Trainer.number(parameters, "seed", 0) + seed);
        told.put("verbosity", 0);
        double[] intercept = intercept(rows);
        try {
            DMatrix learned = matrix(rows.features(), intercept);
            DMatrix query = matrix(asked, intercept);
            try {
                learned.setLabel(Rows.floats(rows.labels()));
                learned.setWeight(Rows.floats(rows.weights()));
                Booster booster = XGBoost.train(learned, told, model.rounds().size(), new HashMap<>(), null, null);
                try {
                    float[][] margins = booster.predict(query, true, 0);
                    return Arrays.stream(margins)
                            .map(row -> {
                                double[] wide = new double[row.length];
                                Arrays.setAll(wide, c -> row[c]);
                                return wide;
                            })
                            .toArray(double[][]::new);
                } finally {
                    booster.dispose();
                }
            } finally {
                learned.dispose();
                query.dispose();
            }
        } catch (XGBoostError e) {
            throw new UserInputException(
                    "%s does not train with these parameters (correct --params): %s"
                            .formatted(
                                    name(),
                                    Objects.toString(e.getMessage())
                                            .lines()
                                            .findFirst()
                                            .orElse("")),
                    e);
        } catch (LinkageError e) {
            throw Trainer.unavailable(name(), e);
        }
    }

    private DMatrix matrix(double[][] features, double[] intercept) throws XGBoostError {
        int width = model.features().size();
        double[] flat = new Rows(features, new double[0], new double[0]).flat();
        DMatrix matrix = new DMatrix(Rows.floats(flat), features.length, width, Float.NaN);
        if (model.features().stream().anyMatch(Feature::categorical)) {
            matrix.setFeatureTypes(model.features().stream()
                    .map(feature -> feature.categorical() ? "c" : "float")
                    .toArray(String[]::new));
        }
        try (Arena arena = Arena.ofConfined()) {
            matrix.setBaseMargin(new Margins(arena, Rows.floats(intercept), features.length));
        }
        return matrix;
    }

    private static double[] own(TreeEnsemble model) {
        return model.intercept().stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static boolean near(double[] a, double[] b) {
        for (int c = 0; c < a.length; c++) {
            if (!(Math.abs(a[c] - b[c]) <= NEAR * Math.max(1, Math.abs(b[c])))) {
                return false;
            }
        }
        return true;
    }

    /** The rows' mean, its logit, or the centred logarithms of the class shares, by training weights, (K). */
    private static double[] mean(Objective objective, Rows rows) {
        boolean softmax = objective.family() == Objective.Family.SOFTMAX;
        double total = 0;
        double[] sums = new double[objective.outputs()];
        for (int row = 0; row < rows.size(); row++) {
            double label = rows.labels()[row];
            double weight = objective.weight(label, rows.weights()[row]);
            total += weight;
            sums[softmax ? (int) label : 0] += softmax ? weight : weight * label;
        }
        double all = total;
        double[] means = Arrays.stream(sums).map(sum -> sum / all).toArray();
        return switch (objective.family()) {
            case SQUARED_ERROR -> means;
            case LOGISTIC -> new double[] {Math.log(means[0] / (1 - means[0]))};
            case SOFTMAX -> {
                double[] logs = Arrays.stream(means).map(Math::log).toArray();
                double centre = Arrays.stream(logs).average().orElse(0);
                yield Arrays.stream(logs).map(log -> log - centre).toArray();
            }
        };
    }

    private double[] intercept(Rows rows) {
        double[] mean = mean(model.requireGradients(), rows);
        boolean finite = Arrays.stream(mean).allMatch(Double::isFinite); // not where a class has no row
        return fromMean && finite ? mean : own(model);
    }

    /** The same margins for every row, (n, K), as XGBoost reads them from memory: its float arrays take one output only. */
    private static final class Margins extends Column {
        private final String json;

        Margins(Arena arena, float[] row, int rows) {
            MemorySegment memory = arena.allocate(ValueLayout.JAVA_FLOAT, (long) rows * row.length);
            for (long i = 0; i < (long) rows * row.length; i++) {
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, row[(int) (i % row.length)]);
            }
            this.json = "{\"data\":[%d,false],\"shape\":[%d,%d],\"typestr\":\"<f4\",\"version\":3}"
                    .formatted(memory.address(), rows, row.length);
        }

        @Override
        public String getArrayInterfaceJson() {
            return json;
        }
    }
}
