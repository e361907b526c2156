package dev.ascribe.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.model.Generator;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.text.PieceDecoder;
import dev.ascribe.torch.train.Adapter;
import dev.ascribe.torch.train.Run.TextSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lets a model write on from a prompt. */
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        description = "Let a model write on from a prompt.",
        footer = {
            "",
            "Example: ascribe generate --model model.gguf --prompt \"Who built the Eiffel Tower?\" --template auto"
        })
final class GenerateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--model", required = true, description = "A Hugging Face directory or a .gguf file.")
    @SuppressWarnings("NullAway.Init")
    private Path model;

    @Option(names = "--adapter", description = "A PEFT LoRA directory.")
    private @Nullable Path adapter;

    @Option(names = "--prompt", required = true, description = "What to write on from.")
    @SuppressWarnings("NullAway.Init")
    private String prompt;

    @Option(
            names = "--template",
            paramLabel = "T",
            description =
                    "Wrap the prompt as an instruction: auto, alpaca, chat, none or a Jinja file. Default: the prompt as it is.")
    private @Nullable String template;

    @Option(names = "--max-tokens", defaultValue = "64", description = "New tokens at most. Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Option(
            names = "--temperature",
            defaultValue = "0",
            description = "0 = the likeliest token. Default: ${DEFAULT-VALUE}.")
    private double temperature;

    @Option(
            names = "--top-p",
            defaultValue = "1",
            description = "Only the likeliest tokens of this total probability. Default: ${DEFAULT-VALUE}.")
    private double topP;

    @Option(names = "--seed", defaultValue = "0", description = "Seed of the chance. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Generator.Settings settings = new Generator.Settings(maxTokens, temperature, topP, seed);
        Session session = Session.withEngine(spec);
        try (LanguageModel opened = LanguageModel.open(model, Precision.F32)) {
            String adapterDigest = null;
            if (adapter != null) {
                Adapter loaded = Adapter.load(adapter, opened.decoder());
                loaded.merge();
                adapterDigest = loaded.digest();
            }
            int[] ids = template == null
                    ? opened.tokenizer().encode(prompt, true)
                    : TextOptions.encoder(
                                    opened.tokenizer(),
                                    new TextSettings(template, "response", Integer.MAX_VALUE, false),
                                    Integer.MAX_VALUE)
                            .encodePrompt(prompt);
            if (ids.length == 0) {
                throw new UserInputException(
                        "the prompt '%s' has no tokens; give --prompt some text".formatted(prompt));
            }
            PieceDecoder pieces = opened.tokenizer().pieceDecoder();
            Generator.Result result = new Generator(opened).generate(ids, settings, token -> {
                if (!json) {
                    System.out.print(pieces.next(token));
                    System.out.flush();
                }
            });
            if (json) {
                Map<String, Object> document = new LinkedHashMap<>();
                document.put("schema", "ascribe/generate/1");
                document.put("prompt", prompt);
                document.put("text", opened.tokenizer().decode(result.ids()));
                document.put("tokens", result.tokens());
                document.put("stop", result.stop());
                document.put("provenance", session.provenance(opened.digest(), adapterDigest, null, null, seed));
                System.out.println(new ObjectMapper().writeValueAsString(document));
            } else {
                System.out.println(pieces.rest());
            }
        }
        return 0;
    }
}
