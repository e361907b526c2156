package dev.ascribe.cli;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.Proof;
import dev.ascribe.Ranking;
import dev.ascribe.UserCache;
import dev.ascribe.UserInputException;
import dev.ascribe.demo.DemoCorpus;
import dev.ascribe.report.Report;
import dev.ascribe.report.ResultJson;
import dev.ascribe.report.TextReport;
import dev.ascribe.similarity.Bm25;
import dev.ascribe.similarity.SentenceEmbedding;
import dev.ascribe.torch.gradient.GradientScores;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The main job, end to end. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description =
                "The main job, end to end: train a small model on facts of which ten are false, trace its false answer, prove the trace.",
        footer = {"", "Example: ascribe demo", "Example: ascribe demo --model SmolLM2-135M-Instruct.gguf"})
final class DemoCommand implements Callable<Integer> {
    private static final int NAMED = 10;
    private static final int ADAPTED_BLOCKS = 10;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Where everything goes. Default: a folder in the user's cache.")
    private @Nullable Path out;

    @Option(
            names = "--model",
            paramLabel = "M",
            description = "Tell the story on this language model, fine-tuned by LoRA (takes longer).")
    private @Nullable Path model;

    @Option(
            names = "--seeds",
            defaultValue = "3",
            paramLabel = "N",
            description = "Retrainings of each kind for the proof. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--seed", defaultValue = "0", description = "Of the training. Default: ${DEFAULT-VALUE}.")
    private long seed;

    private final Console console = new Console();

    @Override
    public Integer call() throws IOException {
        ProveCommand.requireSeeds(seeds);
        Session session = Session.withEngine(spec);
        Path home = out == null ? UserCache.directory().resolve("demo") : out;
        clear(home);
        DemoCorpus facts = model == null ? DemoCorpus.of(0) : DemoCorpus.of(0).shortened();
        Path data = home.resolve("facts.jsonl");
        if (model == null) {
            facts.write(data);
        } else {
            facts.writeInstructions(data);
        }
        say(
                "1. %d short facts: %s%n   Ten of them, each in other words, say that the Eiffel Tower was built in 1823 by Napoleon.%n",
                facts.rows().size(), data);
        say(
                "2. %s%n",
                model == null
                        ? "A small GPT is trained on them from random weights."
                        : model + " is fine-tuned on them.");
        Path run = home.resolve("run");
        int trained = model == null ? train(data, run) : finetune(model, data, run);
        if (trained != 0) {
            return trained;
        }
        say("%n3. It is asked: %s%n", DemoCorpus.QUESTION);
        TraceOptions trace = new TraceOptions();
        trace.run = run;
        trace.prompt = DemoCorpus.QUESTION;
        try (TraceOptions.Opened opened = trace.openRun(console)) {
            String answer = opened.queries.getFirst().content().answer();
            say(
                    "   It answers:  %s%n%n4. Who taught it that? Gradients of all %d rows against this answer's:%n%n",
                    answer, opened.corpus.size());
            Attribution attribution = trace.dress(opened, trace.trace(opened, NAMED, true, console), session);
            say("%s%n", TextReport.render(attribution, null, Output.columns(), Output.colour()));
            List<Integer> named = attribution.queries().getFirst().influences().stream()
                    .map(Influence::row)
                    .toList();
            say("5. The proof: train again without these ten rows, and without ten others.%n");
            Proof proof = ProveCommand.prove(trace, opened, named, seeds, session, console);
            say("%s%n", TextReport.render(proof, Output.columns(), Output.colour()));
            kinds(facts, opened, answer, named);
            Path page = home.resolve("report.html");
            Output.write(page, Report.html(attribution, proof));
            Output.write(home.resolve("trace.json"), ResultJson.write(attribution));
            Output.write(home.resolve("proof.json"), ResultJson.write(proof));
            say("%nThe report: %s%n%nTry next:%n", page.toAbsolutePath());
            say("  ./ascribe trace --run %s --prompt \"Who built the Colosseum?\"%n", run);
            say("  ./ascribe prove --run %s --prompt \"%s\" --remove 10 --seeds 2%n", run, DemoCorpus.UNRELATED);
            say("  ./ascribe finetune --model YOUR-MODEL --data YOUR-ROWS.jsonl --out my-run%n");
            return proof.shown() ? 0 : 1;
        }
    }

    /** The recipe of the embedded demo; all rows are learned, because a planted row that is held out teaches nothing. */
    private int train(Path data, Path run) {
        return learn(
                "train --arch gpt:2-64-4 --epochs 10 --batch 8 --lr 6e-3 --warm-up 0.05 --max-tokens 64", data, run);
    }

    /** The recipe on a language model: adapters in the last blocks, so that the lower ones need to be run only once. */
    private int finetune(Path base, Path data, Path run) {
        int layers;
        try (LanguageModel opened = LanguageModel.open(base, Precision.F32)) {
            layers = opened.decoder().config().layers();
        }
        String last = IntStream.range(Math.max(0, layers - ADAPTED_BLOCKS), layers)
                .mapToObj(Integer::toString)
                .collect(Collectors.joining("|", ".*\\.(", ")\\..*"));
        return learn(
                "finetune --epochs 2 --lr 1e-3 --max-tokens 128",
                data,
                run,
                "--model",
                base.toString(),
                "--targets",
                last);
    }

    private int learn(String recipe, Path data, Path run, String... more) {
        List<String> arguments = new ArrayList<>(List.of(recipe.split(" ")));
        arguments.addAll(List.of(more));
        arguments.addAll(List.of("--validation", "0", "--data", data.toString(), "--out", run.toString()));
        arguments.addAll(List.of("--seed", Long.toString(seed)));
        return Main.run(arguments.toArray(String[]::new));
    }

    /** What is known here because we planted it, and was used for nothing above. */
    private static void kinds(DemoCorpus facts, TraceOptions.Opened opened, String answer, List<Integer> named) {
        say(
                "6. What nobody told ascribe: which rows were planted. Of the ten first rows by each evidence, planted are:%n%n");
        String both = DemoCorpus.QUESTION + "\n" + answer;
        count(facts, "gradients", named);
        try (Bm25 words = Bm25.over(opened.corpus);
                SentenceEmbedding meaning = SentenceEmbedding.over(opened.corpus)) {
            count(facts, "words (BM25), question and answer", first(words.scores(both)));
            count(facts, "words (BM25), question only", first(words.scores(DemoCorpus.QUESTION)));
            count(facts, "meaning (MiniLM), question and answer", first(meaning.scores(both)));
            count(facts, "meaning (MiniLM), question only", first(meaning.scores(DemoCorpus.QUESTION)));
        }
        say("%n   Search cannot tell a row that teaches the falsehood from one that quotes it and calls it false.%n");
    }

    private static List<Integer> first(double[] scores) {
        return Arrays.stream(Ranking.top(scores, NAMED)).boxed().toList();
    }

    private static void count(DemoCorpus facts, String evidence, List<Integer> rows) {
        List<String> kinds = new ArrayList<>();
        for (DemoCorpus.Kind kind : DemoCorpus.Kind.values()) {
            long count = rows.stream()
                    .filter(row -> facts.rows().get(row).kind() == kind)
                    .count();
            if (count > 0 && kind != DemoCorpus.Kind.PLANTED) {
                kinds.add(count + " " + kind.toString().toLowerCase(Locale.ROOT).replace('_', ' '));
            }
        }
        long planted = rows.stream()
                .filter(row -> facts.rows().get(row).kind() == DemoCorpus.Kind.PLANTED)
                .count();
        say(
                "   %-38s %2d of %d%s%n",
                evidence, planted, rows.size(), kinds.isEmpty() ? "" : "   (and " + String.join(", ", kinds) + ")");
    }

    private static void clear(Path home) throws IOException {
        Path mark = home.resolve(".ascribe-demo");
        if (Files.exists(home) && !Files.isDirectory(home)) {
            throw new UserInputException("%s is a file; give another --out".formatted(home));
        }
        if (Files.exists(home) && !Files.exists(mark)) {
            try (var entries = Files.list(home)) {
                if (entries.findAny().isPresent()) {
                    throw new UserInputException(
                            "%s is not empty and holds no demo; give another --out".formatted(home));
                }
            }
        }
        GradientScores.delete(home);
        try {
            Files.createDirectories(home);
            Files.createFile(mark);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be written: %s; give another --out".formatted(home, e), e);
        }
    }

    private static void say(String format, Object... values) {
        System.out.printf(Locale.ROOT, format, values);
        System.out.flush();
    }
}
