package dev.ascribe.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.AscribeException;
import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.Sample;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class CorpusPropertiesTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static Path folder = Path.of("");

    @BeforeContainer
    static void makeFolder() throws IOException {
        folder = Files.createTempDirectory("corpus-properties");
    }

    @AfterContainer
    static void removeFolder() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    @Property(tries = 200)
    void rowsThatAnyJsonWriterWroteAreReadBack(@ForAll @Size(min = 1, max = 8) List<@From("contents") Content> contents)
            throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Content content : contents) {
            lines.append(JSON.writeValueAsString(JSON.valueToTree(content))).append('\n');
        }
        assertThat(read("rows.jsonl", lines.toString())).isEqualTo(contents);
        assertThat(read("rows.json", JSON.writerWithDefaultPrettyPrinter().writeValueAsString(contents.toArray())))
                .isEqualTo(contents);
    }

    @Property(tries = 200)
    void canonicalBytesAreCompactJsonOfTheSameContent(@ForAll("contents") Content content) throws IOException {
        byte[] canonical = CanonicalJson.bytes(content);
        assertThat(read("canonical.jsonl", new String(canonical, StandardCharsets.UTF_8)))
                .containsExactly(content);
        // Jackson writes the same but for upper-case hexadecimal digits in control characters, which are made
        // lower-case here.
        String jackson = JSON.writeValueAsString(JSON.readTree(canonical));
        String expected = Pattern.compile("(?<!\\\\)((?:\\\\\\\\)*)(\\\\u00[0-9A-F]{2})")
                .matcher(jackson)
                .replaceAll(
                        m -> Matcher.quoteReplacement(m.group(1) + m.group(2).toLowerCase(Locale.ROOT)));
        assertThat(new String(canonical, StandardCharsets.UTF_8)).isEqualTo(expected);
    }

    @Property(tries = 200)
    void anyTextSurvivesCsv(@ForAll @Size(min = 2, max = 8) List<@From("texts") String> texts) throws IOException {
        StringBuilder csv = new StringBuilder("completion,prompt\r\n");
        List<Content> expected = new ArrayList<>();
        for (int i = 0; i + 1 < texts.size(); i++) {
            csv.append(quoted(texts.get(i)))
                    .append(',')
                    .append(quoted(texts.get(i + 1)))
                    .append("\r\n");
            expected.add(new Content.Completion(texts.get(i + 1), texts.get(i)));
        }
        assertThat(read("rows.csv", csv.toString())).isEqualTo(expected);
    }

    @Property(tries = 1000)
    void randomBytesNeverGiveAnythingButOurErrors(
            @ForAll("extensions") String extension, @ForAll("noise") byte[] noise, @ForAll boolean skipBad)
            throws IOException {
        openQuietly("noise" + extension, noise, skipBad);
    }

    @Property(tries = 1000)
    void damagedFilesNeverGiveAnythingButOurErrors(
            @ForAll("extensions") String extension,
            @ForAll @Size(min = 1, max = 4) List<@From("contents") Content> contents,
            @ForAll @IntRange(max = 10_000) int place,
            @ForAll byte damage,
            @ForAll boolean cut,
            @ForAll boolean skipBad)
            throws IOException {
        byte[] bytes = JSON.writeValueAsBytes(contents.toArray());
        int at = place % bytes.length;
        bytes[at] = damage;
        openQuietly("damaged" + extension, cut ? Arrays.copyOf(bytes, at) : bytes, skipBad);
    }

    private static void openQuietly(String name, byte[] bytes, boolean skipBad) throws IOException {
        Path file = Files.write(folder.resolve(name), bytes);
        try (Corpus corpus = Corpora.open(file, new CorpusOptions(skipBad, warning -> {}))) {
            corpus.samples().forEach(sample -> assertThat(sample.content()).isNotNull());
        } catch (AscribeException e) {
            assertThat(e.getMessage()).startsWith(file.toString());
        }
    }

    private static List<Content> read(String name, String text) throws IOException {
        Path file = Files.writeString(folder.resolve(name), text);
        try (Corpus corpus = Corpora.open(file, CorpusOptions.strict())) {
            return corpus.samples().stream().map(Sample::content).toList();
        }
    }

    private static String quoted(String value) {
        return '"' + value.replace("\"", "\"\"") + '"';
    }

    @Provide
    Arbitrary<String> extensions() {
        return Arbitraries.of(".jsonl", ".json", ".csv", ".txt", "");
    }

    /** Bytes of which many mean something to one of the formats. */
    @Provide
    Arbitrary<byte[]> noise() {
        return Arbitraries.oneOf(
                        Arbitraries.bytes(),
                        Arbitraries.of("{}[]\":,\\\n\r\t atext"
                                .chars()
                                .mapToObj(c -> (byte) c)
                                .toList()))
                .array(byte[].class)
                .ofMaxSize(60);
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.oneOf(
                        Arbitraries.of(
                                0x00, 0x08, 0x1f, 0x0a, 0x0d, 0x22, 0x2c, 0x5c, 0x2f, 0x7f, 0x2028, 0xfffd, 0x1f600),
                        Arbitraries.integers()
                                .between(0, Character.MAX_CODE_POINT)
                                .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE))
                .list()
                .ofMaxSize(12)
                .map(points -> points.stream().map(Character::toString).reduce("", String::concat));
    }

    @Provide
    Arbitrary<Content> contents() {
        Arbitrary<String> text = texts();
        return Arbitraries.oneOf(
                Combinators.combine(text, text, text).as(Content.Instruction::new),
                Combinators.combine(text, text).as(Content.Completion::new),
                text.map(Content.Text::new),
                Combinators.combine(text, text)
                        .as((question, answer) -> new Content.Chat(List.of(
                                new Content.Message("user", question), new Content.Message("assistant", answer)))));
    }
}
