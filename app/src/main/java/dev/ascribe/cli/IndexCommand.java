package dev.ascribe.cli;

import dev.ascribe.Corpus;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UserInputException;
import dev.ascribe.store.Dtype;
import dev.ascribe.store.FeatureStore;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.gradient.GradientIndex;
import dev.ascribe.torch.gradient.IndexSettings;
import dev.ascribe.torch.gradient.Indexer;
import dev.ascribe.torch.gradient.Lineage;
import dev.ascribe.torch.gradient.Point;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.train.Dataset;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.Run.TextSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Gradients of all rows, kept. */
@Command(
        name = "index",
        mixinStandardHelpOptions = true,
        description =
                "Take the gradients of all rows and keep them; an interrupted index goes on when the command is repeated.",
        subcommands = {IndexCommand.Verify.class, IndexCommand.Append.class},
        footer = {"", "Example: ascribe index --run run --out run.index"})
final class IndexCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(
            names = "--run",
            description = "A directory that finetune or train made: stands for model, adapter and data.")
    private @Nullable Path run;

    @Option(names = "--model", description = "A Hugging Face directory or a .gguf file.")
    private @Nullable Path model;

    @Option(names = "--adapter", description = "A PEFT LoRA directory; several in training order.")
    private List<Path> adapters = List.of();

    @Option(names = "--data", description = "Rows: .jsonl, .json, .csv or .txt.")
    private @Nullable Path data;

    @Option(names = "--out", paramLabel = "INDEX", description = "The index's directory.")
    private @Nullable Path out;

    @Option(
            names = "--sites",
            description = "lora, all, last, or a regular expression. Default: lora; all for a run of train.")
    private @Nullable String sites;

    @Option(
            names = "--checkpoints",
            defaultValue = "auto",
            description = "Where gradients are taken: auto, init, final, all, or steps. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    private String checkpoints;

    @Option(
            names = "--projection",
            defaultValue = "256",
            description =
                    "Numbers a matrix is sketched to on average; or two sides, such as 16x16, to which longer sides of a"
                            + " gradient are projected; or none. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    private String projection;

    @Option(
            names = "--width",
            defaultValue = "all",
            description = "all, or sketch the whole row to so many columns, whatever its matrices have. Default:"
                    + " ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    private String width;

    @Option(
            names = "--dtype",
            defaultValue = "auto",
            description =
                    "Of the stored numbers: auto, f32, bf16, int8; auto measures the machine. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    private String dtype;

    @Option(
            names = "--seed",
            defaultValue = "0",
            description = "Of projections, and of A at init. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Mixin
    private final LoraOptions lora = new LoraOptions();

    @Mixin
    private final TextOptions text = new TextOptions();

    private final Console console = new Console();

    @Override
    public Integer call() {
        if (out == null) {
            throw new UserInputException("--out INDEX is missing: where shall the index lie?");
        }
        Session.withEngine(spec);
        Run opened = run == null ? null : Run.open(run);
        if (run != null) {
            console.warnIgnored(spec, run, TextOptions.NAMES);
            console.warnIgnored(spec, run, "--model", "--adapter");
            console.warnIgnored(spec, run, LoraOptions.NAMES);
        }
        TextSettings settings = opened == null ? text.settings() : opened.text();
        Precision products = dtype.equals("auto") && Engine.prefersBfloat16() ? Precision.BF16 : Precision.F32;
        Path rows = data != null ? data : opened != null ? opened.data() : null;
        if (rows == null) {
            throw new UserInputException("give --run RUN, or --model and --data");
        }
        try (Corpus corpus = TextOptions.open(rows, settings.skipBad(), console);
                Lineage lineage = lineage(opened, products)) {
            if (opened != null && !opened.dataDigest().equals(corpus.digest())) {
                throw new UserInputException("%s is not what run %s was trained on: its digest is %s, not %s"
                        .formatted(rows, run, corpus.digest(), opened.dataDigest()));
            }
            IndexSettings index = new IndexSettings(
                    sites != null ? sites : lineage.adapted() ? "lora" : "all",
                    projection,
                    width,
                    stored(products),
                    products,
                    settings,
                    seed);
            List<Point> points = lineage.points(checkpoints);
            Dataset dataset = Dataset.of(corpus, TextOptions.encoder(lineage.model(), settings));
            Indexer indexer = new Indexer(lineage, corpus, dataset::row, index, console);
            long started = System.nanoTime();
            GradientIndex built = indexer.build(out, points, rows, run, false);
            dataset.warn(console::warn);
            console.speed(indexer.tokens(), (System.nanoTime() - started) / 1e9);
            describe(out, built);
        }
        return 0;
    }

    private Lineage lineage(@Nullable Run opened, Precision products) {
        if (opened != null) {
            return Lineage.of(opened, products);
        }
        if (model == null) {
            throw new UserInputException("give --run RUN, or --model and --data");
        }
        return Lineage.of(model, adapters, lora.config(), seed, products);
    }

    private Dtype stored(Precision products) {
        return switch (dtype) {
            case "auto" -> products == Precision.BF16 ? Dtype.BF16 : Dtype.F32;
            case "f32" -> Dtype.F32;
            case "bf16" -> Dtype.BF16;
            case "int8" -> Dtype.INT8;
            default ->
                throw new UserInputException("--dtype '%s' is not known; use auto, f32, bf16 or int8".formatted(dtype));
        };
    }

    private static void describe(Path directory, GradientIndex index) {
        for (Point point : index.points()) {
            try (FeatureStore store = index.store(point)) {
                System.out.printf(
                        Locale.ROOT,
                        "%s: %,d rows, %,d features each, %s, at %s%n",
                        directory,
                        store.rows(),
                        store.width(),
                        store.spec().dtype(),
                        point.name());
            }
        }
        if (index.servesEveryFineTune()) {
            System.out.println("It belongs to base model, corpus and seed, and serves every fine-tune of that base.");
        }
    }

    /** Checks every byte of an index. */
    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            description = "Check every byte of an index.",
            footer = {"", "Example: ascribe index verify run.index"})
    static final class Verify implements Callable<Integer> {
        @Parameters(paramLabel = "INDEX")
        @SuppressWarnings("NullAway.Init")
        private Path index;

        @Override
        public Integer call() {
            try {
                long bytes = GradientIndex.verify(index, new Console());
                System.out.printf(Locale.ROOT, "%s: %,d bytes of features are as they were written%n", index, bytes);
                return 0;
            } catch (CorruptDataException e) {
                System.err.println("error: " + e.getMessage());
                return 1;
            }
        }
    }

    /** Adds the rows that a corpus has grown by. */
    @Command(
            name = "append",
            mixinStandardHelpOptions = true,
            description = "Add the rows that the corpus has grown by, at its end.",
            footer = {"", "Example: ascribe index append run.index --data grown.jsonl"})
    static final class Append implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "INDEX")
        @SuppressWarnings("NullAway.Init")
        private Path index;

        @Option(names = "--data", required = true, description = "The grown corpus: the indexed rows first, unchanged.")
        @SuppressWarnings("NullAway.Init")
        private Path data;

        private final Console console = new Console();

        @Override
        public Integer call() {
            Session.withEngine(spec);
            GradientIndex old = GradientIndex.open(index);
            if (!old.adapted()) {
                throw new UserInputException(
                        index + " is of a network trained from scratch; build its index again from the run");
            }
            TextSettings text = old.settings().text();
            try (Corpus corpus = TextOptions.open(data, text.skipBad(), console);
                    LanguageModel base =
                            LanguageModel.open(old.modelPath(), old.settings().products());
                    Lineage lineage = old.lineage(base)) {
                requireSameRows(old, corpus);
                Dataset dataset = Dataset.of(corpus, TextOptions.encoder(base, text));
                Indexer indexer = new Indexer(lineage, corpus, dataset::row, old.settings(), console);
                describe(index, indexer.build(index, old.points(), data, old.run(), true));
                dataset.warn(console::warn);
            }
            return 0;
        }

        private void requireSameRows(GradientIndex old, Corpus corpus) {
            try (FeatureStore store = old.store(old.points().getFirst())) {
                if (corpus.size() < store.rows()) {
                    throw new UserInputException("%s has %d rows, fewer than the %d of index %s"
                            .formatted(data, corpus.size(), store.rows(), index));
                }
                for (int row = 0; row < store.rows(); row++) {
                    if (!store.id(row).equals(corpus.id(row))) {
                        throw new UserInputException(
                                "%s, row %d is not the row that index %s has there; only rows at the end may be new"
                                        .formatted(data, row, index));
                    }
                }
            }
        }
    }
}
