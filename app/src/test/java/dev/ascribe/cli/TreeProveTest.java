package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code prove} of models of trees. */
class TreeProveTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path home;

    private Call prove(String example, int queries, String... more) {
        return TreeExamples.call("prove", home, example, queries, more);
    }

    private static JsonNode json(Call call) throws IOException {
        assertThat(call.code()).as(call.err()).isLessThan(2);
        return new ObjectMapper().readTree(call.out());
    }

    /** The models are of the libraries' current versions, the retrainings of those that Java has. */
    @ParameterizedTest
    @CsvSource({
        "xgb-regression, xgboost4j",
        "xgb-regression-ubj, xgboost4j",
        "xgb-binary, xgboost4j",
        "xgb-multiclass, xgboost4j",
        "xgb-sets, xgboost4j",
        "xgb-stopped, xgboost4j",
        "lgb-regression, lightgbm4j",
        "lgb-binary, lightgbm4j",
        "lgb-multiclass, lightgbm4j",
        "lgb-sets, lightgbm4j",
        "lgb-onehot, lightgbm4j",
        "lgb-zero-missing, lightgbm4j",
        "lgb-no-average, lightgbm4j"
    })
    void allRowsGiveTheModelAgain(String example, String trainer) throws IOException {
        JsonNode how = json(prove(example, 1, "--remove", "2", "--seeds", "1", "--json"))
                .get("retraining");
        assertThat(how.get("trainer").textValue()).startsWith(trainer);
        assertThat(how.get("chance").booleanValue()).isFalse();
        assertThat(how.get("worst").doubleValue())
                .as("limit %s", how.get("limit"))
                .isLessThan(how.get("limit").doubleValue());
        assertThat(how.get("reproduced").booleanValue()).isTrue();
    }

    @Test
    void whatTheFileLacksIsGiven() throws IOException {
        assertThat(json(prove("xgb-onehot", 1, "--remove", "2", "--seeds", "1", "--json"))
                        .at("/retraining/reproduced")
                        .booleanValue())
                .isFalse();
        assertThat(json(prove(
                                "xgb-onehot",
                                1,
                                "--params",
                                "max_cat_to_onehot=10",
                                "--remove",
                                "2",
                                "--seeds",
                                "1",
                                "--json"))
                        .at("/retraining/reproduced")
                        .booleanValue())
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({"xgb-weights", "lgb-weights"})
    void weightsAreTrainedWith(String example) throws IOException {
        JsonNode how = json(prove(example, 1, "--weight", "weight", "--remove", "2", "--seeds", "1", "--json"))
                .get("retraining");
        assertThat(how.get("reproduced").booleanValue()).isTrue();
    }

    @Test
    void theProofHasALossForEachArmAndSeedAndTheExitCodeIsItsVerdict() throws IOException {
        Call call = prove("xgb-binary", 1, "--remove", "12", "--seeds", "3", "--json");
        JsonNode proof = json(call);
        assertThat(proof.get("schema").textValue()).isEqualTo("ascribe/proof/1");
        assertThat(proof.get("removed")).hasSize(12);
        assertThat(proof.get("seeds")).hasSize(3);
        for (String arm : List.of("lossWithAll", "lossWithoutNamed", "lossWithoutRandom")) {
            assertThat(proof.get(arm)).hasSize(3);
        }
        assertThat(proof.at("/lossWithoutNamed/0")).isEqualTo(proof.at("/lossWithoutNamed/2"));
        assertThat(proof.at("/lossWithoutRandom/0")).isNotEqualTo(proof.at("/lossWithoutRandom/2"));
        assertThat(proof.at("/effect/unit").textValue()).isEqualTo("nats");
        assertThat(proof.get("outputWithAll").textValue()).contains("probability");
        assertThat(call.code()).isEqualTo(proof.get("verdict").textValue().equals("shown") ? 0 : 1);
        assertThat(proof.at("/provenance/settings/remove").intValue()).isEqualTo(12);
    }

    @Test
    void rowsThatOneNamesOneselfAreRemovedAndAWrongClaimIsNotShown() throws IOException {
        JsonNode traced = json(traceAll("xgb-binary"));
        int last = traced.at("/queries/0/influences").size() - 1;
        List<String> worst = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            worst.add(traced.at("/queries/0/influences/" + (last - i) + "/row").asText());
        }
        Call call = prove("xgb-binary", 1, "--rows", String.join(",", worst), "--seeds", "3", "--json");
        assertThat(json(call).get("verdict").textValue()).isEqualTo("not shown");
        assertThat(call.code()).isEqualTo(1);
    }

    private Call traceAll(String example) {
        Path folder = TreeExamples.FOLDER.resolve(example);
        try {
            Path query = Files.write(
                    home.resolve("query.csv"),
                    Files.readAllLines(folder.resolve("data.csv")).subList(0, 2));
            return Call.of(
                    "trace",
                    "--model",
                    folder.resolve("model.json"),
                    "--data",
                    folder.resolve("data.csv"),
                    "--query",
                    query,
                    "--target",
                    "target",
                    "--top",
                    "all",
                    "--json");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void chanceInTrainingIsSeeded() throws IOException {
        JsonNode proof = json(prove(
                "xgb-subsample",
                1,
                "--method",
                "tree-sim",
                "--params",
                "eta=0.3,lambda=1,subsample=0.7",
                "--remove",
                "3",
                "--seeds",
                "2",
                "--json"));
        assertThat(proof.at("/retraining/chance").booleanValue()).isTrue();
        assertThat(proof.at("/lossWithAll/0")).isNotEqualTo(proof.at("/lossWithAll/1"));
    }

    @Test
    void otherParametersAreTakenAndADifferentModelIsSaidToBeOne() throws IOException {
        Call call = prove("xgb-regression", 1, "--params", "max_depth=1", "--remove", "2", "--seeds", "1", "--json");
        JsonNode how = json(call).get("retraining");
        assertThat(how.at("/parameters/max_depth").textValue()).isEqualTo("1");
        assertThat(how.get("reproduced").booleanValue()).isFalse();
        Call text = prove("xgb-regression", 1, "--params", "max_depth=1", "--remove", "2", "--seeds", "1");
        assertThat(text.out()).contains("On all rows that does not give the same model");
    }

    @Test
    void aPageSaysWhatWasPredicted() {
        Path page = home.resolve("proof.html");
        Call call = prove("lgb-binary", 1, "--remove", "5", "--seeds", "2", "--html", page.toString());
        assertThat(call.code()).as(call.err()).isLessThan(2);
        assertThat(page)
                .content()
                .contains("Loss of the prediction after each retraining, in nats", "it predicts", "lightgbm4j")
                .doesNotContain("per token", "it answers");
    }

    static List<Arguments> refused() {
        return List.of(
                arguments("cat-newton", 1, new String[] {}, "is a model of CatBoost, which Ascribe cannot train"),
                arguments("forest-regression", 1, new String[] {}, "is a model of a forest library, which Ascribe"),
                arguments("xgb-dart", 1, new String[] {}, "booster 'dart' changes earlier trees"),
                arguments("xgb-regression", 2, new String[] {}, "a proof is of one prediction, but"),
                arguments("xgb-regression", 1, new String[] {"--rows", "160"}, "--rows 160: the data has rows 0 to"),
                arguments("xgb-regression", 1, new String[] {"--remove", "100"}, "use a lower --remove"),
                arguments("xgb-regression", 1, new String[] {"--remove", "0"}, "--remove 0 must be at least 1"),
                arguments("xgb-regression", 1, new String[] {"--seeds", "0"}, "--seeds 0 must be within 1 and 1000"),
                arguments(
                        "xgb-regression",
                        1,
                        new String[] {"--params", "objective=x"},
                        "model.json decides it; leave it out"),
                arguments(
                        "xgb-regression",
                        1,
                        new String[] {"--params", "n_estimators=3"},
                        "--rounds decides it; leave it"),
                arguments(
                        "xgb-regression",
                        1,
                        new String[] {"--params", "subsample=half"},
                        "subsample=half must be a number"),
                arguments(
                        "xgb-regression",
                        1,
                        new String[] {"--params", "max_depth=deep"},
                        "does not train with these parameters (correct --params)"),
                arguments(
                        "lgb-regression",
                        1,
                        new String[] {"--params", "num_leaves=many"},
                        "does not train with these parameters (correct --params)"),
                arguments(
                        "xgb-subsample",
                        1,
                        new String[] {"--method", "tree-sim"},
                        "does not say eta, and a method without gradients does not infer it; give --params eta=X"),
                arguments("xgb-binary", 1, new String[] {"--contrast", "a=1,2"}, "--contrast is an option of trace"),
                arguments(
                        "xgb-binary", 1, new String[] {"--prompt", "x"}, "--prompt is an option for language models"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatCannotBeProvedIsRefusedByName(String example, int queries, String[] more, String named) {
        Call call = prove(example, queries, more);
        assertThat(call.code()).as(call.err()).isEqualTo(2);
        assertThat(call.out()).isEmpty();
        assertThat(call.err()).contains("error: ", named).doesNotContain("\tat ");
    }
}
