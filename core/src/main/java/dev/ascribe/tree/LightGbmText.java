package dev.ascribe.tree;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * LightGBM's text model, versions 3 and 4: {@code key=value} lines, a block for each tree, the parameters of training, and the
 * categories of pandas in the last line.
 *
 * <p>A numeric value goes left when it is at most the threshold, as doubles. A split's {@code decision_type} has bit 0 for a category
 * set (members go left, all else right), bit 1 for "missing goes left", bits 2 and 3 for what is missing: nothing (then NaN counts as
 * 0), zero, or NaN.
 *
 * <p>With {@code boost_from_average} the intercept is added into the leaves of the first round. It is in the file nowhere else, so
 * that {@link Replay} takes it out again: it follows from labels and weights.
 */
final class LightGbmText {
    /** What counts as zero where zero is missing: LightGBM's {@code kZeroThreshold}. */
    static final double ZERO = 1e-35f;

    private static final TreeEnsemble.Precision PRECISION = new TreeEnsemble.Precision(false, true, false);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern SPACE = Pattern.compile(" ");
    private static final Pattern COMMA = Pattern.compile(",");
    private static final Pattern COLON = Pattern.compile(":");
    private static final Pattern PLACEHOLDER = Pattern.compile("Column_[0-9]+");
    private static final int MOST_LEAVES = 1 << 24;
    private static final int MISSING_IS_ZERO = 1;
    private static final int MISSING_IS_NAN = 2;

    /** Parameters under which leaves are not what labels and weights say, and their harmless values. */
    private static final Map<String, String> HARMLESS = Map.of(
            "lambda_l1", "0",
            "max_delta_step", "0",
            "path_smooth", "0",
            "monotone_constraints", "",
            "use_quantized_grad", "0",
            "bagging_freq", "0");

    private final Path file;
    private final Map<String, String> header = new LinkedHashMap<>();
    private final List<Map<String, String>> blocks = new ArrayList<>();
    private final Map<String, String> parameters = new LinkedHashMap<>();
    private @Nullable JsonNode pandas;
    private boolean averaged;

    private LightGbmText(Path file, List<String> lines) {
        this.file = file;
        int at = 1;
        Map<String, String> block = header;
        boolean ended = false;
        for (; at < lines.size() && !ended; at++) {
            String line = lines.get(at);
            if (line.equals("end of trees")) {
                ended = true;
            } else if (line.equals("average_output")) {
                averaged = true;
            } else if (line.startsWith("Tree=")) {
                if (!line.equals("Tree=" + blocks.size())) {
                    throw damaged("line %d: '%s' where Tree=%d was expected".formatted(at + 1, line, blocks.size()));
                }
                block = new LinkedHashMap<>();
                blocks.add(block);
            } else if (!line.isBlank()) {
                int equals = line.indexOf('=');
                if (equals < 0) {
                    throw damaged("line %d: '%s' is no key=value".formatted(at + 1, shortened(line)));
                }
                if (block.put(line.substring(0, equals), line.substring(equals + 1)) != null) {
                    throw damaged("line %d: '%s' stands twice".formatted(at + 1, line.substring(0, equals)));
                }
            }
        }
        if (!ended) {
            throw new CorruptDataException(
                    file + " has no line 'end of trees'; it was cut off, copy it again or save the model anew");
        }
        boolean inside = false;
        for (; at < lines.size(); at++) {
            String line = lines.get(at);
            if (line.equals("parameters:") || line.equals("end of parameters")) {
                inside = line.equals("parameters:");
            } else if (inside && line.startsWith("[") && line.endsWith("]") && line.contains(": ")) {
                int colon = line.indexOf(": ");
                parameters.put(line.substring(1, colon), line.substring(colon + 2, line.length() - 1));
            } else if (line.startsWith("pandas_categorical:")) {
                pandas = categories(line.substring("pandas_categorical:".length()));
            }
        }
    }

    /** @param lines of the file; the first is {@code tree} */
    static TreeEnsemble read(Path file, List<String> lines) {
        return new LightGbmText(file, lines).ensemble();
    }

    private static String shortened(String line) {
        return line.length() > 60 ? line.substring(0, 60) + "…" : line;
    }

    private CorruptDataException damaged(String what) {
        return new CorruptDataException(file + ", " + what + "; the file is damaged");
    }

    private @Nullable JsonNode categories(String json) {
        try {
            JsonNode lists = JSON.readTree(json);
            return lists.isArray() ? lists : null;
        } catch (JsonProcessingException e) {
            throw damaged("its line pandas_categorical is no JSON");
        }
    }

    private TreeEnsemble ensemble() {
        String version = required(header, "version", file + ", its header");
        if (!version.equals("v3") && !version.equals("v4")) {
            throw new UnsupportedModelException(
                    "%s: version '%s' of LightGBM's text format is not known; supported are v3 and v4, save the model with LightGBM 3 or 4"
                            .formatted(file, version));
        }
        int features = integer(header, "max_feature_idx", file + ", its header") + 1;
        int outputs = integer(header, "num_tree_per_iteration", file + ", its header");
        if (features < 1 || outputs < 1 || blocks.isEmpty() || blocks.size() % outputs != 0) {
            throw damaged("it has %d features and %d trees, %d a round".formatted(features, blocks.size(), outputs));
        }
        double eta = parameter("learning_rate")
                .map(text -> number(text, "learning_rate"))
                .orElse(Double.NaN);
        double lambda =
                parameter("lambda_l2").map(text -> number(text, "lambda_l2")).orElse(0.0);
        Optional<Objective> loss = loss(outputs);
        String obstacle = obstacle(loss, outputs, eta);
        List<List<Tree>> rounds = new ArrayList<>();
        int[] missing = new int[features];
        Arrays.fill(missing, -1);
        List<String> infos = List.of(SPACE.split(header.getOrDefault("feature_infos", "")));
        for (int t = 0; t < blocks.size(); t += outputs) {
            List<Tree> round = new ArrayList<>();
            for (int c = 0; c < outputs; c++) {
                Tree tree = tree(t + c, c, features, infos, missing);
                round.add(averaged ? tree.scaled((double) outputs / blocks.size(), 0) : tree);
            }
            rounds.add(List.copyOf(round));
        }
        List<String> names = List.of(SPACE.split(required(header, "feature_names", file + ", its header")));
        if (names.size() != features) {
            throw damaged("it names %d features but has %d".formatted(names.size(), features));
        }
        return new TreeEnsemble(
                file,
                TreeEnsemble.Kind.LIGHTGBM,
                features(names, infos, missing),
                !names.stream().allMatch(name -> PLACEHOLDER.matcher(name).matches()),
                header.getOrDefault("objective", "custom"),
                obstacle != null && header.getOrDefault("objective", "").contains("sqrt") ? null : loss.orElse(null),
                obstacle,
                null,
                Collections.nCopies(outputs, 0.0),
                obstacle == null ? eta : null,
                obstacle == null ? lambda : null,
                false,
                obstacle == null && fromAverage(),
                rounds,
                rounds.size(),
                PRECISION,
                suspects(),
                parameters);
    }

    private Optional<String> parameter(String name) {
        return Optional.ofNullable(parameters.get(name));
    }

    private List<String> suspects() {
        return HARMLESS.keySet().stream()
                .sorted()
                .filter(name ->
                        parameters.containsKey(name) && !Objects.equals(HARMLESS.get(name), parameters.get(name)))
                .map(name -> name + "=" + parameters.get(name))
                .toList();
    }

    /** Whether the intercept stands in the first round's leaves. */
    private boolean fromAverage() {
        return parameters.getOrDefault("boost_from_average", "1").equals("1");
    }

    private Optional<Objective> loss(int outputs) {
        String objective = header.getOrDefault("objective", "");
        String name = objective.contains(" ") ? objective.substring(0, objective.indexOf(' ')) : objective;
        double positive = parameter("scale_pos_weight")
                .map(text -> number(text, "scale_pos_weight"))
                .orElse(1.0);
        return switch (name) {
            case "regression" -> outputs == 1 ? Optional.of(Objective.squaredError()) : Optional.empty();
            case "binary" -> outputs == 1 ? Optional.of(Objective.logistic(positive)) : Optional.empty();
            case "multiclass" ->
                outputs > 1 ? Optional.of(Objective.softmax(outputs, outputs / (outputs - 1.0))) : Optional.empty();
            default -> Optional.empty();
        };
    }

    private @Nullable String obstacle(Optional<Objective> loss, int outputs, double eta) {
        String boosting = parameters.getOrDefault("boosting", averaged ? "rf" : "gbdt");
        if (averaged || boosting.equals("rf")) {
            return "boosting 'rf' is a forest, whose leaves are averaged";
        }
        if (boosting.equals("dart")) {
            return "boosting 'dart' changes earlier trees in later rounds, so no round's leaves can be reproduced";
        }
        if (boosting.equals("goss")
                || parameters.getOrDefault("data_sample_strategy", "bagging").equals("goss")) {
            return "boosting 'goss' fits each tree to a sample of the rows that the file does not name";
        }
        if (loss.isEmpty() || header.getOrDefault("objective", "").contains(" sqrt")) {
            return "objective '%s' has leaves or a loss that influence cannot be taken through; supported are regression (l2), binary and multiclass"
                    .formatted(header.getOrDefault("objective", "custom"));
        }
        if (header.getOrDefault("objective", "").startsWith("binary")
                && !header.getOrDefault("objective", "").contains("sigmoid:1 ")
                && !header.getOrDefault("objective", "").endsWith("sigmoid:1")) {
            return "objective '%s' has a sigmoid that is not 1; train with sigmoid=1"
                    .formatted(header.get("objective"));
        }
        if (parameters.getOrDefault("is_unbalance", "0").equals("1")) {
            return "is_unbalance=1 weighs the classes by their counts; train with scale_pos_weight instead";
        }
        if (Double.isNaN(eta)) {
            return "it has no parameters, and with them no learning rate; save the model with the LightGBM that trained it";
        }
        for (int t = 0; t < blocks.size(); t++) {
            double shrinkage = number(blocks.get(t).getOrDefault("shrinkage", "1"), "shrinkage");
            boolean holdsIntercept = t < outputs; // then LightGBM writes 1
            if (!holdsIntercept
                    && number(blocks.get(t).getOrDefault("num_leaves", "1"), "num_leaves") > 1
                    && Math.abs(shrinkage - eta) > 1e-6 * eta) {
                return "tree %d was shrunk by %s, but learning_rate is %s: a learning rate that changes from round to round"
                        .formatted(t, shrinkage, eta);
            }
        }
        return null;
    }

    private List<Feature> features(List<String> names, List<String> infos, int[] missing) {
        boolean[] categorical = new boolean[names.size()];
        for (int f = 0; f < categorical.length; f++) {
            categorical[f] = f < infos.size()
                    && infos.get(f).contains(":")
                    && !infos.get(f).startsWith("[");
        }
        for (String index : COMMA.split(parameters.getOrDefault("categorical_feature", ""), -1)) {
            if (index.strip().matches("[0-9]{1,9}") && Integer.parseInt(index.strip()) < categorical.length) {
                categorical[Integer.parseInt(index.strip())] = true;
            }
        }
        List<Feature> all = new ArrayList<>();
        int count = 0;
        for (boolean one : categorical) {
            count += one ? 1 : 0;
        }
        JsonNode lists = pandas;
        boolean stored = lists != null && lists.size() == count;
        int list = 0;
        for (int f = 0; f < categorical.length; f++) {
            List<String> categories = null;
            if (categorical[f] && stored) {
                categories = new ArrayList<>();
                for (JsonNode category : Objects.requireNonNull(lists).get(list++)) {
                    categories.add(category.asText());
                }
            }
            all.add(new Feature(names.get(f), categorical[f], categories, missing[f] == MISSING_IS_ZERO));
        }
        return all;
    }

    /** @param missing what each feature's splits said is missing, or -1 (features); a split that says otherwise is damage */
    private Tree tree(int number, int output, int features, List<String> infos, int[] missing) {
        Map<String, String> block = blocks.get(number);
        String where = file + ", Tree=" + number;
        if (block.getOrDefault("is_linear", "0").equals("1")) {
            throw new UnsupportedModelException(
                    where + " has linear models in its leaves (linear_tree); train with linear_tree=false");
        }
        int leaves = integer(block, "num_leaves", where);
        if (leaves < 1 || leaves > MOST_LEAVES) {
            throw damaged("Tree=%d: num_leaves is %d".formatted(number, leaves));
        }
        double[] values = numbers(block, "leaf_value", leaves, where);
        if (leaves == 1) {
            Splits none = new Splits(0);
            return Tree.of(where, none, features, output, 1, values, new double[] {1})
                    .asConstant();
        }
        int splits = leaves - 1;
        int[] decision = integers(block, "decision_type", splits, where);
        int[] feature = integers(block, "split_feature", splits, where);
        double[] threshold = numbers(block, "threshold", splits, where);
        Splits shape = new Splits(
                integers(block, "left_child", splits, where),
                integers(block, "right_child", splits, where),
                feature,
                threshold,
                new boolean[splits],
                new long[splits][]);
        boolean[] manyCategories = new boolean[splits];
        for (int s = 0; s < splits; s++) {
            boolean byCategory = (decision[s] & 1) != 0;
            int missingIs = decision[s] >> 2 & 3;
            if (feature[s] < 0 || feature[s] >= features) {
                throw damaged("Tree=%d: a split on feature %d, but the model has features 0 to %d"
                        .formatted(number, feature[s], features - 1));
            }
            if (byCategory) {
                shape.sets()[s] = set(block, (int) threshold[s], where);
                manyCategories[s] = byMany(infos, feature[s]);
                continue;
            }
            if (missing[feature[s]] >= 0 && missing[feature[s]] != missingIs) {
                throw damaged("Tree=%d: feature %d has missing values of another kind than in an earlier split"
                        .formatted(number, feature[s]));
            }
            missing[feature[s]] = missingIs;
            boolean directed = missingIs == MISSING_IS_ZERO || missingIs == MISSING_IS_NAN;
            shape.missingLeft()[s] = directed ? (decision[s] & 2) != 0 : 0 <= threshold[s]; // else NaN counts as 0
        }
        double[] cover =
                block.containsKey("leaf_count") ? numbers(block, "leaf_count", leaves, where) : new double[leaves];
        Tree tree = Tree.of(where, shape, features, output, 1, values, cover);
        return tree.withExtraLambda(extraLambda(shape, manyCategories));
    }

    /** Splits by sets of many categories have {@code cat_l2} in the denominators of the leaves below them; by a single one not. */
    private boolean byMany(List<String> infos, int feature) {
        int bins = feature < infos.size() ? COLON.split(infos.get(feature)).length : Integer.MAX_VALUE;
        return bins
                > parameter("max_cat_to_onehot")
                        .map(text -> number(text, "max_cat_to_onehot"))
                        .orElse(4.0);
    }

    private double[] extraLambda(Splits shape, boolean[] many) {
        double catL2 = parameter("cat_l2").map(text -> number(text, "cat_l2")).orElse(10.0);
        double[] extra = new double[shape.splits() + 1];
        for (int s = 0; s < shape.splits(); s++) {
            for (int child : new int[] {shape.left()[s], shape.right()[s]}) {
                if (many[s] && child < 0) {
                    extra[~child] = catL2;
                }
            }
        }
        return extra;
    }

    private long[] set(Map<String, String> block, int index, String where) {
        int count = integer(block, "num_cat", where);
        if (index < 0 || index >= count || count > MOST_LEAVES) {
            throw new CorruptDataException(
                    "%s: category set %d of %d is not there; the file is damaged".formatted(where, index, count));
        }
        int[] bounds = integers(block, "cat_boundaries", count + 1, where);
        long[] words = Arrays.stream(SPACE.split(required(block, "cat_threshold", where)))
                .mapToLong(text -> (long) number(text, "cat_threshold"))
                .toArray();
        if (bounds[index] < 0 || bounds[index + 1] < bounds[index] || bounds[index + 1] > words.length) {
            throw new CorruptDataException("%s: category set %d has words %d to %d of %d; the file is damaged"
                    .formatted(where, index, bounds[index], bounds[index + 1] - 1, words.length));
        }
        long[] set = new long[(bounds[index + 1] - bounds[index] + 1) / 2];
        for (int w = bounds[index]; w < bounds[index + 1]; w++) {
            if (words[w] < 0 || words[w] > 0xFFFF_FFFFL) {
                throw new CorruptDataException(
                        "%s: category word %d is not of 32 bits; the file is damaged".formatted(where, words[w]));
            }
            int at = w - bounds[index];
            set[at / 2] |= words[w] << (at % 2 * Integer.SIZE);
        }
        return set;
    }

    private static String required(Map<String, String> block, String key, String where) {
        String value = block.get(key);
        if (value == null) {
            throw new CorruptDataException("%s has no '%s'; the file is damaged".formatted(where, key));
        }
        return value;
    }

    private double number(String text, String key) {
        try {
            double number = Double.parseDouble(text);
            if (Double.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new CorruptDataException(
                "%s: %s is '%s', not a finite number; the file is damaged".formatted(file, key, shortened(text)));
    }

    private int integer(Map<String, String> block, String key, String where) {
        double number = number(required(block, key, where), key);
        if (number != Math.rint(number) || Math.abs(number) > Integer.MAX_VALUE) {
            throw new CorruptDataException(
                    "%s: %s is %s, not an integer of 32 bits; the file is damaged".formatted(where, key, number));
        }
        return (int) number;
    }

    private double[] numbers(Map<String, String> block, String key, int count, String where) {
        String[] texts = SPACE.split(required(block, key, where).strip());
        if (texts.length != count) {
            throw new CorruptDataException("%s: %s has %d values, but %d are needed; the file is damaged"
                    .formatted(where, key, texts.length, count));
        }
        return Arrays.stream(texts).mapToDouble(text -> number(text, key)).toArray();
    }

    private int[] integers(Map<String, String> block, String key, int count, String where) {
        return Arrays.stream(numbers(block, key, count, where))
                .mapToInt(number -> {
                    if (number != Math.rint(number) || Math.abs(number) > Integer.MAX_VALUE) {
                        throw new CorruptDataException("%s: %s has %s, not an integer of 32 bits; the file is damaged"
                                .formatted(where, key, number));
                    }
                    return (int) number;
                })
                .toArray();
    }
}
