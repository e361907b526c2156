package dev.ascribe.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.AscribeException;
import dev.ascribe.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is not supported is refused by its name, and what does not belong together is found out. */
class RefusalTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NEED_NO_GRADIENTS =
            ". The methods tree-sim, leaf-path, simplex and shap-similarity need no gradients and take this model";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path home;

    private Path write(String name, String text) {
        try {
            return Files.writeString(home.resolve(name), text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Path json(String example, Consumer<ObjectNode> change) {
        try {
            ObjectNode document =
                    (ObjectNode) JSON.readTree(text(Example.named(example).file()));
            change.accept(document);
            return write("model.json", JSON.writeValueAsString(document));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Path lightGbm(String example, UnaryOperator<String> change) {
        return write("model.txt", change.apply(text(Example.named(example).file())));
    }

    private void refused(Runnable call, String message, Object... values) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        AscribeException.class, e -> assertThat(e.exitCode()).isEqualTo(2))
                .hasMessage(message.replace("HOME", home.toString()).formatted(values));
    }

    private static ObjectNode model(ObjectNode document) {
        return (ObjectNode) document.at("/learner/gradient_booster/model");
    }

    private static ObjectNode tree(ObjectNode document, int number) {
        return (ObjectNode) model(document).get("trees").get(number);
    }

    @Test
    void aLinearBoosterHasNoTrees() {
        Path file = json(
                "xgb-regression",
                document -> ((ObjectNode) document.at("/learner/gradient_booster")).put("name", "gblinear"));
        refused(
                () -> ModelFile.open(file),
                "HOME/model.json: booster 'gblinear' is a linear model without trees; train with booster gbtree");
    }

    @Test
    void dartTakesSimilarityMethodsOnly() {
        TreeEnsemble model = Example.named("xgb-dart").model();
        assertThatThrownBy(model::requireGradients)
                .hasMessage(model.path()
                        + ": booster 'dart' changes earlier trees in later rounds, so no round's leaves can be reproduced"
                        + NEED_NO_GRADIENTS);
        assertThat(new TreeTracer(model, new TreeTracer.Options("tree-sim", 1, Example.STRICT)))
                .isNotNull();
        assertThatThrownBy(() -> new TreeTracer(model, new TreeTracer.Options("boostin", 1, Example.STRICT)))
                .hasMessageContaining("booster 'dart'");
    }

    @Test
    void parallelTreesTakeSimilarityMethodsOnly() {
        TreeEnsemble model = Example.named("xgb-forest").model();
        assertThatThrownBy(model::requireGradients)
                .hasMessage(model.path()
                        + ": num_parallel_tree is 3: a round of several trees a class is a forest, whose leaves are averaged"
                        + NEED_NO_GRADIENTS);
    }

    @ParameterizedTest
    @CsvSource({"reg:absoluteerror", "reg:quantileerror", "rank:ndcg", "survival:cox", "reg:pseudohubererror"})
    void otherObjectivesTakeSimilarityMethodsOnly(String objective) {
        Path file = json(
                "xgb-regression", document -> ((ObjectNode) document.at("/learner/objective")).put("name", objective));
        TreeEnsemble model = ModelFile.open(file);
        refused(
                model::requireGradients,
                "HOME/model.json: objective '%s' has leaves or a loss that influence cannot be taken through; supported are "
                        + "reg:squarederror, binary:logistic, binary:logitraw, multi:softprob and multi:softmax"
                        + NEED_NO_GRADIENTS,
                objective);
    }

    @Test
    void leavesOfSeveralValuesAreRefused() {
        Path file = json(
                "xgb-regression",
                document -> ((ObjectNode) tree(document, 3).get("tree_param")).put("size_leaf_vector", "2"));
        refused(
                () -> ModelFile.open(file),
                "HOME/model.json: tree 3 has leaves of 2 values (multi_strategy 'multi_output_tree'); train with one_output_per_tree");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[boosting: gbdt]|[boosting: dart]|boosting 'dart' changes earlier trees in later rounds, so no round's leaves can be reproduced",
                "[boosting: gbdt]|[boosting: rf]|boosting 'rf' is a forest, whose leaves are averaged",
                "[data_sample_strategy: bagging]|[data_sample_strategy: goss]|boosting 'goss' fits each tree to a sample of the rows that the file does not name",
                "objective=binary sigmoid:1|objective=binary sigmoid:2|objective 'binary sigmoid:2' has a sigmoid that is not 1; train with sigmoid=1",
                "objective=binary sigmoid:1|objective=huber|objective 'huber' has leaves or a loss that influence cannot be taken through; supported are regression (l2), binary and multiclass",
                "[is_unbalance: 0]|[is_unbalance: 1]|is_unbalance=1 weighs the classes by their counts; train with scale_pos_weight instead",
                "[learning_rate: 0.2]|[learning_rate: 0.1]|tree 1 was shrunk by 0.2, but learning_rate is 0.1: a learning rate that changes from round to round"
            })
    void lightGbmSettingsAreRefusedByName(String from, String to, String reason) {
        Path file = lightGbm("lgb-binary", text -> text.replace(from, to));
        assertThat(file).content().contains(to);
        refused(ModelFile.open(file)::requireGradients, "HOME/model.txt: %s%s", reason, NEED_NO_GRADIENTS);
    }

    @Test
    void linearLeavesAreRefused() {
        Path file = lightGbm("lgb-binary", text -> text.replaceFirst("is_linear=0", "is_linear=1"));
        refused(
                () -> ModelFile.open(file),
                "HOME/model.txt, Tree=0 has linear models in its leaves (linear_tree); train with linear_tree=false");
    }

    @Test
    void unknownVersionsAreRefused() {
        Path file = lightGbm("lgb-binary", text -> text.replace("version=v4", "version=v2"));
        refused(
                () -> ModelFile.open(file),
                "HOME/model.txt: version 'v2' of LightGBM's text format is not known; supported are v3 and v4, save the model with LightGBM 3 or 4");
    }

    @Test
    void catBoostSettingsAreRefusedByName() {
        Path iterations = json(
                "cat-newton",
                document -> ((ObjectNode) document.at("/model_info/params/tree_learner_options"))
                        .put("leaf_estimation_iterations", 10));
        refused(
                ModelFile.open(iterations)::requireGradients,
                "HOME/model.json: leaf_estimation_iterations is 10: its leaves are the sum of several steps; train with leaf_estimation_iterations=1"
                        + NEED_NO_GRADIENTS);
        Path loss = json(
                "cat-newton",
                document -> ((ObjectNode) document.at("/model_info/params/loss_function")).put("type", "MAE"));
        refused(
                ModelFile.open(loss)::requireGradients,
                "HOME/model.json: loss_function 'MAE' has leaves or a loss that influence cannot be taken through; supported are RMSE and Logloss"
                        + NEED_NO_GRADIENTS);
        Path exact = json(
                "cat-newton",
                document -> ((ObjectNode) document.at("/model_info/params/tree_learner_options"))
                        .put("leaf_estimation_method", "Exact"));
        refused(
                ModelFile.open(exact)::requireGradients,
                "HOME/model.json: leaf_estimation_method 'Exact' is not a gradient step; train with Newton or Gradient"
                        + NEED_NO_GRADIENTS);
    }

    @Test
    void catBoostModelsOfOtherShapesAreRefused() {
        refused(
                () -> ModelFile.open(json("cat-newton", document -> document.putArray("trees"))),
                "HOME/model.json: its trees are not symmetric; train with grow_policy='SymmetricTree'");
        refused(
                () -> ModelFile.open(json("cat-newton", document -> document.putObject("ctr_data"))),
                "HOME/model.json: it has categorical target statistics (ctr_data), which the file does not let anyone recompute; encode the categories as numbers before training");
        refused(
                () -> ModelFile.open(json(
                        "cat-newton",
                        document -> ((ObjectNode) document.get("features_info"))
                                .putArray("categorical_features")
                                .addObject())),
                "HOME/model.json: it has categorical features, which are not supported; encode them as numbers before training");
        refused(
                () -> ModelFile.open(json(
                        "cat-newton",
                        document -> ((ArrayNode) document.get("scale_and_bias").get(1)).add(0))),
                "HOME/model.json: it has 2 outputs; supported are models of one (RMSE, Logloss)");
        refused(
                () -> ModelFile.open(write("model.cbm", "CBM1 and more")),
                "HOME/model.cbm is CatBoost's binary format (.cbm); save it as JSON: model.save_model('model.json', format='json')");
    }

    @Test
    void otherFilesAreRefused() {
        refused(
                () -> ModelFile.open(write("old.model", "binf and more")),
                "HOME/old.model is XGBoost's old binary format; load it with an XGBoost before 3.1 and save it as model.json");
        refused(
                () -> ModelFile.open(write("other.json", "{\"a\": 1}")),
                "HOME/other.json is JSON but no model that is known: it has neither \"learner\" (XGBoost) nor \"oblivious_trees\" (CatBoost) nor \"schema\": \"ascribe/forest/1\"");
        refused(
                () -> ModelFile.open(write("notes.txt", "tree of life")),
                "HOME/notes.txt is no model of trees that is known; supported are XGBoost's .json and .ubj, LightGBM's .txt, CatBoost's .json and ascribe/forest/1");
        refused(() -> ModelFile.open(home.resolve("none")), "HOME/none does not exist; check the path");
    }

    @Test
    void aForestHasNoGradients() {
        TreeEnsemble model = Example.named("forest-regression").model();
        assertThatThrownBy(() -> new TreeTracer(model, new TreeTracer.Options("leaf-influence", 1, Example.STRICT)))
                .hasMessage(model.path()
                        + ": a forest's leaves are means of labels, not gradient steps. Where it tells its bootstrap rows (\"drawn\"), leaf-refit takes it"
                        + NEED_NO_GRADIENTS);
    }

    @Test
    void unknownKeysOfAForestAreErrors() {
        refused(
                () -> ModelFile.open(json("forest-regression", document -> document.put("tress", 1))),
                "HOME/model.json: the document has an unknown key \"tress\"; known are [classes, features, schema, task, trees]");
        refused(
                () -> ModelFile.open(json(
                        "forest-regression",
                        document -> ((ObjectNode) document.get("trees").get(0)).put("gini", 1))),
                "HOME/model.json: trees[0] has an unknown key \"gini\"; known are [cover, drawn, feature, left, missingLeft, right, threshold, value]");
    }

    // --- files that are damaged ---

    @Test
    void childrenThatFormNoTreeAreDamage() {
        refused(
                () -> ModelFile.open(json(
                        "xgb-regression",
                        document -> ((ArrayNode) tree(document, 0).get("left_children")).set(1, 0))),
                "HOME/model.json, learner.gradient_booster.model.trees[0]: the children of its nodes form no tree (node 0 is reached twice); the file is damaged");
        refused(
                () -> ModelFile.open(json(
                        "xgb-regression",
                        document -> ((ArrayNode) tree(document, 0).get("right_children")).set(0, 999))),
                "HOME/model.json, learner.gradient_booster.model.trees[0]: the children of its nodes form no tree (node 999 is not there); the file is damaged");
        refused(
                () -> ModelFile.open(
                        lightGbm("lgb-regression", text -> text.replaceFirst("left_child=\\S+", "left_child=0"))),
                "HOME/model.txt, Tree=0: the children of its nodes form no tree (node 0 leads to node 0, reached twice); the file is damaged");
    }

    @Test
    void numbersThatAreNoneAreDamage() {
        refused(
                () -> ModelFile.open(json(
                        "xgb-regression",
                        document -> ((ArrayNode) tree(document, 0).get("split_conditions")).set(3, "NaN"))),
                "HOME/model.json: learner.gradient_booster.model.trees[0].split_conditions[3] is NaN, not a finite number; the file is damaged or of another program");
        refused(
                () -> ModelFile.open(
                        lightGbm("lgb-regression", text -> text.replaceFirst("leaf_value=\\S+", "leaf_value=nan"))),
                "HOME/model.txt: leaf_value is 'nan', not a finite number; the file is damaged");
        refused(
                () -> ModelFile.open(json(
                        "xgb-regression",
                        document -> ((ArrayNode) tree(document, 0).get("split_indices")).set(0, 99))),
                "HOME/model.json, learner.gradient_booster.model.trees[0]: a split on feature 99, but the model has features 0 to 2; the file is damaged");
        refused(
                () -> ModelFile.open(json(
                        "xgb-regression",
                        document -> ((ArrayNode) tree(document, 0).get("split_indices")).remove(0))),
                "HOME/model.json: learner.gradient_booster.model.trees[0].split_indices has 14 values, but 15 are needed; the file is damaged or of another program");
    }

    @Test
    void truncatedFilesAreDamage() throws IOException {
        String whole = text(Example.named("lgb-regression").file());
        refused(
                () -> ModelFile.open(write("cut.txt", whole.substring(0, whole.indexOf("end of trees")))),
                "HOME/cut.txt has no line 'end of trees'; it was cut off, copy it again or save the model anew");
        byte[] binary = Files.readAllBytes(Example.named("xgb-regression-ubj").file());
        Path cut = Files.write(home.resolve("cut.ubj"), Arrays.copyOf(binary, 4000));
        refused(
                () -> ModelFile.open(cut),
                "HOME/cut.ubj, byte 4,000: a length of 2, but only 0 bytes follow: was it cut off?; the file is damaged");
        String json = text(Example.named("xgb-regression").file());
        Path half = write("half.json", json.substring(0, json.length() / 2));
        assertThatThrownBy(() -> ModelFile.open(half))
                .hasMessageMatching("\\S+half.json, line 1, column \\d+ is no JSON: .*; was the file cut off\\?");
    }

    // --- tables ---

    private Table table(String example, String csv, UnaryOperator<Table.Layout> change, Table.Role role) {
        Example one = Example.named(example);
        return Table.open(write("rows.csv", csv), one.model(), change.apply(one.layout()), role);
    }

    private void refusedTable(String example, String csv, String message) {
        refused(() -> table(example, csv, layout -> layout, Table.Role.TRAINING).close(), message);
    }

    @Test
    void aTableThatDoesNotFitIsRefusedWithRowColumnAndValue() {
        String model = Example.named("xgb-sets").file().toString();
        String plain = Example.named("xgb-regression").file().toString();
        refusedTable(
                "xgb-sets",
                "a,b,c,colour\n1,2,3,o\n",
                "HOME/rows.csv has no column 'target', the target (--target); its columns are a, b, c, colour");
        refusedTable(
                "xgb-sets",
                "a,b,c,target\n1,2,3,1\n",
                "HOME/rows.csv has no column 'colour', a feature of " + model + "; its columns are a, b, c, target");
        refusedTable(
                "xgb-sets",
                "a,b,c,d,colour,target\n1,2,3,4,o,1\n",
                "HOME/rows.csv: column 'd' is no feature of " + model + "; leave it out with --ignore d");
        refusedTable(
                "xgb-sets",
                "a,b,c,colour,target\n1,2,3,o,1\n1,x,3,o,1\n",
                "HOME/rows.csv, row 1, column 'b': 'x' is not a number; a missing value is empty, NaN, NA, null or what --missing names");
        refusedTable(
                "xgb-sets",
                "a,b,c,colour,target\n1,2,3,mauve,1\n",
                "HOME/rows.csv, row 0, column 'colour': 'mauve' is no category that the model knows; correct it, or give all with --categories");
        refusedTable(
                "xgb-sets",
                "a,b,c,colour,target\n1,2,3,o,2\n",
                "HOME/rows.csv, row 0, column 'target': '2' is no label: labels are 0 to 1, or named in the model's order with --classes");
        refusedTable(
                "xgb-sets",
                "a,b,c,colour,target\n1,2,3,o,\n",
                "HOME/rows.csv, row 0, column 'target': '' is a missing target; fill it in or leave the row out");
        refusedTable(
                "xgb-regression",
                "a,b,c,target\n1,2,3,much\n",
                "HOME/rows.csv, row 0, column 'target': 'much' is not a number, which the target must be");
        refusedTable(
                "xgb-weights",
                "a,b,c,weight,target\n1,2,3,0,1\n",
                "HOME/rows.csv, row 0, column 'weight': '0' is no weight, which must be a positive number");
        for (String weight : List.of("NaN", "", "-1", "heavy", "Infinity")) {
            refusedTable(
                    "xgb-weights",
                    "a,b,c,weight,target\n1,2,3,1,1\n1,2,3," + weight + ",1\n",
                    "HOME/rows.csv, row 1, column 'weight': '" + weight
                            + "' is no weight, which must be a positive number");
        }
        refusedTable(
                "xgb-sets",
                "a,b,c,colour,target\n1,2,3,o,0.5\n",
                "HOME/rows.csv, row 0, column 'target': '0.5' is no label: labels are 0 to 1, or named in the model's order with --classes");
        refusedTable(
                "xgb-regression",
                "",
                "HOME/rows.csv holds no rows; its first line names the columns, each other line is a row");
        refusedTable(
                "xgb-regression",
                "a,b,c,target\n1,2,1e39,1\n",
                "HOME/rows.csv, row 0, column 'c': '1e39' is not a number; a missing value is empty, NaN, NA, null or what --missing names");
        refusedTable(
                "xgb-regression",
                "a,b,c,target\n1,2,3\n",
                "HOME/rows.csv, line 2, column 1 (row 0): 3 values for 4 columns (a, b, c, target); a value with a comma in it must stand in quotes");
        refusedTable(
                "xgb-regression",
                "a,b,c,target\n",
                "HOME/rows.csv holds no rows; its first line names the columns, each other line is a row");
        refused(
                () -> table(
                                "xgb-regression",
                                "a,b,c,target\n1,2,3,4\n",
                                layout -> new Table.Layout("a", null, Set.of("target"), Set.of(), Map.of(), null),
                                Table.Role.TRAINING)
                        .close(),
                "column 'a' is a feature of " + plain + " and cannot be the target, the weight or ignored");
        refused(
                () -> table(
                                "xgb-regression",
                                "a,b,c,target\n1,2,3,4\n",
                                layout -> new Table.Layout(
                                        "target", null, Set.of(), Set.of(), Map.of(), List.of("x", "y")),
                                Table.Role.TRAINING)
                        .close(),
                "--classes x,y: " + plain + " predicts numbers, not classes; leave it out");
        refused(
                () -> table(
                                "xgb-sets",
                                "a,b,c,colour,target\n1,2,3,o,x\n",
                                layout -> new Table.Layout("target", null, Set.of(), Set.of(), Map.of(), List.of("x")),
                                Table.Role.TRAINING)
                        .close(),
                "--classes x must name the 2 classes of " + model + ", each once, in the model's order");
        refused(
                () -> table(
                                "xgb-sets",
                                "a,b,c,colour,target\n1,2,3,o,z\n",
                                layout -> new Table.Layout(
                                        "target", null, Set.of(), Set.of(), Map.of(), List.of("x", "y")),
                                Table.Role.TRAINING)
                        .close(),
                "HOME/rows.csv, row 0, column 'target': 'z' is none of the classes [x, y]; name them in the model's order with --classes");
        refused(
                () -> table(
                                "xgb-regression",
                                "a,b,c,target\n1,2,3,4\n",
                                layout -> new Table.Layout(
                                        "target", null, Set.of(), Set.of(), Map.of("a", List.of("x")), null),
                                Table.Role.TRAINING)
                        .close(),
                "--categories names column 'a', which is no categorical feature of " + plain);
        refused(
                () -> table(
                                "xgb-garbled",
                                "a,b,c,colour,target\n1,2,3,grün,1\n",
                                layout -> Example.named("plain").layout(null),
                                Table.Role.TRAINING)
                        .close(),
                "HOME/rows.csv, row 0, column 'colour': 'grün' is no category that the model knows; correct it, or give all with --categories");
        TreeEnsemble bare =
                ModelFile.open(json("xgb-sets", document -> model(document).remove("cats")));
        Path rows = write("rows.csv", "a,b,c,colour,target\n1,2,3,2,1\n1,2,3,o,1\n");
        refused(
                () -> Table.open(rows, bare, Example.named("xgb-sets").layout(), Table.Role.TRAINING)
                        .close(),
                "HOME/rows.csv, row 1, column 'colour': 'o' is no category code, and the model stores no names of categories that can be read; give them with --categories");
    }

    @Test
    void aQueryMayHaveACategoryThatLightGbmDoesNotKnow() {
        String csv = "target,colour,c,b,a\n1,mauve,3,?,NA\n";
        try (Table query = table(
                "lgb-sets",
                csv,
                layout -> new Table.Layout("target", null, Set.of(), Set.of("?"), Map.of(), null),
                Table.Role.QUERY)) {
            double[] values = Arrays.stream(query.features())
                    .mapToDouble(column -> column[0])
                    .toArray();
            assertThat(values).containsExactly(Double.NaN, Double.NaN, 3, Double.NaN);
        }
        refused(
                () -> table(
                                "xgb-sets",
                                csv,
                                layout -> new Table.Layout("target", null, Set.of(), Set.of("?"), Map.of(), null),
                                Table.Role.QUERY)
                        .close(),
                "HOME/rows.csv, row 0, column 'colour': 'mauve' is no category that the model knows; correct it, or give all with --categories");
    }

    // --- rows that are not the model's ---

    private static Replay replay(String example, UnaryOperator<String> change, Replay.Settings settings, Path home) {
        Example one = Example.named(example);
        try {
            Path csv =
                    Files.writeString(home.resolve("rows.csv"), change.apply(text(one.data())), StandardCharsets.UTF_8);
            TreeEnsemble model = one.model();
            try (Table table = Table.open(csv, model, one.layout(), Table.Role.TRAINING)) {
                Leaves leaves = Leaves.of(model, table.features(), Progress.SILENT);
                return Replay.of(model, leaves, table.labels(), table.weights(), "rows.csv", settings);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String withoutTheFirstRow(String csv) {
        List<String> lines = new ArrayList<>(csv.lines().toList());
        lines.remove(1);
        return String.join("\n", lines);
    }

    @ParameterizedTest
    @CsvSource({"xgb-regression", "xgb-multiclass", "lgb-regression", "lgb-binary", "cat-regression", "cat-newton"})
    void aMissingRowIsFoundOut(String example) {
        assertThatThrownBy(() -> replay(example, RefusalTest::withoutTheFirstRow, Example.STRICT, home))
                .hasMessageMatching(
                        "(?s)the leaves of \\S+ do not follow from the rows of rows.csv; worst is round \\d+, tree \\d+, leaf \\d+: "
                                + "the model has \\S+, the rows give \\S+ \\(\\S+ of the round's largest leaf, the limit is 1.0E-5\\)\\. "
                                + "Likely causes: other rows, labels or --weight than in training, .*\\. With --approximate the trace goes on all the same");
    }

    @ParameterizedTest
    @CsvSource({"xgb-binary", "lgb-binary", "xgb-sets"})
    void anEditedLabelIsFoundOut(String example) {
        UnaryOperator<String> edited = csv -> {
            List<String> lines = new ArrayList<>(csv.lines().toList());
            String row = lines.get(1);
            lines.set(1, row.substring(0, row.length() - 1) + (row.endsWith("1") ? "0" : "1"));
            return String.join("\n", lines);
        };
        assertThatThrownBy(() -> replay(example, edited, Example.STRICT, home))
                .hasMessageContaining("do not follow from the rows of rows.csv")
                .hasMessageContaining("Likely causes: other rows, labels or --weight than in training");
    }

    @ParameterizedTest
    @CsvSource({"lambda_l1, 0.5", "path_smooth, 1", "max_delta_step, 2", "bagging_freq, 1"})
    void aSuspectOfTheFileIsNamedInTheMessage(String name, String value) {
        Path file =
                lightGbm("lgb-regression", text -> text.replace("[" + name + ": 0]", "[" + name + ": " + value + "]"));
        TreeEnsemble model = ModelFile.open(file);
        Example one = Example.named("lgb-regression");
        Path rows = write("rows.csv", withoutTheFirstRow(text(one.data())));
        try (Table table = Table.open(rows, model, one.layout(), Table.Role.TRAINING)) {
            Leaves leaves = Leaves.of(model, table.features(), Progress.SILENT);
            assertThatThrownBy(
                            () -> Replay.of(model, leaves, table.labels(), table.weights(), "rows.csv", Example.STRICT))
                    .hasMessageContaining(
                            "than in training, or what the file itself says: " + name + "=" + value + ". With");
        }
    }

    @Test
    void anEmptyModelIsRefused() {
        refused(
                () -> ModelFile.open(write("empty.json", "")),
                "HOME/empty.json is no model of trees that is known; supported are XGBoost's .json and .ubj, LightGBM's .txt, CatBoost's .json and ascribe/forest/1");
    }

    @Test
    void missingWeightsAreFoundOut() {
        Example one = Example.named("xgb-weights");
        TreeEnsemble model = one.model();
        Table.Layout unweighted = new Table.Layout("target", null, Set.of("weight"), Set.of(), Map.of(), null);
        try (Table table = Table.open(one.data(), model, unweighted, Table.Role.TRAINING)) {
            Leaves leaves = Leaves.of(model, table.features(), Progress.SILENT);
            assertThatThrownBy(
                            () -> Replay.of(model, leaves, table.labels(), table.weights(), "rows.csv", Example.STRICT))
                    .hasMessageContaining("do not follow from the rows of rows.csv");
        }
    }

    @Test
    void subsamplingIsFoundOut() {
        Replay.Settings known = new Replay.Settings(.3, 1.0, false);
        assertThatThrownBy(() -> replay("xgb-subsample", csv -> csv, Example.STRICT, home))
                .hasMessageContaining("subsample, reg_alpha, max_delta_step");
        assertThatThrownBy(() -> replay("xgb-subsample", csv -> csv, known, home))
                .hasMessageContaining("subsample, reg_alpha, max_delta_step");
    }

    @Test
    void approximateGoesOnAndNeedsEtaAndLambdaForXgboost() {
        Replay.Settings bare = new Replay.Settings(null, null, true);
        refused(
                () -> replay("xgb-subsample", csv -> csv, bare, home),
                "--approximate needs --eta and --lambda: %s does not say them, and without its own rows they cannot be inferred",
                Example.named("xgb-subsample").file());
        Replay replay = replay("xgb-subsample", csv -> csv, new Replay.Settings(.3, 1.0, true), home);
        assertThat(replay.approximate()).isTrue();
        assertThat(replay.worst()).isGreaterThan(Replay.LIMIT);
        assertThat(replay("lgb-regression", RefusalTest::withoutTheFirstRow, bare, home)
                        .approximate())
                .isTrue();
    }

    @Test
    void whatTheFileItselfSaysIsNamedAsTheCause() {
        Path file = lightGbm("lgb-regression", text -> text.replace("[lambda_l1: 0]", "[lambda_l1: 0.5]"));
        assertThat(ModelFile.open(file).suspects()).containsExactly("lambda_l1=0.5");
    }

    @Test
    void hostileSettingsAreRefused() {
        refused(() -> new Replay.Settings(0.0, null, false), "--eta 0.0 must be a positive number");
        refused(() -> new Replay.Settings(null, -1.0, false), "--lambda -1.0 must be a number of at least 0");
        refused(
                () -> Example.named("xgb-regression").model().limited("9"),
                "--rounds '9' must be best, all or a number from 1 to 8, the rounds of %s",
                Example.named("xgb-regression").file());
        refused(
                () -> new TreeTracer.Options("datainf", 1, Example.STRICT),
                "--method 'datainf' is not known for models of trees; use one of %s",
                TreeTracer.methods());
        refused(() -> new TreeTracer.Options("trex", 0, Example.STRICT), "--top 0 must be at least 1");
    }

    @Test
    void anotherForestsBootstrapIsFoundOut() {
        Path file = json("forest-regression", document -> {
            ArrayNode drawn = (ArrayNode) document.get("trees").get(0).get("drawn");
            for (int row = 0; row < drawn.size(); row++) {
                drawn.set(row, 1);
            }
        });
        Example one = Example.named("forest-regression");
        TreeEnsemble model = ModelFile.open(file);
        try (Table table = Table.open(one.data(), model, one.layout(), Table.Role.TRAINING)) {
            TreeTracer tracer = new TreeTracer(model, new TreeTracer.Options("leaf-refit", 1, Example.STRICT));
            assertThatThrownBy(() -> tracer.trace(table, table, null, Progress.SILENT))
                    .hasMessageMatching(
                            "the leaves of \\S+ do not follow from the rows: in tree 0, leaf \\d+ has \\S+, the rows give \\S+\\. Likely causes: .*");
        }
    }
}
