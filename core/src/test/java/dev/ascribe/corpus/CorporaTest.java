package dev.ascribe.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.Sample;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorporaTest {
    @TempDir
    private Path folder;

    @Test
    void everyShapeOfRowIsRecognisedByItsKeys() {
        List<Content> rows = contents("rows.jsonl", """
                {"instruction": "Add", "input": "1 2", "output": "3"}
                {"output": "3", "instruction": "Add"}
                {"prompt": "a", "completion": "b"}
                {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"content": "a", "role": "assistant"}]}
                {"text": " t "}
                """);
        assertThat(rows)
                .containsExactly(
                        new Content.Instruction("Add", "1 2", "3"),
                        new Content.Instruction("Add", "", "3"),
                        new Content.Completion("a", "b"),
                        new Content.Chat(List.of(
                                new Content.Message("system", "s"),
                                new Content.Message("user", "u"),
                                new Content.Message("assistant", "a"))),
                        new Content.Text(" t "));
    }

    @Test
    void theSameRowsHaveTheSameDigestInEveryFormat() {
        String lines = """
                {"instruction":"Say \\"hi\\", twice","input":"","output":"hi\\nhi"}
                {"output":"\\u00e9","input":"in","instruction":"e acute"}
                """;
        String array = """
                [
                  { "instruction": "Say \\"hi\\", twice", "output": "hi\\nhi" },
                  { "instruction": "e acute", "input": "in", "output": "é" }
                ]
                """;
        String csv = """
                input,instruction,output
                ,"Say ""hi"", twice","hi
                hi"
                in,e acute,é
                """;
        String digest = digest("a.jsonl", lines);
        assertThat(digest("a.json", array)).isEqualTo(digest);
        assertThat(digest("b.json", lines)).isEqualTo(digest);
        assertThat(digest("a.csv", csv)).isEqualTo(digest);
        assertThat(digest("a.data", array)).isEqualTo(digest);
        try (Corpus memory = Corpora.of(
                "memory",
                List.of(
                        new Content.Instruction("Say \"hi\", twice", "", "hi\nhi"),
                        new Content.Instruction("e acute", "in", "é")))) {
            assertThat(memory.digest()).isEqualTo(digest);
        }
    }

    @Test
    void theDigestIsTheMerkleRootOverTheIds() {
        try (Corpus corpus = open("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{\"text\":\"c\"}\n")) {
            MerkleTree tree = new MerkleTree();
            for (Sample sample : corpus.samples()) {
                assertThat(sample.id())
                        .isEqualTo(corpus.id(sample.row()))
                        .isEqualTo(CanonicalJson.id(sample.content()));
                tree.add(sample.id().bytes());
            }
            assertThat(tree.size()).isEqualTo(3);
            assertThat(corpus.digest()).isEqualTo(Digests.name(tree.root()));
        }
    }

    @Test
    void theOrderOfRowsChangesTheDigest() {
        assertThat(digest("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}"))
                .isNotEqualTo(digest("b.jsonl", "{\"text\":\"b\"}\n{\"text\":\"a\"}"));
    }

    @Test
    void linesEndAtLineFeedsOnly() {
        assertThat(contents("a.jsonl", "{\"text\":\"a\u2028b\u0085c\"}\r\n{\"text\":\"d\"}"))
                .containsExactly(new Content.Text("a\u2028b\u0085c"), new Content.Text("d"));
    }

    @Test
    void aByteOrderMarkAndBlankLinesAtTheEndAreNoRows() {
        assertThat(contents("a.jsonl", "\uFEFF{\"text\":\"a\"}\n\r\n  \n\n")).containsExactly(new Content.Text("a"));
        assertThat(contents("a.csv", "\uFEFFtext\r\na\r\n\r\n")).containsExactly(new Content.Text("a"));
        assertThat(contents("a.json", "\uFEFF [{\"text\":\"a\"}] \n")).containsExactly(new Content.Text("a"));
        assertThat(contents("a.txt", "\uFEFFa\n\n")).containsExactly(new Content.Text("a"));
    }

    @Test
    void valuesOfCsvKeepSpacesQuotesAndLineEnds() {
        assertThat(contents("a.csv", "prompt,completion\r\n a ,\"b,\r\n\"\"c\"\"\"\r\n,\"\"\n"))
                .containsExactly(new Content.Completion(" a ", "b,\r\n\"c\""), new Content.Completion("", ""));
    }

    @Test
    void documentsOfPlainTextAreSplitAtBlankLinesAndKeptAsTheyAre() {
        String text = "\n  First line\nsecond\n \t\n\n\"Third\"\r\n\r\nlast " + "word ".repeat(200_000);
        assertThat(contents("a.txt", text))
                .containsExactly(
                        new Content.Text("  First line\nsecond"),
                        new Content.Text("\"Third\""),
                        new Content.Text("last " + "word ".repeat(200_000)));
    }

    @Test
    void rowsThatRepeatAreReportedAndKept() {
        List<String> warnings = new ArrayList<>();
        String rows = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{ \"text\": \"\\u0061\" }\n{\"text\":\"b\"}\n";
        try (Corpus corpus = Corpora.open(write("a.jsonl", rows), new CorpusOptions(false, warnings::add))) {
            assertThat(corpus.size()).isEqualTo(4);
            assertThat(warnings)
                    .singleElement()
                    .asString()
                    .contains("a.jsonl: 2 of 4 rows repeat an earlier row")
                    .contains("(row 2 = row 0, row 3 = row 1)");
        }
    }

    @Test
    void skippedRowsAreCountedAndTheOthersNumberedWithoutThem() {
        List<String> warnings = new ArrayList<>();
        String rows = "{\"text\":\"a\"}\n{\"txt\":\"b\"}\n\n{\"text\":\"c\"}\n{\"text\":3}\n";
        try (Corpus corpus = Corpora.open(write("a.jsonl", rows), new CorpusOptions(true, warnings::add))) {
            assertThat(corpus.samples())
                    .extracting(Sample::row, Sample::content)
                    .containsExactly(tuple(0, new Content.Text("a")), tuple(1, new Content.Text("c")));
            assertThat(corpus.digest()).isEqualTo(digest("b.jsonl", "{\"text\":\"a\"}\n{\"text\":\"c\"}"));
            assertThat(warnings)
                    .singleElement()
                    .asString()
                    .contains("skipped 3 of 5 rows")
                    .contains("line 2, column 2: unknown key \"txt\"")
                    .contains("line 3, column 1")
                    .contains("line 5, column 9");
        }
    }

    @Test
    void manyThreadsReadTheSameRows() {
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 5000; i++) {
            rows.append("{\"text\":\"document ").append(i).append("\"}\n");
        }
        try (Corpus corpus = open("a.jsonl", rows.toString())) {
            assertThat(corpus.size()).isEqualTo(5000);
            assertThat(IntStream.range(0, 20_000)
                            .parallel()
                            .map(i -> i * 7 % 5000)
                            .allMatch(row -> corpus.sample(row).content().equals(new Content.Text("document " + row))))
                    .isTrue();
            assertThatThrownBy(() -> corpus.id(5000)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void aFileThatChangesWhileItIsOpenIsFoundOut() throws IOException {
        Path file = write("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n");
        try (Corpus corpus = Corpora.open(file, CorpusOptions.strict())) {
            Files.writeString(file, "{\"text\":\"a\"}\n{\"text\":\"c\"}\n", StandardOpenOption.WRITE);
            assertThat(corpus.sample(0).content()).isEqualTo(new Content.Text("a"));
            assertThatThrownBy(() -> corpus.sample(1))
                    .isInstanceOf(CorruptDataException.class)
                    .hasMessageContaining("row 1 of")
                    .hasMessageContaining("open it again");
        }
    }

    private Corpus open(String name, String content) {
        return Corpora.open(write(name, content), CorpusOptions.strict());
    }

    private List<Content> contents(String name, String content) {
        try (Corpus corpus = open(name, content)) {
            return corpus.samples().stream().map(Sample::content).toList();
        }
    }

    private String digest(String name, String content) {
        try (Corpus corpus = open(name, content)) {
            return corpus.digest();
        }
    }

    private Path write(String name, String content) {
        try {
            return Files.write(folder.resolve(name), content.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
