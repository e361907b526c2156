package dev.ascribe.cli;

import dev.ascribe.Influence;
import dev.ascribe.Proof;
import dev.ascribe.Ranking;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.trace.Removal;
import dev.ascribe.torch.trace.Tracer;
import dev.ascribe.torch.train.LoraConfig;
import dev.ascribe.torch.train.LoraRecipe;
import dev.ascribe.torch.train.Recipe;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.ScratchRecipe;
import dev.ascribe.torch.train.Timing;
import dev.ascribe.tree.ModelFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Removes what trace named, retrains, measures, and compares with random rows. */
@Command(
        name = "prove",
        mixinStandardHelpOptions = true,
        description =
                "Retrain without the named rows and without random ones; exit code 1 when the claim does not hold.",
        footer = {
            "",
            "Example: ascribe prove --run run --prompt \"Who built the Eiffel Tower?\" --remove 10 --seeds 5 --html proof.html",
            "         ascribe prove --model model.json --data train.csv --target price --query row.csv --remove 20"
        })
final class ProveCommand implements Callable<Integer> {
    private static final int MOST_SEEDS = 1000;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private final TraceOptions trace = new TraceOptions();

    @Option(
            names = "--remove",
            defaultValue = "20",
            paramLabel = "N",
            description = "Rows removed: the first that trace names. Default: ${DEFAULT-VALUE}.")
    private int remove;

    @Option(
            names = "--rows",
            split = ",",
            paramLabel = "ROW",
            description = "Rows removed instead of those that trace names.")
    private @Nullable List<Integer> rows;

    @Option(
            names = "--seeds",
            defaultValue = "5",
            paramLabel = "N",
            description = "Retrainings of each kind. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--model", description = "A model of trees, XGBoost or LightGBM; a language model's run is --run.")
    private @Nullable Path model;

    @Option(
            names = "--params",
            split = ",",
            paramLabel = "NAME=VALUE",
            description =
                    "Trees: parameters of training by the library's names, where the model file lacks them, as in max_depth=6,subsample=0.8.")
    private Map<String, String> parameters = Map.of();

    @Mixin
    private final TreeOptions trees = new TreeOptions();

    @Mixin
    private final Output output = new Output();

    private final Console console = new Console();

    @Override
    public Integer call() {
        if (remove < 1) {
            throw new UserInputException("--remove " + remove + " must be at least 1");
        }
        requireSeeds(seeds);
        if (model != null && trace.run == null && ModelFile.recognises(model)) {
            trees.refuseContrast();
            Proof proof = new TreeProve(new TreeTrace(spec, trace, trees), parameters)
                    .run(model, remove, rows, seeds, console);
            output.show(proof, console);
            return proof.shown() ? 0 : 1;
        }
        TreeTrace.refuse(spec, model == null ? "--model names none" : model + " is none");
        if (trace.run == null) {
            throw new UserInputException(
                    "--run RUN is missing: a proof retrains what a run recorded; of a model of trees give --model FILE --data TRAIN.csv --target COL --query ROW.csv");
        }
        if (model != null) {
            console.warnIgnored(spec, trace.run, "--model");
        }
        Session session = Session.withEngine(spec).leavingOut(TreeOptions.NAMES);
        Run run = Run.open(trace.run);
        try (TraceOptions.Opened opened = trace.openRun(console)) {
            if (opened.queries.size() != 1) {
                throw new UserInputException(
                        "a proof is of one answer, but %s has %d".formatted(trace.query, opened.queries.size()));
            }
            Proof proof = prove(trace, opened, named(run, opened), seeds, session, console);
            output.show(proof, console);
            return proof.shown() ? 0 : 1;
        }
    }

    static void requireSeeds(int seeds) {
        if (seeds < 1 || seeds > MOST_SEEDS) {
            throw new UserInputException("--seeds %d must be within 1 and %d".formatted(seeds, MOST_SEEDS));
        }
    }

    private List<Integer> named(Run run, TraceOptions.Opened opened) {
        if (rows != null) {
            for (int row : rows) {
                if (row < 0 || row >= opened.corpus.size()) {
                    throw new UserInputException(
                            "--rows %d: the corpus has rows 0 to %d".formatted(row, opened.corpus.size() - 1));
                }
            }
            return rows;
        }
        Set<Integer> learned = Set.copyOf(run.trainRows());
        List<Integer> ranked =
                trace.trace(opened, Integer.MAX_VALUE, false, console).queries().getFirst().influences().stream()
                        .map(Influence::row)
                        .toList();
        long heldOut = ranked.stream()
                .limit(remove)
                .filter(row -> !learned.contains(row))
                .count();
        if (heldOut > 0) {
            console.note(
                    "%d of the first %d rows were held out for validation and never learned; the next ones are removed instead"
                            .formatted(heldOut, remove));
        }
        return ranked.stream().filter(learned::contains).limit(remove).toList();
    }

    /** Proves that the named rows taught the answer that was opened. */
    static Proof prove(
            TraceOptions trace,
            TraceOptions.Opened opened,
            List<Integer> named,
            int seeds,
            Session session,
            Console console) {
        Run run = Run.open(Objects.requireNonNull(trace.run));
        Tracer.Query query = opened.queries.getFirst();
        LoraConfig lora = run.lora();
        try (Recipe recipe = lora == null
                ? ScratchRecipe.like(opened.lineage.model())
                : LoraRecipe.of(opened.lineage.model(), lora)) {
            Removal removal = new Removal(run, recipe, opened.dataset, console);
            OptionalDouble speed = Timing.tokensPerSecond(run.directory());
            console.note("%d retrainings%s; each result is kept, an interrupted proof goes on"
                    .formatted(
                            seeds * Removal.Arm.values().length,
                            speed.isPresent()
                                    ? ", about " + Console.duration(removal.tokens(seeds) / speed.getAsDouble())
                                    : ""));
            int[] lexical = Ranking.top(opened.evidence.lexical(query.content()), opened.corpus.size());
            return removal.prove(
                    query,
                    named,
                    lexical,
                    seeds,
                    () -> session.provenance(
                            opened.lineage.model().digest(),
                            opened.lineage.adapterDigest(),
                            opened.corpus.digest(),
                            opened.index == null ? null : opened.index.digest(),
                            run.plan().seed()));
        }
    }
}
