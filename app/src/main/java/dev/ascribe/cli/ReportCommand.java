package dev.ascribe.cli;

import dev.ascribe.report.ResultJson;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Any result as one self-contained page. */
@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        description = "Any result as one self-contained page.",
        footer = {"", "Example: ascribe report trace.json --html trace.html"})
final class ReportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE.json", description = "What trace or prove printed with --json.")
    @SuppressWarnings("NullAway.Init")
    private Path file;

    @Option(names = "--html", required = true, paramLabel = "OUT", description = "The page to write.")
    @SuppressWarnings("NullAway.Init")
    private Path html;

    @Override
    public Integer call() {
        Output.page(html, ResultJson.read(file));
        new Console().note("report: " + html);
        return 0;
    }
}
