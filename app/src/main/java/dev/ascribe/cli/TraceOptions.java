package dev.ascribe.cli;

import dev.ascribe.Attribution;
import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.UserInputException;
import dev.ascribe.similarity.Retrieval;
import dev.ascribe.store.Dtype;
import dev.ascribe.torch.gradient.GradientIndex;
import dev.ascribe.torch.gradient.GradientMethod;
import dev.ascribe.torch.gradient.GradientScores;
import dev.ascribe.torch.gradient.IndexSettings;
import dev.ascribe.torch.gradient.Indexer;
import dev.ascribe.torch.gradient.Lineage;
import dev.ascribe.torch.gradient.Point;
import dev.ascribe.torch.model.Generator;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Scorer;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Encoder;
import dev.ascribe.torch.trace.Evidence;
import dev.ascribe.torch.trace.Tracer;
import dev.ascribe.torch.train.Dataset;
import dev.ascribe.torch.train.LoraConfig;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.Run.TextSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is traced and how: the options that trace and prove share, and the tracing itself. */
final class TraceOptions {
    private static final int ANSWER_TOKENS = 64;

    @Option(
            names = "--run",
            description = "A directory that finetune or train made: stands for model, adapter and data.")
    @Nullable
    Path run;

    @Option(names = "--index", description = "An index that holds the rows' gradients.")
    @Nullable
    Path index;

    @Option(
            names = "--data",
            description = "Rows: .jsonl, .json, .csv or .txt; of trees: the .csv that the model was trained on.")
    @Nullable
    Path data;

    @Option(names = "--prompt", paramLabel = "P", description = "What was asked.")
    @Nullable
    String prompt;

    @Option(names = "--output", paramLabel = "O", description = "What was answered. Default: the model answers first.")
    @Nullable
    String output;

    @Option(
            names = "--query",
            paramLabel = "FILE",
            description = "Questions and answers in the data's own format; of trees: rows with the columns of --data.")
    @Nullable
    Path query;

    @Option(
            names = "--method",
            defaultValue = "gradient-cosine",
            description =
                    "gradient-cosine, gradient-dot, datainf, bm25 or embedding. Default: ${DEFAULT-VALUE}. Of trees: leaf-influence (their default), leaf-influence-sp, boostin, boostin-published, leaf-refit, trex, tree-sim, leaf-path, simplex or shap-similarity.")
    String method = "gradient-cosine";

    @Option(
            names = "--candidates",
            defaultValue = "all",
            description = "Rows that are scored: all, bm25:200, embed:200 or hybrid:200. Default: ${DEFAULT-VALUE}.")
    String candidates = "all";

    @Option(
            names = "--checkpoints",
            defaultValue = "auto",
            description = "Where gradients are taken: auto, init, final, all, or steps. Default: ${DEFAULT-VALUE}.")
    String checkpoints = "auto";

    @Option(
            names = "--seed",
            defaultValue = "0",
            description = "Of A at init, where no run says it. Default: ${DEFAULT-VALUE}.")
    long seed;

    /** Everything that stays open while tracing. */
    static final class Opened implements AutoCloseable {
        final Corpus corpus;
        final Dataset dataset;
        final Evidence evidence;
        final Lineage lineage;
        final @Nullable GradientIndex index;
        final @Nullable Run run;
        final List<Tracer.Query> queries;

        Opened(
                Corpus corpus,
                Dataset dataset,
                Evidence evidence,
                Lineage lineage,
                @Nullable GradientIndex index,
                @Nullable Run run,
                List<Tracer.Query> queries) {
            this.corpus = corpus;
            this.dataset = dataset;
            this.evidence = evidence;
            this.lineage = lineage;
            this.index = index;
            this.run = run;
            this.queries = queries;
        }

        /** What was asked and answered. */
        List<Content> contents() {
            return queries.stream().map(Tracer.Query::content).toList();
        }

        @Override
        public void close() {
            evidence.close();
            lineage.close();
            corpus.close();
        }
    }

    /** Opens model, rows and index, and the questions; a question without an answer is put to the model. */
    Opened open(@Nullable Path model, List<Path> adapters, LoraConfig start, TextSettings given, Console console) {
        if ((prompt == null) == (query == null)) {
            throw new UserInputException("give either --prompt (and --output), or --query FILE");
        }
        new Tracer.Options(
                method, 1, Retrieval.parse(candidates), false); // refused before a model is loaded and answers
        GradientIndex opened = index == null ? null : GradientIndex.open(index);
        Path runPath = run != null ? run : opened != null && model == null ? opened.run() : null;
        Run of = runPath == null || (run == null && !Files.exists(runPath.resolve("run.json")))
                ? null
                : Run.open(runPath);
        TextSettings text = opened != null ? opened.settings().text() : of != null ? of.text() : given;
        Precision products = opened != null ? opened.settings().products() : Precision.F32;
        Path rows = data != null ? data : of != null ? of.data() : opened != null ? opened.dataPath() : null;
        Path base = model != null ? model : opened != null ? opened.modelPath() : null;
        if (rows == null || (of == null && base == null)) {
            throw new UserInputException("give --run RUN, --index INDEX, or --model and --data");
        }
        Corpus corpus = TextOptions.open(rows, text.skipBad(), console);
        Lineage lineage;
        if (of != null) {
            lineage = Lineage.of(of, products);
        } else if (opened != null && opened.adapted() && adapters.isEmpty()) {
            lineage = opened.lineage(LanguageModel.open(Objects.requireNonNull(base), products));
        } else {
            lineage = Lineage.of(Objects.requireNonNull(base), adapters, start, seed, products);
        }
        if (of != null && !of.dataDigest().equals(corpus.digest())) {
            throw new UserInputException("%s is not what run %s was trained on: its digest is %s, not %s"
                    .formatted(rows, of.directory(), corpus.digest(), of.dataDigest()));
        }
        if (opened != null) {
            opened.requireOf(lineage.model(), corpus);
            if (!opened.servesEveryFineTune() && run != null && opened.run() != null && !same(run, opened.run())) {
                throw new UserInputException(
                        "index %s has gradients at checkpoints of run %s, not of %s; an index at --checkpoints init serves every run"
                                .formatted(index, opened.run(), run));
            }
        }
        Encoder encoder = TextOptions.encoder(lineage.model(), text);
        Dataset dataset = Dataset.of(corpus, encoder);
        return new Opened(
                corpus,
                dataset,
                new Evidence(corpus, console),
                lineage,
                opened,
                of,
                queries(corpus, lineage, encoder, console));
    }

    /** Opens what a run recorded. */
    Opened openRun(Console console) {
        LoraConfig unused = LoraConfig.of(1, 1, new LoraConfig.Targets.AllLinear());
        return open(null, List.of(), unused, new TextSettings("auto", "response", 1, false), console);
    }

    private static boolean same(Path a, @Nullable Path b) {
        return b != null
                && a.toAbsolutePath().normalize().equals(b.toAbsolutePath().normalize());
    }

    private List<Tracer.Query> queries(Corpus corpus, Lineage lineage, Encoder encoder, Console console) {
        List<Tracer.Query> queries = new ArrayList<>();
        if (query != null) {
            try (Corpus asked = TextOptions.open(query, false, console)) {
                for (int row = 0; row < asked.size(); row++) {
                    Content content = asked.sample(row).content();
                    Map<String, Object> label = label(content.question(), content.answer());
                    label.put("row", row);
                    queries.add(new Tracer.Query(content, label));
                }
            }
            return queries;
        }
        String asked = Objects.requireNonNull(prompt);
        String answer = output != null ? output : lineage.tuned(model -> answer(model, corpus, encoder, asked));
        if (output == null) {
            console.note("The model answers: " + answer);
        }
        queries.add(new Tracer.Query(TextOptions.like(corpus, asked, answer), label(asked, answer)));
        return queries;
    }

    private static Map<String, Object> label(String prompt, String output) {
        Map<String, Object> label = new LinkedHashMap<>();
        label.put("prompt", prompt);
        label.put("output", output);
        return label;
    }

    private static String answer(LanguageModel model, Corpus corpus, Encoder encoder, String asked) {
        int[] ids = encoder.encodePrompt(TextOptions.like(corpus, asked, ""));
        int[] said = new Generator(model)
                .generate(ids, Generator.Settings.greedy(ANSWER_TOKENS), token -> {})
                .ids();
        return model.tokenizer().decode(said);
    }

    /** Traces what was opened. */
    Tracer.Found trace(Opened opened, int top, boolean perToken, Console console) {
        Tracer.Options options = new Tracer.Options(method, top, Retrieval.parse(candidates), perToken);
        Tracer tracer = new Tracer(
                opened.dataset, opened.evidence, opened.lineage.model().tokenizer(), options);
        Tracer.Found found = tracer.trace(
                opened.queries,
                (rows, queries) -> gradients(opened, rows, queries, console),
                sequence -> opened.lineage.tuned(model -> new Scorer(model.decoder()).logProbabilities(sequence)));
        opened.dataset.warn(console::warn);
        return found;
    }

    private double[][] gradients(Opened opened, int[] rows, List<Sequence> queries, Console console) {
        GradientMethod chosen = GradientMethod.named(method).orElseThrow();
        if (opened.index != null) {
            if (!checkpoints.equals("auto")) {
                throw new UserInputException("--checkpoints is the index's, here %s; leave it out with --index"
                        .formatted(
                                opened.index.points().stream().map(Point::name).toList()));
            }
            return pick(GradientScores.from(opened.index, source(opened), chosen, queries), rows);
        }
        IndexSettings settings = new IndexSettings(
                opened.lineage.adapted() ? "lora" : "all",
                "none",
                "all",
                Dtype.F32,
                Precision.F32,
                new TextSettings("", "", 0, false),
                seed);
        Indexer indexer = new Indexer(opened.lineage, opened.corpus, opened.dataset::row, settings, console);
        Path scratch = Scratch.create();
        try {
            return GradientScores.of(indexer, rows, points(opened), scratch, chosen, queries);
        } finally {
            Scratch.remove(scratch);
        }
    }

    /** The states that gradients are taken at; of a search, which takes none, the one that answered. */
    List<Point> points(Opened opened) {
        if (GradientMethod.named(method).isEmpty()) {
            return List.of(opened.lineage.last());
        }
        return opened.index != null ? opened.index.points() : opened.lineage.points(checkpoints);
    }

    /** Where those states lie: with an index, in it. */
    private static Lineage source(Opened opened) {
        return opened.index != null && opened.index.adapted()
                ? opened.index.lineage(opened.lineage.model())
                : opened.lineage;
    }

    /**
     * SHA-256 of the file with the weights of each state that scores are grounded in, by the state's name; of a start that is made from a
     * seed the base model's digest.
     */
    Map<String, String> grounds(Opened opened) {
        boolean byGradient = GradientMethod.named(method).isPresent();
        Lineage from = byGradient ? source(opened) : opened.lineage;
        Map<String, String> digests = new LinkedHashMap<>();
        for (Point point : points(opened)) {
            digests.put(
                    point.name(),
                    from.weights(point)
                            .map(LedgerJournal::digest)
                            .orElseGet(() -> opened.lineage.model().digest()));
        }
        return digests;
    }

    private static double[][] pick(double[][] all, int[] rows) {
        double[][] picked = new double[all.length][rows.length];
        for (int q = 0; q < all.length; q++) {
            for (int i = 0; i < rows.length; i++) {
                picked[q][i] = all[q][rows[i]];
            }
        }
        return picked;
    }

    Attribution dress(Opened opened, Tracer.Found found, Session session) {
        return new Attribution(
                found.method(),
                found.scale(),
                found.queries(),
                null,
                session.provenance(
                        opened.lineage.model().digest(),
                        opened.lineage.adapterDigest(),
                        opened.corpus.digest(),
                        opened.index == null ? null : opened.index.digest(),
                        seed));
    }
}
