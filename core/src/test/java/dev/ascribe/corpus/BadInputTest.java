package dev.ascribe.corpus;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every refusal names the file, the place and what to do. */
class BadInputTest {
    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = true,
            quoteCharacter = '`',
            value = {
                "a.jsonl | {\"instruction\":\"a\",\"outptu\":\"b\"} | line 1, column 20: unknown key \"outptu\"; a row has instruction",
                "a.jsonl | {\"text\":\"a\",\"text\":\"b\"}        | line 1, column 13: key \"text\" stands twice",
                "a.jsonl | {\"text\":\"a\"}~~{\"text\":\"b\"}     | line 2, column 1: no row here",
                "a.jsonl | {\"text\":\"é\",\"text\":1}            | line 1, column 13",
                "a.jsonl | {\"text\":1}                         | line 1, column 9: \"text\" is a number; it must be a string",
                "a.jsonl | {\"text\":null}                      | \"text\" is null",
                "a.jsonl | {\"text\":[\"a\"]}                   | \"text\" is an array",
                "a.jsonl | {\"text\":{\"a\":1}}                 | \"text\" is an object",
                "a.jsonl | {\"text\":\"\\ud800\"}               | half of a surrogate pair",
                "a.jsonl | {\"instruction\":\"a\"}              | no \"output\"",
                "a.jsonl | {\"prompt\":\"a\",\"output\":\"b\"}  | keys of different kinds of row (prompt, output)",
                "a.jsonl | {\"text\":\"a\",\"messages\":[{\"role\":\"assistant\",\"content\":\"b\"}]} | messages beside other keys (text)",
                "a.jsonl | {}                                   | none of the keys of a row",
                "a.jsonl | {\"text\":\"a\"}~\"b\"               | line 2, column 1: a string where a row",
                "a.jsonl | {\"text\":\"a\"} {\"text\":\"b\"}    | line 1, column 14: more text after the row",
                "a.jsonl | {\"messages\":[]}                    | the last message is not the assistant's",
                "a.jsonl | {\"messages\":\"hi\"}                | \"messages\" is a string; it must be an array",
                "a.jsonl | {\"messages\":[\"hi\"]}              | a message is a string",
                "a.jsonl | {\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]} | the last message is not the assistant's",
                "a.jsonl | {\"messages\":[{\"role\":\"tool\",\"content\":\"a\"}]} | role \"tool\"; a role is system, user or assistant",
                "a.jsonl | {\"messages\":[{\"role\":\"user\"}]} | a message without content",
                "a.jsonl | {\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"name\":\"b\"}]} | unknown key \"name\"; a message has role and content",
                "a.json  | [{\"text\":\"a\"},~ {\"text\":\"b\"}    | line 1, column 1: an array that is never closed",
                "a.json  | [{\"text\":\"a\"}~ {\"text\":\"b\"}]    | line 2, column 2: a comma or ] was expected",
                "a.json  | [{\"text\":\"a\"},]                    | line 1, column 15: no row here",
                "a.json  | [{\"text\":\"a\"}] x                   | line 1, column 16: text after the end",
                "a.json  | [{\"text\":\"a\"},~{\"text\":b},~{\"text\":\"c\"}] | line 2, column",
                "a.json  | [{\"text\":\"a\"},~{\"text\":\"b},~{\"text\":\"c\"}] | line 2, column 13: broken JSON",
                "a.json  | [ ]                                  | holds no rows",
                "a.csv   | prompt,answer~a,b                    | line 1, column 1: unknown column \"answer\"; the first line names the columns",
                "a.csv   | text,text~a,b                        | column \"text\" stands twice",
                "a.csv   | prompt~a                             | line 1, column 1: no \"completion\"",
                "a.csv   | prompt,completion~a,b~a,b,c          | line 3, column 1: 3 values for 2 columns (prompt, completion)",
                "a.csv   | text~\"a~b                           | line 2, column 1: a quote that is never closed",
                "a.csv   | text~a \"b\"                         | line 2, column 3: a quote inside a value without quotes",
                "a.csv   | text~\"a\"b                          | line 2, column 4: a comma was expected after the closing quote",
                "a.csv   | text~a~~b                            | line 3, column 1: an empty line",
                "a.csv   | text                                 | holds no rows",
                "a.txt   | ~ ~                                  | holds no rows",
                "a.jsonl | ~ ~                                  | holds no rows",
                "a.md    | # Title                              | is of no known format; name it .jsonl, .json, .csv or .txt",
            })
    void isRefusedAtItsPlace(String name, String content, String message) throws IOException {
        Path file = Files.writeString(folder.resolve(name), content.replace('~', '\n'));
        assertRefused(file, message);
    }

    @Test
    void brokenJsonInLineSevenIsFoundThere() throws IOException {
        String good = "{\"text\":\"good\"}\n";
        Path file = Files.writeString(
                folder.resolve("a.jsonl"),
                good.repeat(6) + "{\"text\": \"bad}\n" + good.repeat(3) + "{\"text\": worse}\n");
        assertRefused(file, "line 7, column 15: broken JSON");
    }

    @Test
    void bytesThatAreNotUtf8AreFoundAtTheirPlace() throws IOException {
        Path file = folder.resolve("a.txt");
        byte[] text = "first\nä?c\n".getBytes(StandardCharsets.UTF_8);
        text[8] = (byte) 0xC0; // never part of UTF-8
        Files.write(file, text);
        assertRefused(file, "line 2, column 2: not UTF-8 (byte 0xc0); save the file as UTF-8");
    }

    @Test
    void aReplacementCharacterThatIsWrittenInTheFileIsText() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "a\uFFFDb");
        Corpora.open(file, CorpusOptions.strict()).close();
    }

    @Test
    void theFirstBadRowIsNamedThoughManyThreadsRead() throws IOException {
        String good = "{\"text\":\"good\"}\n";
        Path file = Files.writeString(
                folder.resolve("a.jsonl"), good.repeat(4000) + "{}\n" + good.repeat(4000) + "[]\n" + good.repeat(4000));
        assertRefused(file, "line 4001, column 1");
    }

    @Test
    void aFileOfBadRowsOnlyIsRefusedWhenBadRowsAreSkippedToo() throws IOException {
        Path file = Files.writeString(folder.resolve("a.jsonl"), "{}\n{}\n");
        assertThatThrownBy(() -> Corpora.open(file, new CorpusOptions(true, warning -> {})))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("holds no rows that can be used");
    }

    @Test
    void aFileThatBreaksOffIsRefusedWhenBadRowsAreSkippedToo() throws IOException {
        Path file = Files.writeString(folder.resolve("a.json"), "[{\"text\":\"a\"},{\"text\":\"b");
        assertThatThrownBy(() -> Corpora.open(file, new CorpusOptions(true, warning -> {})))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("never closed");
    }

    @Test
    void whatIsNoFileIsRefused() throws IOException {
        assertRefused(folder.resolve("none.jsonl"), "does not exist; check the path");
        assertRefused(folder, "is not a regular file");
        assertRefused(Files.createFile(folder.resolve("empty.jsonl")), "is empty");
        assertRefused(Files.writeString(folder.resolve("mark.jsonl"), "\uFEFF"), "is empty");
    }

    private static void assertRefused(Path file, String message) {
        assertThatThrownBy(() -> Corpora.open(file, CorpusOptions.strict()))
                .isInstanceOf(UserInputException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(message);
    }
}
