package dev.ascribe.cli;

import dev.ascribe.Result;
import dev.ascribe.WholeFile;
import dev.ascribe.report.Report;
import dev.ascribe.report.ResultJson;
import dev.ascribe.report.TextReport;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a result goes: text or JSON on stdout, and a page. */
final class Output {
    private static final int COLUMNS = 110;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    @Option(names = "--html", paramLabel = "FILE", description = "Also write a self-contained page.")
    private @Nullable Path html;

    boolean json() {
        return json;
    }

    void show(Result result, Console console) {
        if (html != null) {
            page(html, result);
            console.note("report: " + html);
        }
        print(result);
    }

    void print(Result result) {
        System.out.println(json ? ResultJson.write(result).strip() : TextReport.render(result, columns(), colour()));
    }

    static int columns() {
        try {
            String columns = System.getenv("COLUMNS");
            return columns == null ? COLUMNS : Integer.parseInt(columns);
        } catch (NumberFormatException e) {
            return COLUMNS;
        }
    }

    static boolean colour() {
        return Console.terminal() && System.getenv("NO_COLOR") == null;
    }

    static void page(Path file, Result result) {
        write(file, Report.html(result));
    }

    static void write(Path file, String text) {
        WholeFile.write(file, text.getBytes(StandardCharsets.UTF_8));
    }
}
