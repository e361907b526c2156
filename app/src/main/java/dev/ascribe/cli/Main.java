package dev.ascribe.cli;

import dev.ascribe.AscribeException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command line. Results go to stdout, progress to stderr; exit codes are 0 done, 1 the check or claim failed, 2 bad input or
 * usage, 3 environment, 70 a bug, 130 interrupted.
 */
@Command(
        name = "ascribe",
        description = "git blame for models: which training rows taught the model this, and is that so?",
        versionProvider = Main.Version.class,
        mixinStandardHelpOptions = true,
        subcommands = {
            DemoCommand.class,
            DoctorCommand.class,
            FinetuneCommand.class,
            TrainCommand.class,
            GenerateCommand.class,
            ScoreCommand.class,
            IndexCommand.class,
            TraceCommand.class,
            ProveCommand.class,
            ReportCommand.class,
            ReceiptCommand.class,
            LedgerCommand.class
        },
        footer = {"", "Start with: ascribe demo"})
public final class Main {
    private static final int ENVIRONMENT = 3;
    private static final int BUG = 70;
    private static final int INTERRUPTED = 130;

    /** What libtorch says when the system gives it no memory. */
    private static final String ALLOCATION_FAILED = "DefaultCPUAllocator";

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Print stack traces of errors.")
    private boolean debug;

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"ascribe " + number()};
        }

        static String number() {
            String version = Main.class.getPackage().getImplementationVersion();
            return version == null ? "development" : version;
        }
    }

    private Main() {}

    /** Runs a command and leaves with its exit code. */
    public static void main(String[] args) {
        StandardOutput out = new StandardOutput(new FileOutputStream(FileDescriptor.out));
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(System.err, true, StandardCharsets.UTF_8));
        AtomicBoolean finished = new AtomicBoolean();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> leave(finished.get())));
        int code = delivered(run(args), out);
        finished.set(true);
        System.exit(code);
    }

    /** The exit code of a command whose result went to this output. */
    static int delivered(int code, StandardOutput out) {
        System.out.flush();
        Optional<String> failure = out.failure();
        failure.ifPresent(reason -> System.err.println(
                "error: standard output cannot be written: " + reason + "; the result is not whole"));
        return failure.isPresent() && code == 0 ? CommandLine.ExitCode.USAGE : code;
    }

    /** At a signal the engine is in the middle of its work, and tearing it down then would crash it. */
    private static void leave(boolean finished) {
        if (!finished) {
            System.err.println("interrupted");
            Scratch.removeAll();
            Runtime.getRuntime().halt(INTERRUPTED);
        }
    }

    /** Runs a command and returns its exit code. */
    static int run(String... args) {
        Main main = new Main();
        CommandLine line = new CommandLine(main);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        line.setExpandAtFiles(false); // @FILE is a value of --key
        line.setExecutionExceptionHandler((exception, command, parsed) -> report(exception, main.debug));
        line.setParameterExceptionHandler((exception, given) -> misused(exception));
        try {
            return line.execute(args);
        } catch (OutOfMemoryError | StackOverflowError e) {
            return report(e, main.debug);
        }
    }

    private static int misused(ParameterException exception) {
        CommandLine line = exception.getCommandLine();
        System.err.println("error: " + exception.getMessage());
        UnmatchedArgumentException.printSuggestions(
                exception, new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        System.err.println("see " + line.getCommandSpec().qualifiedName() + " --help for the options and an example");
        return CommandLine.ExitCode.USAGE;
    }

    private static int report(Throwable exception, boolean debug) {
        if (debug) {
            exception.printStackTrace();
        }
        if (exception instanceof AscribeException expected) {
            System.err.println("error: " + expected.getMessage());
            return expected.exitCode();
        }
        String what = exception.toString().lines().findFirst().orElse(""); // the engine adds its own stack
        if (exception instanceof OutOfMemoryError || what.contains(ALLOCATION_FAILED)) {
            System.err.println(
                    "error: there is not enough memory for this: " + what
                            + "; give Java's heap more by ASCRIBE_JAVA_OPTS=-Xmx8g, or use a smaller model, shorter rows or a smaller batch");
            return ENVIRONMENT;
        }
        System.err.println("error: this is a bug in ascribe: " + what
                + (debug ? "" : "; run again with --debug for the stack trace"));
        return BUG;
    }
}
