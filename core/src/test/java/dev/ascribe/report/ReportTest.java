package dev.ascribe.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final String HOSTILE =
            "<script>alert('x')</script> \"quoted\" & <b onclick=\"x\"> </title></style> שלום עולם "
                    + "zero\u200Bwidth \u202Ereversed\u202C 👩‍👩‍👧‍👦🇳🇴 nul\u0000 esc\u001B[31m half\uD83D\nnew line";

    /** The pages that bench/report-a11y looks at. */
    static Map<String, String> pages() {
        return Map.of(
                "traced", Report.html(Stories.traced(), Stories.proof()),
                "bare", Report.html(Stories.bare(), null),
                "several", Report.html(Stories.several(), Stories.proof()),
                "refuted", Report.html(Stories.refuted()),
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
}
