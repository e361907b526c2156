package dev.ascribe.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.TableRow;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is said of rows of a table. */
class TabularTest {
    private static Attribution.Model model(@Nullable List<String> classes) {
        return new Attribution.Model(
                "xgboost", "x", 3, List.of("age", "job"), "loan", classes, 0.3, 1.0, List.of(0.0), null);
    }

    private static Influence row(double score, String label, double shared, String... values) {
        return new Influence(
                1, 45, Stories.id("a"), score, "text", null, new TableRow(label, List.of(values), shared), null);
    }

    private static Tabular asked(@Nullable List<String> classes, double margin, String label, String scale) {
        Attribution.Query query = new Attribution.Query(
                Map.of("row", 0),
                0.5,
                List.of(),
                List.of(),
                new Attribution.Candidates("all", 9),
                List.of(margin),
                new TableRow(label, List.of("39", "clerk"), null),
                null,
                null);
        Attribution attribution = new Attribution(
                Map.of("name", "leaf-influence"),
                scale,
                model(classes),
                false,
                List.of(query),
                null,
                Stories.traced().provenance());
        return Tabular.of(attribution, query).orElseThrow();
    }

    private static final List<String> CLASSES = List.of("paid", "defaulted");

    @Test
    void becauseIsSaidOfALookAlikeWithThePredictedClassThatPushesThere() {
        Tabular right = asked(CLASSES, 2, "defaulted", "nats");
        assertThat(right.sentence(row(0.1, "defaulted", 0.839, "39", "clerk")))
                .isEqualTo(
                        "Predicted defaulted because it looks like row 45, which also is defaulted: they share 83 % of the leaves.");
        // a wrong prediction is pushed by rows that harm the label's own loss
        Tabular wrong = asked(CLASSES, 2, "paid", "nats");
        assertThat(wrong.sentence(row(-0.1, "defaulted", 0.5, "39", "clerk")))
                .startsWith("Predicted defaulted because");
    }

    @Test
    void otherwiseTheFactsAreTold() {
        Tabular right = asked(CLASSES, 2, "defaulted", "nats");
        assertThat(right.sentence(row(0.1, "defaulted", 0.499, "39", "clerk")))
                .isEqualTo("Shares 49 % of the leaves: not a look-alike. Its loan is defaulted.");
        assertThat(right.sentence(row(0.1, "paid", 0.9, "39", "clerk")))
                .isEqualTo("A look-alike: shares 90 % of the leaves. Its loan is paid.");
        assertThat(right.sentence(row(-0.1, "defaulted", 0.9, "39", "clerk"))).doesNotContain("because");
        assertThat(asked(CLASSES, 2, "defaulted", "similarity").sentence(row(0.9, "defaulted", 0.9, "39", "clerk")))
                .doesNotContain("because");
        assertThat(asked(null, 34.2, "30", "half-squared-error").sentence(row(0.1, "36", 0.9, "39", "clerk")))
                .isEqualTo("A look-alike: shares 90 % of the leaves. Its loan is 36, the prediction 34.2.");
    }

    @Test
    void valuesDifferUnlessTheyAreTheSameTextOrNumber() {
        Tabular table = asked(CLASSES, 2, "defaulted", "nats");
        assertThat(table.differences(new TableRow("paid", List.of("39.0", " clerk "), 0.5)))
                .isEqualTo("no feature differs");
        assertThat(table.differences(new TableRow("paid", List.of("40", "clerk"), 0.5)))
                .isEqualTo("age=40");
        assertThat(Tabular.number("0.123456789")).isEqualTo("0.1235");
        assertThat(Tabular.number("-123456.789")).isEqualTo("−123457");
        assertThat(Tabular.number("0.000000000")).isEqualTo("0");
    }

    @Test
    void thePredictionIsAClassWithItsProbability() {
        Tabular table = asked(CLASSES, -2, "paid", "nats");
        assertThat(table.decision()).isEqualTo("paid");
        assertThat(table.about("nats")).contains("probability 0.881", "margin −2.00", "its loan is paid");
    }
}
