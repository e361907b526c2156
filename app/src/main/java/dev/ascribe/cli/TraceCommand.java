package dev.ascribe.cli;

import dev.ascribe.UserInputException;
import dev.ascribe.torch.train.LoraConfig;
import dev.ascribe.tree.ModelFile;
import java.nio.file.Path;
import java.util.List;
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
        Session session = Session.withEngine(spec).leavingOut(TreeOptions.NAMES);
        Path decides = trace.index != null ? trace.index : trace.run;
        if (decides != null) {
            console.warnIgnored(spec, decides, TextOptions.NAMES);
        }
        if (trace.run != null) {
            console.warnIgnored(spec, trace.run, "--model", "--adapter");
            console.warnIgnored(spec, trace.run, LoraOptions.NAMES);
        }
        try (TraceOptions.Opened opened = trace.open(model, adapters, start, text.settings(), console)) {
            output.show(trace.dress(opened, trace.trace(opened, count, perToken, console), session), console);
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
