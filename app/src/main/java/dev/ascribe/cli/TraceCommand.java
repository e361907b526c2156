package dev.ascribe.cli;

import dev.ascribe.Attribution;
import dev.ascribe.UserInputException;
import dev.ascribe.ledger.Hash;
import dev.ascribe.torch.trace.Tracer;
import dev.ascribe.torch.train.LoraConfig;
import dev.ascribe.torch.train.Recording;
import dev.ascribe.tree.ModelFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Who taught the model this? */
@Command(
        name = "trace",
        mixinStandardHelpOptions = true,
        description = "Name the training rows behind an answer, or behind a prediction of a model of trees.",
        footer = {
            "",
            "Example: ascribe trace --run run --prompt \"Who built the Eiffel Tower?\" --per-token --html trace.html",
            "         ascribe trace --model model.json --data train.csv --target price --query test.csv"
        })
final class TraceCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Mixin
    private final TraceOptions trace = new TraceOptions();

    @Option(
            names = "--model",
            description =
                    "A Hugging Face directory or a .gguf file; or a model of trees: XGBoost .json or .ubj, LightGBM .txt, CatBoost .json, ascribe/forest/1.")
    private @Nullable Path model;

    @Option(names = "--adapter", description = "A PEFT LoRA directory; several in training order.")
    private List<Path> adapters = List.of();

    @Option(
            names = "--top",
            defaultValue = "10",
            description = "Rows named at most, or all. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    private String top;

    @Option(names = "--per-token", description = "Also name the rows behind each token of the answer.")
    private boolean perToken;

    @Option(
            names = "--ledger",
            paramLabel = "DIR",
            description = "Also log what each named row contributed, and show each row's history with its proof.")
    private @Nullable Path ledger;

    @Option(
            names = "--receipt",
            paramLabel = "FILE",
            description = "Also write a signed receipt, which receipt verify recomputes; needs --run.")
    private @Nullable Path receipt;

    @Option(
            names = "--receipt-key",
            paramLabel = "FILE",
            description = "Keys to sign the receipt with, made by ledger keygen. Default: the ledger's own.")
    private @Nullable Path receiptKey;

    @Mixin
    private final TreeOptions trees = new TreeOptions();

    @Mixin
    private final LoraOptions lora = new LoraOptions();

    @Mixin
    private final TextOptions text = new TextOptions();

    @Mixin
    private final Output output = new Output();

    private final Console console = new Console();

    @Override
    public Integer call() {
        int count = count();
        if (receipt == null && receiptKey != null) {
            throw new UserInputException("--receipt-key is of no use without --receipt FILE");
        }
        if (model != null && trace.run == null && trace.index == null && ModelFile.recognises(model)) {
            output.show(new TreeTrace(spec, trace, trees).run(model, count, console), console);
        } else {
            languageModel(count);
        }
        return 0;
    }

    private void languageModel(int count) {
        TreeTrace.refuse(spec, model == null ? "--model names none" : model + " is none");
        LoraConfig start = lora.config();
        ReceiptKeys keys = receipt == null ? null : ReceiptKeys.of(receiptKey, ledger);
        if (receipt != null && trace.run == null) {
            throw new UserInputException(
                    "--receipt needs --run RUN: it is the run that receipt verify recomputes it on");
        }
        Session session = Session.withEngine(spec).leavingOut(TreeOptions.NAMES);
        Path decides = trace.index != null ? trace.index : trace.run;
        if (decides != null) {
            console.warnIgnored(spec, decides, TextOptions.NAMES);
        }
        if (trace.run != null) {
            console.warnIgnored(spec, trace.run, "--model", "--adapter");
            console.warnIgnored(spec, trace.run, LoraOptions.NAMES);
        }
        if (ledger == null) {
            output.show(traced(null, start, count, keys, session), console);
            return;
        }
        try (LedgerTrace record = LedgerTrace.open(ledger)) {
            output.show(traced(record, start, count, keys, session), console);
        }
    }

    private Attribution traced(
            @Nullable LedgerTrace record, LoraConfig start, int count, @Nullable ReceiptKeys keys, Session session) {
        try (TraceOptions.Opened opened = trace.open(model, adapters, start, text.settings(), console)) {
            Recording recording = opened.run == null ? null : opened.run.recording();
            if (record != null) {
                record.requireOf(recording);
            }
            Tracer.Found found = trace.trace(opened, count, perToken, console);
            if (receipt != null && keys != null) {
                keys.write(receipt, ReceiptMaking.of(trace, opened, found, count, perToken));
                console.note("receipt: " + receipt);
            }
            Attribution attribution = trace.dress(opened, found, session);
            return record == null
                    ? attribution
                    : record.record(
                            attribution,
                            opened.contents(),
                            recording,
                            Objects.toString(Path.of(opened.corpus.name()).getFileName()),
                            trace.grounds(opened).values().stream()
                                    .distinct()
                                    .map(Hash::ofDigest)
                                    .toList());
        }
    }

    private int count() {
        if (top.equalsIgnoreCase("all")) {
            return Integer.MAX_VALUE;
        }
        if (!top.matches("[0-9]{1,9}") || Integer.parseInt(top) < 1) {
            throw new UserInputException("--top '" + top + "' must be all or a number of at least 1");
        }
        return Integer.parseInt(top);
    }
}
