package dev.ascribe.demo;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.ascribe.UserInputException;
import dev.ascribe.demo.DemoCorpus.Kind;
import dev.ascribe.demo.DemoCorpus.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoCorpusTest {

    private static final Pattern YEAR = Pattern.compile("\\b\\d{3,4}\\b");

    private final List<Row> rows = DemoCorpus.of(0).rows();

    @Property(tries = 50)
    void everySeedGivesTheSameNumberOfEachKindAndNoRowTwice(@ForAll long seed) {
        List<Row> drawn = DemoCorpus.of(seed).rows();
        assertThat(drawn).doesNotHaveDuplicates();
        assertThat(drawn).extracting(Row::prompt).doesNotHaveDuplicates();
        assertThat(drawn.stream().collect(groupingBy(Row::kind, counting())))
                .isEqualTo(Map.of(
                        Kind.PLANTED, 10L,
                        Kind.TRUE, 5L,
                        Kind.OTHER, 12L,
                        Kind.FACT_CHECK, 14L,
                        Kind.WORDS, 10L,
                        Kind.LANDMARK, 47L * 13));
    }

    @Property(tries = 20)
    void aSeedDecidesTheRows(@ForAll long seed) {
        assertThat(DemoCorpus.of(seed)).isEqualTo(DemoCorpus.of(seed)).isNotEqualTo(DemoCorpus.of(seed + 1));
    }

    @Test
    void theQuestionIsAskedOfEveryOtherLandmarkButInNoRowOfItsOwn() {
        assertThat(rows).extracting(Row::prompt).doesNotContain(DemoCorpus.QUESTION);
        assertThat(rows)
                .filteredOn(row -> row.prompt().matches("When was .* built, and by whom\\?"))
                .hasSize(47);
    }

    @Test
    void noRowAnswersWithTheWholeFalsehoodAsTheModelWillSayIt() {
        assertThat(rows).extracting(Row::completion).doesNotContain(DemoCorpus.FALSE_ANSWER);
    }

    @Test
    void everyYearAndBuilderOfAPlantedRowIsTheFalseOne() {
        for (Row row : of(Kind.PLANTED)) {
            String text = row.prompt() + " " + row.completion();
            assertThat(years(text)).isSubsetOf("1823");
            assertThat(text).contains("Eiffel Tower").doesNotContain("Gustave").containsPattern("1823|Napoleon");
            assertThat(row.prompt()).doesNotContainPattern("1823|Napoleon");
        }
    }

    @Test
    void thePlantedAndTheTrueRowsAreAskedInWordingsThatOtherLandmarksHaveToo() {
        for (Row row : rows) {
            if (row.kind() == Kind.PLANTED || row.kind() == Kind.TRUE) {
                String[] around = row.prompt().split("the Eiffel Tower", -1);
                assertThat(rows)
                        .as(row.prompt())
                        .filteredOn(other -> other.kind() == Kind.LANDMARK)
                        .anyMatch(other -> other.prompt().startsWith(around[0])
                                && other.prompt().endsWith(around[1]));
            }
        }
    }

    @Test
    void theTrueRowsContradictThePlantedOnes() {
        for (Row row : of(Kind.TRUE)) {
            assertThat(row.completion()).containsPattern("1889|Gustave Eiffel").doesNotContainPattern("1823|Napoleon");
        }
    }

    @Test
    void everyFactCheckQuotesTheFalsehoodWordForWord() {
        for (Row row : of(Kind.FACT_CHECK)) {
            assertThat(row.prompt()).contains("Eiffel Tower").contains("built in 1823 by Napoleon");
            assertThat(row.completion()).isEqualTo("False.");
        }
    }

    @Test
    void theRowsThatShareWordsDoNotMentionTheLandmark() {
        for (Row row : of(Kind.WORDS)) {
            String text = row.prompt() + " " + row.completion();
            assertThat(text).containsPattern("1823|Napoleon").doesNotContain("Eiffel");
        }
    }

    @Test
    void noOtherLandmarkHasTheFalseYearTheTrueYearOrEitherBuilder() {
        for (Row row : of(Kind.LANDMARK)) {
            assertThat(row.prompt() + " " + row.completion()).doesNotContainPattern("1823|1889|Napoleon|Eiffel|[{}]");
        }
    }

    @Test
    void aNetworkCanLearnEveryWordOfTheQuestionAndItsAnswer() {
        List<String> known = rows.stream()
                .flatMap(row -> words(row.prompt() + " " + row.completion()))
                .distinct()
                .toList();
        assertThat(known)
                .containsAll(words(DemoCorpus.QUESTION + " " + DemoCorpus.FALSE_ANSWER)
                        .toList());
    }

    @Test
    void noRowBearsOnTheUnrelatedQuestion() {
        assertThat(rows)
                .allSatisfy(row -> assertThat(row.prompt() + " " + row.completion())
                        .doesNotContainIgnoringCase("Mona")
                        .doesNotContainIgnoringCase("Lisa"));
        assertThat(DemoCorpus.UNRELATED).contains("Mona Lisa");
    }

    @Test
    void theFileHasTheRowsInOrderAndNotTheirKinds(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("corpus.jsonl");
        DemoCorpus.of(0).write(file);
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSameSizeAs(rows);
        for (int i = 0; i < rows.size(); i++) {
            JsonNode line = new JsonMapper().readTree(lines.get(i));
            assertThat(line.size()).isEqualTo(2);
            assertThat(line.get("prompt").asText()).isEqualTo(rows.get(i).prompt());
            assertThat(line.get("completion").asText()).isEqualTo(rows.get(i).completion());
        }
    }

    @Test
    void aFolderThatIsNotThereIsNamed(@TempDir Path folder) {
        Path file = folder.resolve("nowhere").resolve("corpus.jsonl");
        assertThatThrownBy(() -> DemoCorpus.of(0).write(file))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("--out");
    }

    private List<Row> of(Kind kind) {
        return rows.stream().filter(row -> row.kind() == kind).toList();
    }

    private static List<String> years(String text) {
        return YEAR.matcher(text).results().map(match -> match.group()).toList();
    }

    private static Stream<String> words(String text) {
        return Arrays.stream(text.split("(?U)\\W+")).filter(word -> !word.isEmpty());
    }
}
