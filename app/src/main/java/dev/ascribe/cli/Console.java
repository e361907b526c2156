package dev.ascribe.cli;

import dev.ascribe.Progress;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;

/** Progress and warnings on stderr: a line that is rewritten on a terminal, a line now and then elsewhere. */
final class Console implements Progress {
    private static final long TERMINAL_NANOS = 200_000_000L;
    private static final long LOG_NANOS = 10_000_000_000L;

    /** The launcher, which filters stderr, says whether a terminal is behind it. */
    private final boolean terminal = System.getenv("ASCRIBE_STDERR_TTY") != null || terminal();

    private String job = "";
    private long started;
    private long startedAt;
    private long shown;

    /** Whether people are looking. */
    static boolean terminal() {
        java.io.Console console = System.console();
        return console != null && console.isTerminal();
    }

    @Override
    public void at(String what, long done, long total) {
        long now = System.nanoTime();
        if (!what.equals(job)) {
            job = what;
            started = now;
            startedAt = done;
            shown = terminal ? 0 : now;
        }
        boolean finished = done >= total;
        if (now - shown < (terminal ? TERMINAL_NANOS : LOG_NANOS) && !(finished && terminal)) {
            return;
        }
        shown = now;
        double seconds = (now - started) / 1e9;
        double rate = (done - startedAt) / Math.max(1e-9, seconds);
        String line = String.format(
                Locale.ROOT,
                "%s: %,d of %,d%s",
                what,
                done,
                total,
                rate > 0 && !finished ? String.format(Locale.ROOT, ", %s left", duration((total - done) / rate)) : "");
        if (terminal) {
            System.err.print("\r\u001b[K" + line + (finished ? "\n" : ""));
        } else {
            System.err.println(line);
        }
        System.err.flush();
    }

    /** Something the user should know. */
    void warn(String message) {
        System.err.println("warning: " + message);
    }

    /** Warns of options that were given although something else decides what they say. */
    void warnIgnored(CommandSpec command, Path decides, String... options) {
        for (String option : options) {
            if (command.commandLine().getParseResult().hasMatchedOption(option)) {
                warn(option + " is ignored: " + decides + " decides it");
            }
        }
    }

    /** Something the user may want to know. */
    void note(String message) {
        System.err.println(message);
    }

    /** Tells the speed of what passed through a model. */
    void speed(long tokens, double seconds) {
        if (tokens > 0 && seconds > 0) {
            note(String.format(Locale.ROOT, "%d tokens in %.2f s: %.1f tokens/s", tokens, seconds, tokens / seconds));
        }
    }

    /** Seconds as people say them. */
    static String duration(double seconds) {
        long whole = Math.round(seconds);
        if (whole < 90) {
            return whole + " s";
        }
        return whole < 5400 ? Math.round(whole / 60.0) + " min" : String.format(Locale.ROOT, "%.1f h", whole / 3600.0);
    }
}
