package dev.ascribe.cli;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.corpus.Corpora;
import dev.ascribe.corpus.CorpusOptions;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.text.Encoder;
import dev.ascribe.torch.text.Loss;
import dev.ascribe.torch.text.Template;
import dev.ascribe.torch.text.Tokenizer;
import dev.ascribe.torch.train.Run.TextSettings;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** How text rows are read: the same options with the same defaults wherever rows are. */
final class TextOptions {
    /** What these options are called. */
    static final String[] NAMES = {"--template", "--loss", "--max-tokens", "--skip-bad"};

    @Option(
            names = "--template",
            defaultValue = "auto",
            paramLabel = "T",
            description =
                    "How a row becomes a prompt: auto (the model's chat template, else Alpaca's headings), alpaca, chat, none, or a Jinja file. Default: ${DEFAULT-VALUE}.")
    private String template = "auto";

    @Option(
            names = "--loss",
            defaultValue = "response",
            paramLabel = "L",
            description = "Which tokens are learned: response or all. Default: ${DEFAULT-VALUE}.")
    private String loss = "response";

    @Option(
            names = "--max-tokens",
            defaultValue = "512",
            paramLabel = "N",
            description = "Longest sequence; longer ones lose their right end. Default: ${DEFAULT-VALUE}.")
    private int maxTokens = 512;

    @Option(names = "--skip-bad", description = "Skip rows that cannot be read, and count them.")
    private boolean skipBad;

    TextSettings settings() {
        return new TextSettings(template, loss, maxTokens, skipBad);
    }

    /** Opens a corpus; what is odd about it is told. */
    static Corpus open(Path data, boolean skipBad, Console console) {
        return Corpora.open(data, new CorpusOptions(skipBad, console::warn));
    }

    /** How a model reads rows; it sees no more of a row than its own context. */
    static Encoder encoder(LanguageModel model, TextSettings settings) {
        int context = model.decoder().config().context();
        return encoder(model.tokenizer(), settings, Math.min(settings.maxTokens(), context));
    }

    /** How a model that is yet to be made, with this context, reads rows. */
    static Encoder encoder(Tokenizer tokenizer, TextSettings settings, int maxTokens) {
        return Encoder.of(tokenizer, Template.parse(settings.template()), Loss.parse(settings.loss()), maxTokens);
    }

    /** A question and an answer as a row of the corpus would say them. */
    static Content like(Corpus corpus, String prompt, String output) {
        Content first = corpus.sample(0).content();
        return first instanceof Content.Instruction || first instanceof Content.Chat
                ? new Content.Instruction(prompt, "", output)
                : new Content.Completion(prompt, output);
    }
}
