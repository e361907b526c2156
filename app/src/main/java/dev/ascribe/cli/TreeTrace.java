package dev.ascribe.cli;

import dev.ascribe.Attribution;
import dev.ascribe.Digests;
import dev.ascribe.UserInputException;
import dev.ascribe.tree.Groups;
import dev.ascribe.tree.ModelFile;
import dev.ascribe.tree.Table;
import dev.ascribe.tree.TreeEnsemble;
import dev.ascribe.tree.TreeTracer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Traces predictions of a model of trees. */
final class TreeTrace {
    private static final String DEFAULT_METHOD = "leaf-influence";

    /** What traces and proofs of a language model and of trees have in common. */
    private static final Set<String> SHARED = Set.of(
            "--model",
            "--data",
            "--query",
            "--method",
            "--top",
            "--json",
            "--html",
            "--debug",
            "--help",
            "--version",
            "--remove",
            "--rows",
            "--seeds",
            "--params");

    private final CommandSpec command;
    private final TraceOptions trace;
    private final TreeOptions trees;

    TreeTrace(CommandSpec command, TraceOptions trace, TreeOptions trees) {
        this.command = command;
        this.trace = trace;
        this.trees = trees;
    }

    /** Refuses options of models of trees, for a model that is none. */
    static void refuse(CommandSpec command, String what) {
        TreeOptions.NAMES.stream()
                .filter(name -> given(command, name))
                .findFirst()
                .ifPresent(name -> {
                    throw new UserInputException(
                            name + " is an option for models of trees (XGBoost, LightGBM, CatBoost, forests), but "
                                    + what + "; leave it out");
                });
    }

    private static boolean given(CommandSpec command, String name) {
        return command.commandLine().getParseResult().hasMatchedOption(name);
    }

    /** Options that play no part in a trace of trees. */
    private List<String> foreign() {
        return command.options().stream()
                .map(OptionSpec::longestName)
                .filter(name -> !SHARED.contains(name) && !TreeOptions.NAMES.contains(name))
                .toList();
    }

    /** Refuses options of language models, and begins. */
    Session begin(Path file) {
        foreign().stream().filter(name -> given(command, name)).findFirst().ifPresent(name -> {
            throw new UserInputException(
                    name + " is an option for language models, but " + file + " is a model of trees; leave it out");
        });
        if (!given(command, "--method")) {
            trace.method = DEFAULT_METHOD;
        }
        return Session.withoutEngine(command).leavingOut(foreign());
    }

    /** Model and rows, open. */
    record Opened(
            TreeEnsemble model,
            Table rows,
            Table asked,
            @Nullable List<String> classes) implements AutoCloseable {
        @Override
        public void close() {
            rows.close();
            asked.close();
        }
    }

    Opened open(Path file) {
        Table.Layout layout = trees.layout();
        Path data = required(trace.data, "--data", "the rows that the model was trained on");
        Path query = required(trace.query, "--query", "the rows whose predictions are traced");
        TreeEnsemble model = ModelFile.open(file).limited(trees.rounds());
        Table rows = Table.open(data, model, layout, Table.Role.TRAINING);
        boolean opened = false;
        try {
            Opened all = new Opened(model, rows, Table.open(query, model, layout, Table.Role.QUERY), classes(model));
            opened = true;
            return all;
        } finally {
            if (!opened) {
                rows.close();
            }
        }
    }

    TreeTracer tracer(TreeEnsemble model, int top) {
        return new TreeTracer(model, new TreeTracer.Options(trace.method, top, trees.replay()));
    }

    Attribution run(Path file, int top, Console console) {
        Session session = begin(file);
        Groups groups = trees.groups();
        try (Opened opened = open(file)) {
            TreeTracer tracer = tracer(opened.model(), top);
            TreeTracer.Found found = groups == null
                    ? tracer.trace(opened.rows(), opened.asked(), opened.classes(), console)
                    : tracer.contrast(opened.rows(), opened.asked(), groups, opened.classes(), console);
            return new Attribution(
                    found.method(),
                    found.scale(),
                    found.model(),
                    found.approximate(),
                    found.queries(),
                    null,
                    session.provenance(digest(file), null, opened.rows().rows().digest(), null, 0));
        }
    }

    private static Path required(@Nullable Path path, String option, String what) {
        if (path == null) {
            throw new UserInputException(option + " FILE is missing: a .csv with " + what);
        }
        return path;
    }

    /** What labels are called: as the user says, as the model says, else their numbers. */
    private @Nullable List<String> classes(TreeEnsemble model) {
        List<String> given = trees.classes() != null ? trees.classes() : model.classes();
        if (given != null || model.labelClasses() == 0) {
            return given;
        }
        List<String> numbers = new ArrayList<>();
        IntStream.range(0, model.labelClasses()).mapToObj(String::valueOf).forEach(numbers::add);
        return Collections.unmodifiableList(numbers);
    }

    static String digest(Path file) {
        try {
            return Digests.ofFile(file);
        } catch (IOException e) {
            throw new UserInputException(file + " cannot be read: " + e, e);
        }
    }
}
