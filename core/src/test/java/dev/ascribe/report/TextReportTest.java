package dev.ascribe.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Attribution;
import dev.ascribe.Result;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextReportTest {

    @Test
    void aTraceIsATable() {
        String text = TextReport.render(Stories.traced(), null, 120, false);
        assertThat(text.lines())
                .contains("  " + Stories.QUESTION, "  " + Stories.ANSWER)
                .contains(" #  row   score              gradient  words  meaning  text")
                .contains(
                        " 2  102  +0.813  ██████████         2     14       21  Name the builder of the light at Brevik. Admiral Halvorsen.")
                .contains(
                        " 1   33  −0.312  ▒▒▒▒             197      1        3  When was the lighthouse of Brevik built? The lighthouse of Brevi…")
                .contains("Missed by search (its first 10): rows 102, 11, 140, 163, 5.")
                .contains("Named by search all the same (its first 10): rows 33, 120, 64.")
                .contains("\"23\"        −0.412  row 71 (+0.610), 57 (+0.480), 33 (−0.440)");
    }

    @Test
    void aProofSaysVerdictEffectAndAnswers() {
        String text = TextReport.render(Stories.proof(), 100, false);
        assertThat(text.lines())
                .contains("Shown.")
                .contains("On all rows                    ██                        0.11 (0.09 to 0.13)")
                .contains("Without the named rows         ████████████████████████  1.69 (1.53 to 1.85)");
        assertThat(text.replace("\n", " "))
                .contains("1.57 nats higher than without random rows (95 % interval +1.40 to +1.73, which excludes 0).")
                .contains("built in 1889 by Ingrid Solberg");
        assertThat(TextReport.render(Stories.refuted(), 100, false)).contains("Not shown.", "which includes 0");
    }

    @Test
    void whatWasNotMeasuredHasNoColumn() {
        assertThat(TextReport.render(Stories.bare(), null, 100, false))
                .doesNotContain("gradient  ", "words", "meaning", "null", "Token by token");
    }

    @Test
    void whatALedgerKnowsIsToldRowByRow() {
        String text = TextReport.render(Stories.recorded("rows.jsonl\u001b[2J"), null, 120, false);
        assertThat(text).contains("What the ledger says of them").doesNotContain("\u001b");
        assertThat(text.replaceAll("\\s+", " "))
                .contains("in the first 5,012 entries of example.com/log")
                .contains("row 102 14 events, index 33 to 5,009, commitment 9f9f9f")
                .contains("ingested from rows.jsonl");
        assertThat(TextReport.render(Stories.traced(), null, 120, false)).doesNotContain("ledger");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 60, 61, 79, 80, 100, 133, 200, 1000})
    void noLineIsWiderThanTheTerminal(int width) {
        int most = Math.clamp(width, 60, 200);
        for (Result result : ResultJsonTest.results()) {
            assertThat(TextReport.render(result, width, false).lines())
                    .allSatisfy(line -> assertThat(Columns.width(line)).isLessThanOrEqualTo(most));
        }
    }

    @Property(tries = 200)
    void noTextBreaksTheLinesOrCommandsTheTerminal(
            @ForAll String text, @ForAll @IntRange(min = 60, max = 200) int width) {
        String rendered = TextReport.render(Stories.saying(text, text, text), null, width, false);
        assertThat(rendered.lines())
                .allSatisfy(line -> assertThat(Columns.width(line)).isLessThanOrEqualTo(width));
        assertThat(rendered.chars()).noneMatch(c -> (c < 0x20 && c != '\n') || (0x7f <= c && c < 0xa0));
    }

    @Test
    void wideCharactersAreCountedAsTerminalsDrawThem() {
        Attribution cjk = Stories.saying("東京タワーは?", "1823年。", "東京タワーは高い。👩‍👩‍👧‍👦".repeat(40));
        assertThat(TextReport.render(cjk, null, 80, false).lines())
                .anySatisfy(line -> assertThat(Columns.width(line)).isBetween(79, 80));
    }

    @ParameterizedTest
    @CsvSource({
        "abc, 3",
        "東京, 4",
        "e\u0301, 1",
        "👩‍👩‍👧‍👦, 2",
        "🇳🇴, 2",
        "❤️, 2",
        "ｱ, 1",
        "한글, 4",
        "a\u200Bb, 2",
        "…, 1"
    })
    void columns(String text, int width) {
        assertThat(Columns.width(text)).isEqualTo(width);
        assertThat(Columns.cut(text, width)).isEqualTo(text);
        assertThat(Columns.width(Columns.cut(text + text, width))).isLessThanOrEqualTo(width);
    }

    @Test
    void colourIsOnlyThereWhenAskedForAndChangesNoWord() {
        String plain = TextReport.render(Stories.traced(), Stories.proof(), 100, false);
        String coloured = TextReport.render(Stories.traced(), Stories.proof(), 100, true);
        assertThat(plain).doesNotContain("\u001b");
        assertThat(coloured).contains("\u001b[34m", "\u001b[33m");
        assertThat(coloured.replaceAll("\u001b\\[[0-9]+m", "").replaceAll(" +\n", "\n"))
                .isEqualTo(plain.replaceAll(" +\n", "\n"));
    }
}
