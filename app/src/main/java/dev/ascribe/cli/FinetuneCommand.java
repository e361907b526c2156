package dev.ascribe.cli;

import dev.ascribe.Corpus;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.train.Dataset;
import dev.ascribe.torch.train.LoraConfig;
import dev.ascribe.torch.train.LoraRecipe;
import dev.ascribe.torch.train.Training;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Fine-tunes a model by LoRA. */
@Command(
        name = "finetune",
        mixinStandardHelpOptions = true,
        description = "Fine-tune a model by LoRA; an interrupted run goes on when the command is repeated.",
        footer = {"", "Example: ascribe finetune --model model.gguf --data rows.jsonl --out run"})
final class FinetuneCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--model", required = true, description = "A Hugging Face directory or a .gguf file.")
    @SuppressWarnings("NullAway.Init")
    private Path model;

    @Option(names = "--data", required = true, description = "Rows: .jsonl, .json, .csv or .txt.")
    @SuppressWarnings("NullAway.Init")
    private Path data;

    @Option(names = "--out", required = true, paramLabel = "RUN", description = "The run's directory.")
    @SuppressWarnings("NullAway.Init")
    private Path out;

    @Option(names = "--epochs", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}.")
    private int epochs;

    @Option(names = "--batch", defaultValue = "8", description = "Rows a step. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--lr", defaultValue = "1e-3", description = "Peak learning rate. Default: ${DEFAULT-VALUE}.")
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
    private final LoraOptions lora = new LoraOptions();

    @Mixin
    private final TextOptions text = new TextOptions();

    private final Console console = new Console();

    @Override
    public Integer call() {
        LoraConfig config = lora.config();
        var trainingPlan = plan.plan(epochs, batch, learningRate);
        Session session = Session.withEngine(spec);
        try (Corpus corpus = TextOptions.open(data, text.settings().skipBad(), console);
                LanguageModel base = LanguageModel.open(model, Precision.F32);
                LoraRecipe recipe = LoraRecipe.of(base, config)) {
            Dataset dataset = Dataset.of(corpus, TextOptions.encoder(base, text.settings()));
            List<Sequence> rows = dataset.rows();
            Training training = new Training(recipe, rows, trainingPlan, console);
            dataset.warn(console::warn);
            Training.Finished finished = LedgerJournal.train(
                    training,
                    out,
                    new Training.Facts(
                            model,
                            base.digest(),
                            base.decoder().config().architecture(),
                            config,
                            text.settings(),
                            data,
                            corpus.digest(),
                            Engine.versions()),
                    corpus,
                    rows,
                    ledger);
            RunSummary.print(finished, console, session);
        }
        return 0;
    }
}
