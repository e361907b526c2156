package dev.ascribe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.torch.trace.Tracer;
import dev.ascribe.tree.TreeTracer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The pages agree with the code and with each other. */
class DocumentationTest {
    private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize(); // tests run in their module
    private static final Path METHODS = PROJECT.resolve("docs/methods");

    /** What a page of a method must tell. */
    private static final List<String> SECTIONS =
            List.of("Definition", "Sign and scale", "When to use it", "Cost", "Traps", "Source", "How it is tested");

    private static final Pattern LINK = Pattern.compile("\\]\\((?!https?://|#)([^)#\\s]+)");
    private static final Pattern TEST_NAME = Pattern.compile("`([A-Z]\\w*Test)`");

    static List<String> methods() {
        return Stream.of(Tracer.Options.methods(), TreeTracer.methods())
                .flatMap(List::stream)
                .toList();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void everyMethodHasAPageThatTellsAllOfIt(String method) throws IOException {
        List<String> headings = Files.readAllLines(METHODS.resolve(method + ".md")).stream()
                .filter(line -> line.startsWith("## "))
                .map(line -> line.substring("## ".length()))
                .toList();
        assertThat(headings).containsExactlyElementsOf(SECTIONS);
    }

    @Test
    void theIndexLeadsToEveryPage() throws IOException {
        List<String> linked = matches(LINK, METHODS.resolve("README.md"));
        try (Stream<Path> pages = Files.list(METHODS)) {
            assertThat(pages.map(page -> page.getFileName().toString()).filter(name -> !name.equals("README.md")))
                    .isNotEmpty()
                    .isSubsetOf(linked);
        }
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyLinkLeadsSomewhere(Path page) throws IOException {
        assertThat(matches(LINK, page).stream()
                        .filter(link -> !Files.exists(PROJECT.resolve(page).resolveSibling(link))))
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyTestThatIsNamedExists(Path page) throws IOException {
        List<String> tests = new ArrayList<>();
        for (String module : List.of("core", "torch", "app")) {
            try (Stream<Path> sources = Files.walk(PROJECT.resolve(module).resolve("src/test/java"))) {
                sources.map(source -> source.getFileName().toString())
                        .map(name -> name.replace(".java", ""))
                        .forEach(tests::add);
            }
        }
        assertThat(matches(TEST_NAME, page)).isSubsetOf(tests);
    }

    /** All pages, relative to the project. */
    static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>();
        try (Stream<Path> top = Files.list(PROJECT);
                Stream<Path> docs = Files.walk(PROJECT.resolve("docs"));
                Stream<Path> bench = Files.walk(PROJECT.resolve("bench"))) {
            Stream.of(top, docs, bench)
                    .flatMap(files -> files)
                    .filter(file -> file.toString().endsWith(".md"))
                    .map(PROJECT::relativize)
                    .sorted()
                    .forEach(pages::add);
        }
        return pages;
    }

    private static List<String> matches(Pattern pattern, Path page) throws IOException {
        return pattern.matcher(Files.readString(PROJECT.resolve(page)))
                .results()
                .map((MatchResult match) -> match.group(1))
                .toList();
    }
}
