package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code trace} of models of trees. */
class TreeTraceTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path home;

    private Call trace(String example, String... more) {
        return TreeExamples.call("trace", home, example, 2, more);
    }

    private static JsonNode json(Call call) throws IOException {
        assertThat(call.code()).as(call.err()).isZero();
        return new ObjectMapper().readTree(call.out());
    }

    @Test
    void theDocumentSaysWhatTheModelIsAndHowItWasRead() throws IOException {
        JsonNode found = json(trace("xgb-multiclass", "--top", "2", "--json"));
        assertThat(found.get("schema").textValue()).isEqualTo("ascribe/attribution/1");
        assertThat(found.at("/method/name").textValue()).isEqualTo("leaf-influence");
        assertThat(found.get("scale").textValue()).isEqualTo("nats");
        assertThat(found.get("approximate").booleanValue()).isFalse();
        JsonNode model = found.get("model");
        assertThat(model.get("kind").textValue()).isEqualTo("xgboost");
        assertThat(model.get("objective").textValue()).isEqualTo("multi:softprob");
        assertThat(model.get("rounds").intValue()).isEqualTo(5);
        assertThat(model.get("classes")).hasSize(3);
        assertThat(model.get("intercept")).hasSize(3);
        assertThat(model.at("/reconstruction/worst").doubleValue()).isLessThan(1e-6);
        assertThat(model.at("/reconstruction/limit").doubleValue()).isEqualTo(1e-5);
        assertThat(found.get("queries")).hasSize(2);
        JsonNode query = found.get("queries").get(1);
        assertThat(query.at("/query/row").intValue()).isEqualTo(1);
        assertThat(query.get("prediction")).hasSize(3);
        assertThat(query.get("loss").doubleValue()).isPositive();
        assertThat(query.get("influences")).hasSize(2);
        assertThat(query.get("harmful").get(0).get("score").doubleValue()).isNegative();
        assertThat(query.at("/influences/0/id").textValue()).startsWith("sha256:");
        JsonNode settings = found.at("/provenance/settings");
        assertThat(settings.get("method").textValue()).isEqualTo("leaf-influence");
        assertThat(settings.get("rounds").textValue()).isEqualTo("best");
        assertThat(settings.has("candidates")).isFalse();
        assertThat(settings.has("rank")).isFalse();
        assertThat(found.at("/provenance/model").textValue()).startsWith("sha256:");
        assertThat(found.at("/provenance/data").textValue()).startsWith("sha256:");
    }

    @Test
    void allNamesEveryRowAndNoneAsHarmful() throws IOException {
        JsonNode query =
                json(trace("lgb-sets", "--top", "ALL", "--json")).get("queries").get(0);
        assertThat(query.get("influences")).hasSize(160);
        assertThat(query.get("harmful")).isEmpty();
    }

    @Test
    void similarityMethodsDoNotPlayBack() throws IOException {
        JsonNode found = json(trace("xgb-dart", "--method", "tree-sim", "--json"));
        assertThat(found.get("scale").textValue()).isEqualTo("similarity");
        assertThat(found.at("/model/reconstruction").isNull()).isTrue();
    }

    @Test
    void approximateIsFlagged() throws IOException {
        JsonNode found = json(trace("xgb-subsample", "--approximate", "--eta", "0.3", "--lambda", "1", "--json"));
        assertThat(found.get("approximate").booleanValue()).isTrue();
        assertThat(found.at("/model/reconstruction/worst").doubleValue()).isGreaterThan(1e-5);
    }

    @Test
    void theTextNamesThePredictionAndTheModel() {
        Call call = trace("cat-regression", "--weight", "weight", "--top", "1");
        assertThat(call.code()).as(call.err()).isZero();
        assertThat(call.out())
                .contains(
                        "row 0 (a=",
                        "its target is ",
                        "catboost RMSE, 8 rounds, eta 0.3000",
                        "leaves follow from the rows");
    }

    @Test
    void aPageIsWritten() {
        Path page = home.resolve("page.html");
        assertThat(trace("lgb-binary", "--html", page.toString()).code()).isZero();
        assertThat(page).content().contains("leaf-influence");
    }

    @Test
    void rowsStandBesideTheQueryWithWhatTheyShare() throws IOException {
        JsonNode found = json(trace("xgb-sets", "--top", "3", "--json"));
        assertThat(found.at("/model/features").size()).isEqualTo(4);
        assertThat(found.at("/model/target").textValue()).isEqualTo("target");
        JsonNode query = found.at("/queries/0");
        assertThat(query.at("/fields/values")).hasSize(4);
        assertThat(query.at("/fields/label").textValue()).isIn("0", "1");
        assertThat(query.at("/fields").has("sharedLeaves")).isFalse();
        for (JsonNode row : query.get("influences")) {
            assertThat(row.at("/fields/values")).hasSize(4);
            assertThat(row.at("/fields/sharedLeaves").doubleValue()).isBetween(0.0, 1.0);
            if (row.get("row").intValue() == 0) { // the query is the first row itself
                assertThat(row.at("/fields/sharedLeaves").doubleValue()).isEqualTo(1);
            }
        }
    }

    @Test
    void aContrastNamesRowsByWhatTheyDoToTheDifference() throws IOException {
        JsonNode found = json(contrast("xgb-sets", "colour=blue,green", "--json", "--top", "4"));
        assertThat(found.get("scale").textValue()).isEqualTo("margin");
        JsonNode query = found.at("/queries/0");
        JsonNode contrast = query.get("contrast");
        double difference = contrast.get("difference").doubleValue();
        assertThat(difference)
                .isEqualTo(contrast.get("meanA").doubleValue()
                        - contrast.get("meanB").doubleValue());
        assertThat(query.get("loss").doubleValue()).isEqualTo(Math.abs(difference));
        assertThat(query.at("/prediction/0").doubleValue()).isEqualTo(difference);
        assertThat(contrast.get("rowsA").intValue()).isPositive();
        assertThat(query.get("influences")).hasSize(4);
        assertThat(query.at("/harmful/0/score").doubleValue()).isNegative();
        JsonNode turned = json(contrast("xgb-sets", "colour=green,blue", "--json", "--top", "4"));
        for (int i = 0; i < 4; i++) {
            String score = "/influences/" + i + "/score";
            assertThat(turned.at("/queries/0" + score).doubleValue())
                    .isCloseTo(query.at(score).doubleValue(), within(1e-12));
        }
    }

    @Test
    void aContrastIsToldInWordsAndOnAPage() {
        Path page = home.resolve("page.html");
        Call call = contrast("xgb-sets", "colour=blue,green", "--html", page.toString());
        assertThat(call.code()).as(call.err()).isZero();
        assertThat(call.out()).contains("Rows that drive the two groups apart", "whose colour is blue", "difference");
        assertThat(page).content().contains("Where this difference came from", "Its colour is ");
    }

    private Call contrast(String example, String groups, String... more) {
        Path folder = TreeExamples.FOLDER.resolve(example);
        List<Object> words = new ArrayList<>(List.of(
                "trace",
                "--model",
                folder.resolve(example.startsWith("lgb") ? "model.txt" : "model.json"),
                "--data",
                folder.resolve("data.csv"),
                "--query",
                folder.resolve("data.csv"),
                "--target",
                "target",
                "--contrast",
                groups));
        words.addAll(List.of(more));
        return Call.of(words.toArray());
    }

    static List<Arguments> contrastsThatCannotBe() {
        return List.of(
                arguments(
                        "xgb-sets",
                        "sex=f,m",
                        "data.csv has no column 'sex', which --contrast names; its columns are "),
                arguments(
                        "xgb-sets",
                        "colour=blue,mauve",
                        "has no row whose 'colour' is 'mauve', which --contrast names; it has "),
                arguments(
                        "xgb-sets",
                        "colour=blue,blue",
                        "--contrast colour=blue,blue names the same value twice; name two that differ"),
                arguments(
                        "xgb-sets",
                        "colour",
                        "--contrast 'colour' must be COLUMN=a,b: a column of --query and two of its values, as in sex=Female,Male"),
                arguments("xgb-sets", "colour=blue", "must be COLUMN=a,b"),
                arguments("xgb-sets", "colour=a,b,c", "must be COLUMN=a,b"),
                arguments(
                        "xgb-multiclass",
                        "a=1,2",
                        "predicts 3 numbers for a row; it takes regression and two classes"));
    }

    @ParameterizedTest
    @MethodSource("contrastsThatCannotBe")
    void aContrastThatCannotBeIsRefused(String example, String groups, String message) {
        Call call = contrast(example, groups);
        assertThat(call.code()).as(call.err()).isEqualTo(2);
        assertThat(call.err()).contains(message).doesNotContain("\tat ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tree-sim", "leaf-path", "simplex", "shap-similarity", "trex", "leaf-refit"})
    void aContrastNeedsAMethodThatTakesAnyFunction(String method) {
        Call call = contrast("xgb-sets", "colour=blue,green", "--method", method);
        assertThat(call.code()).isEqualTo(2);
        assertThat(call.err())
                .contains("--contrast cannot be taken with --method " + method
                        + "; use one of [leaf-influence, leaf-influence-sp, boostin, boostin-published]");
    }

    static List<Arguments> refused() {
        return List.of(
                arguments(new String[] {"--prompt", "x"}, "--prompt is an option for language models"),
                arguments(new String[] {"--per-token"}, "--per-token is an option for language models"),
                arguments(new String[] {"--candidates", "bm25:5"}, "--candidates is an option for language models"),
                arguments(new String[] {"--seed", "1"}, "--seed is an option for language models"),
                arguments(new String[] {"--rank", "2"}, "--rank is an option for language models"),
                arguments(new String[] {"--method", "bm25"}, "--method 'bm25' is not known for models of trees"),
                arguments(new String[] {"--rounds", "0"}, "--rounds '0' must be best, all or a number from 1 to 8"),
                arguments(new String[] {"--eta", "-1"}, "--eta -1.0 must be a positive number"),
                arguments(new String[] {"--eta", "much"}, "--eta"),
                arguments(new String[] {"--classes", "a,b"}, "--classes a,b"),
                arguments(new String[] {"--ignore", "z"}, "has no column 'z'"),
                arguments(new String[] {"--categories", "none.json"}, "--categories none.json cannot be read"),
                arguments(new String[] {"--top", "0"}, "--top"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatDoesNotBelongIsRefusedByName(String[] more, String named) {
        Call call = trace("xgb-regression", more);
        assertThat(call.code()).isEqualTo(2);
        assertThat(call.out()).isEmpty();
        assertThat(call.err()).contains("error: ", named).doesNotContain("\tat ");
    }

    @Test
    void whatIsMissingIsNamed() {
        Path model = TreeExamples.FOLDER.resolve("xgb-regression/model.json");
        Path data = TreeExamples.FOLDER.resolve("xgb-regression/data.csv");
        assertThat(Call.of("trace", "--model", model, "--data", data, "--query", data)
                        .err())
                .contains("--target COL is missing");
        assertThat(Call.of("trace", "--model", model, "--target", "target", "--query", data)
                        .err())
                .contains("--data FILE is missing");
        assertThat(Call.of("trace", "--model", model, "--target", "target", "--data", data)
                        .err())
                .contains("--query FILE is missing");
    }

    @Test
    void optionsOfTreesAreRefusedForALanguageModel() {
        Call call = Call.of("trace", "--model", home, "--prompt", "x", "--target", "y");
        assertThat(call.code()).isEqualTo(2);
        assertThat(call.err()).contains("--target is an option for models of trees");
    }

    @Test
    void rowsThatAreNotTheModelsEndWithTwo() {
        Call call = trace("xgb-weights", "--ignore", "weight");
        assertThat(call.code()).isEqualTo(2);
        assertThat(call.err()).contains("do not follow from the rows of");
    }
}
