package dev.ascribe.cli;

import dev.ascribe.Corpus;
import dev.ascribe.Sample;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Tokenizer;
import dev.ascribe.torch.train.Dataset;
import dev.ascribe.torch.train.ScratchRecipe;
import dev.ascribe.torch.train.Training;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a network of our own from random weights. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        description = "Train a small GPT from random weights on text rows.",
        footer = {"", "Example: ascribe train --data facts.jsonl --arch gpt:2-64-4 --out run"})
final class TrainCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--data", required = true, description = "Rows: .jsonl, .json, .csv or .txt.")
    @SuppressWarnings("NullAway.Init")
    private Path data;

    @Option(names = "--arch", required = true, description = "gpt:layers-width-heads, such as gpt:2-64-4.")
    @SuppressWarnings("NullAway.Init")
    private String architecture;

    @Option(names = "--out", required = true, paramLabel = "RUN", description = "The run's directory.")
    @SuppressWarnings("NullAway.Init")
    private Path out;

    @Option(
            names = "--tokenizer",
            defaultValue = "words",
            description = "words (and punctuation marks) or characters. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    private String tokens;

    @Option(names = "--epochs", defaultValue = "10", description = "Default: ${DEFAULT-VALUE}.")
    private int epochs;

    @Option(names = "--batch", defaultValue = "8", description = "Rows a step. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--lr", defaultValue = "6e-3", description = "Peak learning rate. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--ledger",
            paramLabel = "DIR",
            description =
                    "Also record the run in this ledger: rows, batches, checkpoints. An interrupted run must go on with it.")
    private @Nullable Path ledger;

    @Mixin
    private final PlanOptions plan = new PlanOptions();

    @Mixin
    private final TextOptions text = new TextOptions();

    private final Console console = new Console();

    @Override
    public Integer call() {
        var trainingPlan = plan.plan(epochs, batch, learningRate);
        Session session = Session.withEngine(spec);
        try (Corpus corpus = TextOptions.open(data, text.settings().skipBad(), console);
                Tokenizer tokenizer = tokenizer(corpus, tokens);
                ScratchRecipe recipe = ScratchRecipe.of(
                        architecture, tokenizer, text.settings().maxTokens())) {
            Dataset dataset = Dataset.of(
                    corpus,
                    TextOptions.encoder(
                            tokenizer, text.settings(), text.settings().maxTokens()));
            List<Sequence> rows = dataset.rows();
            Training training = new Training(recipe, rows, trainingPlan, console);
            dataset.warn(console::warn);
            Training.Finished finished = LedgerJournal.train(
                    training,
                    out,
                    new Training.Facts(
                            out, "none", architecture, null, text.settings(), data, corpus.digest(), Engine.versions()),
                    corpus,
                    rows,
                    ledger);
            RunSummary.print(finished, console, session);
        }
        return 0;
    }

    private static Tokenizer tokenizer(Corpus corpus, String kind) {
        List<String> texts = corpus.samples().stream()
                .map(Sample::content)
                .flatMap(content -> Stream.of(content.question(), content.answer()))
                .toList();
        return switch (kind) {
            case "words" -> Tokenizer.wordLevel(texts);
            case "characters" -> Tokenizer.characters(texts);
            default ->
                throw new UserInputException("--tokenizer '%s' is not known; use words or characters".formatted(kind));
        };
    }
}
