package dev.ascribe.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReportTest {
    private static final String HOSTILE =
            "<script>alert('x')</script> \"quoted\" & <b onclick=\"x\"> </title></style> ${7*7} שלום עולם zero\u200Bwidth"
                    + " \u202Ereversed\u202C 👩‍👩‍👧‍👦🇳🇴 nul\u0000 esc\u001B[31m half\uD83D\nnew line ";
    private static final Pattern TAG = Pattern.compile("<(/?)([a-z0-9]+)((?:\\s[^<>\"]*(?:\"[^\"]*\")?)*)>");
    private static final Pattern HEX = Pattern.compile("--([a-z-]+): (#[0-9a-f]{6})");
    private static final List<String> VOID = List.of("meta", "br");

    /** The pages that bench/report-a11y looks at. */
    static Map<String, String> pages() {
        return Map.of(
                "traced", Report.html(Stories.traced(), Stories.proof()),
                "bare", Report.html(Stories.bare(), null),
                "several", Report.html(Stories.several(), Stories.proof()),
                "refuted", Report.html(Stories.refuted()),
                "recorded", Report.html(Stories.recorded(HOSTILE), null),
                "tabular", Report.html(Stories.tabular(HOSTILE), null),
                "hostile", Report.html(Stories.saying(HOSTILE, HOSTILE, HOSTILE.repeat(20)), null));
    }

    static List<String> allPages() {
        return List.copyOf(pages().values());
    }

    @Test
    void theSamplePagesAreWrittenForPeopleToLookAt() throws IOException {
        Path folder = Files.createDirectories(Path.of("target", "report"));
        for (Map.Entry<String, String> page : pages().entrySet()) {
            Files.writeString(folder.resolve(page.getKey() + ".html"), page.getValue());
        }
        assertThat(folder.resolve("traced.html")).isNotEmptyFile();
    }

    @ParameterizedTest
    @MethodSource("allPages")
    void aPageHasNoScriptAndAsksForNothing(String page) {
        assertThat(page)
                .contains("default-src 'none'")
                .doesNotContain(
                        "<script", "<link", "<img", "<iframe", "src=", "url(", "@import", "http://", "https://");
        assertThat(tags(page)).noneMatch(tag -> tag.group(3).matches("(?s).*\\son[a-z]+=.*"));
    }

    @ParameterizedTest
    @MethodSource("allPages")
    void everyElementIsClosedInOrder(String page) {
        List<String> open = new java.util.ArrayList<>();
        for (MatchResult tag : tags(page)) {
            if (VOID.contains(tag.group(2))) {
                continue;
            }
            if (tag.group(1).isEmpty()) {
                open.add(tag.group(2));
            } else {
                assertThat(open.removeLast()).isEqualTo(tag.group(2));
            }
        }
        assertThat(open).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("allPages")
    void headingsDescendOneLevelAtATimeFromASingleFirst(String page) {
        List<Integer> levels = tags(page).stream()
                .filter(tag -> tag.group(1).isEmpty() && tag.group(2).matches("h[1-6]"))
                .map(tag -> tag.group(2).charAt(1) - '0')
                .toList();
        assertThat(levels.getFirst()).isEqualTo(1);
        assertThat(levels.stream().filter(level -> level == 1)).hasSize(1);
        for (int i = 1; i < levels.size(); i++) {
            assertThat(levels.get(i)).isLessThanOrEqualTo(levels.get(i - 1) + 1);
        }
    }

    @ParameterizedTest
    @MethodSource("allPages")
    void everyLinkLeadsToAPlaceOnThePageAndNoPlaceIsNamedTwice(String page) {
        List<String> ids = attributes(page, "id");
        assertThat(ids).doesNotHaveDuplicates();
        assertThat(attributes(page, "href")).allMatch(href -> href.startsWith("#") && ids.contains(href.substring(1)));
        assertThat(attributes(page, "aria-labelledby")).isSubsetOf(ids);
    }

    @ParameterizedTest
    @MethodSource("allPages")
    void everyTableHasACaption(String page) {
        assertThat(page.split("<table", -1)).hasSameSizeAs(page.split("<caption>", -1));
    }

    @Test
    void theTextOfARowIsQuotedAndNeverObeyed() {
        String page = Report.html(Stories.saying(HOSTILE, HOSTILE, HOSTILE), null);
        assertThat(tags(page))
                .noneMatch(tag -> tag.group(2).equals("script") || tag.group(2).equals("b"));
        assertThat(page)
                .contains("&lt;", "alert(", "${7*7}", "👩‍👩‍👧‍👦", "🇳🇴", "nul␀", "esc␛[31m", "half\uFFFD\n");
        assertThat(page.split("</title>", -1)).hasSize(2);
        assertThat(page.split("</style>", -1)).hasSize(2);
        assertThat(StandardCharsets.UTF_8.newEncoder().canEncode(page)).isTrue();
        assertThat(page.chars()).noneMatch(c -> c < 0x20 && c != '\n' && c != '\t');
    }

    @Test
    void whatCannotBeSeenIsCounted() {
        String text = "zero\u200Bwidth \u202Ereversed\u202C";
        assertThat(Report.html(Stories.saying("Q?", "A.", text), null))
                .contains("Has 3 characters that cannot be seen.");
    }

    @Property(tries = 200)
    void anyTextIsShownOnceMarkupIsEscaped(@ForAll String text) {
        String page = Report.html(Stories.saying(text, text, text), null);
        assertThat(tags(page).stream().map(tag -> tag.group(2))).doesNotContain("script");
        int from = page.indexOf("<p class=\"text\"");
        String shown = page.substring(page.indexOf('>', from) + 1, page.indexOf("</p>", from));
        String expected = Passage.of(text, 1_200).text();
        assertThat(unescape(shown.replace("<mark>", "").replace("</mark>", ""))).isEqualTo(expected);
    }

    @Test
    void aLongRowIsShortenedAndSaysSo() {
        String page = Report.html(Stories.saying("Q?", "A.", "word ".repeat(20_000)), null);
        assertThat(page).containsPattern("Shortened: the first 1,\\d{3} of 100,000 characters\\.");
        assertThat(page.length()).isLessThan(40_000);
    }

    @Test
    void aTokenIsShadedByItsStrongestRowAndLeadsToIt() {
        String page = Report.html(Stories.traced(), null);
        assertThat(page)
                .contains("<span class=\"shade for\" style=\"--strength:0.34\">18</span><span class=\"shade for\""
                        + " style=\"--strength:1.00\">23</span><sup><a href=\"#q1-row-71\">")
                .contains(
                        "<span class=\"shade against\" style=\"--strength:0.18\">built</span><sup><a href=\"#q1-against-33\">")
                .contains("<span class=\"spoken\">(from row </span>71<span class=\"spoken\">, score +0.610)</span>")
                .as("a row that is not on the page has no link")
                .contains("<sup><span class=\"spoken\">(row </span>175<");
    }

    @Test
    void barsStartAtZeroOnOneScale() {
        Influence up = new Influence(1, 0, Stories.id("a"), 3, "a", null);
        Influence down = new Influence(1, 1, Stories.id("b"), -1, "b", null);
        Attribution.Query query = new Attribution.Query(
                Map.of(), null, List.of(up), List.of(down), new Attribution.Candidates("all", 2), null);
        assertThat(Report.html(Stories.attribution(List.of(query), null), null))
                .contains("left:25.00%;width:75.00%", "left:0.00%;width:25.00%")
                .contains("+3.00", "−1.00");
    }

    @Test
    void aRowsHistoryIsFoldedUnderItWithItsProof() {
        String page = Report.html(Stories.recorded("rows.jsonl"), null);
        assertThat(page)
                .contains("<summary>In the ledger: 14 events, index 33 to 5,009, commitment 9f9f")
                .contains("<li>2025-11-21 10:17:00  ingested from rows.jsonl</li>")
                .contains(">c2sp.org/tlog-proof@v1\nextra AAAA\n</pre>");
        assertThat(Report.html(Stories.traced(), null)).doesNotContain("In the ledger");
    }

    @Test
    void rowsThatSearchMissesOrNamesWronglyAreNoted() {
        String page = Report.html(Stories.traced(), null);
        assertThat(page.split("Missed by search<", -1)).hasSize(6);
        assertThat(page.split("Named by search all the same", -1)).hasSize(4);
    }

    @Test
    void whatWasNotMeasuredIsNotShown() {
        assertThat(Report.html(Stories.bare(), null))
                .doesNotContain("What search alone", "Token by token", "The proof<", "speak against it", "null", "NaN")
                .contains("200 rows chosen by search (bm25:200)", "which has not been done here");
        assertThat(Report.html(Stories.attribution(List.of(), null), null)).doesNotContain("null");
    }

    @Test
    void theProofIsAPictureWithItsIntervalAndVerdict() {
        assertThat(Report.html(Stories.traced(), Stories.proof()))
                .contains("<strong>Shown.</strong>")
                .contains("1.57 nats higher than without random rows (95 % interval +1.40 to +1.73, which excludes 0)")
                .contains("aria-label=\"Loss of the answer after retraining, nats per token. On all rows: mean 0.11;")
                .contains("built in 1889 by Ingrid Solberg")
                .containsPattern(
                        "class=\"gist\"><strong>Shown.</strong> Trained again without the \\d+ rows that were named")
                .contains("<h3>Without the named rows, it answers</h3>")
                .doesNotContain("withoutNamed");
        String refuted = Report.html(Stories.refuted());
        assertThat(refuted)
                .contains(
                        "<strong>Not shown.</strong>",
                        "the 2 rows that were named, and without as many random rows.",
                        "which includes 0",
                        "What is the capital of Peru?");
        assertThat(refuted.split("<circle", -1))
                .as("three arms and the difference, three seeds")
                .hasSize(13);
    }

    @Test
    void severalQueriesHaveContents() {
        assertThat(Report.html(Stories.several(), null))
                .contains("<nav class=\"contents\" aria-label=\"Contents\">", "href=\"#q3\"", "Query 3")
                .contains("row: 12");
        assertThat(Report.html(Stories.traced(), null)).doesNotContain("<nav");
    }

    @Test
    void settingsAndDigestsAreFoldedAway() {
        assertThat(Report.html(Stories.traced(), Stories.proof()))
                .contains("<details class=\"settings\">", "<dt>learningRate</dt><dd>0.001</dd>")
                .contains(
                        "<dt>checkpoints</dt><dd>init, 25, 75</dd>",
                        Stories.id("model").toString());
    }

    @ParameterizedTest
    @MethodSource("schemes")
    void lettersHaveTheContrastOfWcagAA(Map<String, String> colour) {
        int paper = rgb(colour, "paper");
        for (String ink : List.of("ink", "muted", "for", "against")) {
            assertThat(contrast(rgb(colour, ink), paper)).as(ink).isGreaterThanOrEqualTo(4.5);
            assertThat(contrast(rgb(colour, ink), rgb(colour, "wash"))).as(ink).isGreaterThanOrEqualTo(4.5);
        }
        for (String fill : List.of("for-fill", "against-fill")) {
            assertThat(contrast(rgb(colour, fill), paper)).as(fill).isGreaterThanOrEqualTo(2.5);
            int deepest = mix(rgb(colour, fill), paper, 0.42);
            assertThat(contrast(rgb(colour, "ink"), deepest))
                    .as("ink on " + fill)
                    .isGreaterThanOrEqualTo(4.5);
        }
    }

    /** The colours of the light scheme, the dark one and paper. */
    static List<Map<String, String>> schemes() {
        List<Map<String, String>> schemes = new java.util.ArrayList<>();
        for (String root : Report.html(Stories.bare(), null).split(":root \\{", -1)) {
            Map<String, String> colours = new TreeMap<>();
            HEX.matcher(root.replace("#fff;", "#ffffff;")
                            .replaceAll("#([0-9a-f])([0-9a-f])([0-9a-f]);", "#$1$1$2$2$3$3;"))
                    .results()
                    .forEach(match -> colours.putIfAbsent(match.group(1), match.group(2)));
            if (!colours.isEmpty()) {
                schemes.add(colours);
            }
        }
        assertThat(schemes).hasSize(3);
        return schemes;
    }

    private static int rgb(Map<String, String> colours, String name) {
        return Integer.decode(colours.getOrDefault(name, "missing"));
    }

    private static int mix(int a, int b, double share) {
        int mixed = 0;
        for (int shift = 0; shift <= 16; shift += 8) {
            double value = share * (a >> shift & 255) + (1 - share) * (b >> shift & 255);
            mixed |= (int) Math.round(value) << shift;
        }
        return mixed;
    }

    /** The contrast ratio of WCAG 2.2. */
    private static double contrast(int a, int b) {
        double brighter = Math.max(luminance(a), luminance(b));
        return (brighter + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
    }

    private static double luminance(int rgb) {
        return 0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8) + 0.0722 * linear(rgb);
    }

    private static double linear(int channel) {
        double value = (channel & 255) / 255.0;
        return value <= 0.04045 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
    }

    private static List<MatchResult> tags(String page) {
        return TAG.matcher(page.replaceAll("(?s)<style>.*?</style>", ""))
                .results()
                .toList();
    }

    private static List<String> attributes(String page, String name) {
        return Pattern.compile("\\s" + name + "=\"([^\"]*)\"")
                .matcher(page)
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    private static String unescape(String html) {
        return html.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&#34;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
    }
}
