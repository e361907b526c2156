package dev.ascribe.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.Corpus;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Scorer;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.train.Adapter;
import dev.ascribe.torch.train.Dataset;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Loss of each row and log-probability of each token. */
@Command(
        name = "score",
        mixinStandardHelpOptions = true,
        description = "Loss of each row, log-probability of each token.",
        footer = {"", "Example: ascribe score --model model.gguf --data rows.jsonl --json"})
final class ScoreCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--model", required = true, description = "A Hugging Face directory or a .gguf file.")
    @SuppressWarnings("NullAway.Init")
    private Path model;

    @Option(names = "--adapter", description = "A PEFT LoRA directory.")
    private @Nullable Path adapter;

    @Option(names = "--data", required = true, description = "Rows: .jsonl, .json, .csv or .txt.")
    @SuppressWarnings("NullAway.Init")
    private Path data;

    @Mixin
    private final TextOptions text = new TextOptions();

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    private final Console console = new Console();

    @Override
    public Integer call() throws IOException {
        Session session = Session.withEngine(spec);
        try (Corpus corpus = TextOptions.open(data, text.settings().skipBad(), console);
                LanguageModel opened = LanguageModel.open(model, Precision.F32)) {
            String adapterDigest = null;
            if (adapter != null) {
                Adapter loaded = Adapter.load(adapter, opened.decoder());
                loaded.merge();
                adapterDigest = loaded.digest();
            }
            Dataset dataset = Dataset.of(corpus, TextOptions.encoder(opened, text.settings()));
            for (int row = 0; row < corpus.size(); row++) {
                dataset.row(row); // a row that cannot be used is refused before the first word of a result
            }
            Scorer scorer = new Scorer(opened.decoder());
            try (JsonGenerator out = new ObjectMapper()
                    .createGenerator(new BufferedOutputStream(System.out, 1 << 16))
                    .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
                    .disable(JsonGenerator.Feature.AUTO_CLOSE_JSON_CONTENT)) { // half a document shall not look whole
                if (json) {
                    out.writeStartObject();
                    out.writeStringField("schema", "ascribe/score/1");
                    out.writeArrayFieldStart("rows");
                } else {
                    System.out.printf("%8s  %10s  %7s  %s%n", "row", "loss", "targets", "text");
                }
                for (int row = 0; row < corpus.size(); row++) {
                    Sequence sequence = dataset.row(row);
                    double[] logProbabilities = scorer.logProbabilities(sequence);
                    if (json) {
                        write(out, opened, row, corpus, sequence, logProbabilities);
                    } else {
                        String words = corpus.sample(row).content().words().replaceAll("\\s+", " ");
                        System.out.printf(
                                Locale.ROOT,
                                "%8d  %10s  %7d  %s%n",
                                row,
                                sequence.targets() == 0
                                        ? "-"
                                        : String.format(Locale.ROOT, "%.4f", Scorer.loss(sequence, logProbabilities)),
                                sequence.targets(),
                                words.substring(0, Math.min(70, words.length())));
                    }
                    console.at("scoring", row + 1L, corpus.size());
                }
                dataset.warn(console::warn);
                if (json) {
                    out.writeEndArray();
                    out.writeObjectField(
                            "provenance", session.provenance(opened.digest(), adapterDigest, corpus.digest(), null, 0));
                    out.writeEndObject();
                    out.writeRaw('\n');
                }
            }
        }
        return 0;
    }

    private static void write(
            JsonGenerator out,
            LanguageModel model,
            int row,
            Corpus corpus,
            Sequence sequence,
            double[] logProbabilities)
            throws IOException {
        out.writeStartObject();
        out.writeNumberField("row", row);
        out.writeStringField("id", corpus.id(row).toString());
        if (sequence.targets() == 0) {
            out.writeNullField("loss");
        } else {
            out.writeNumberField("loss", Scorer.loss(sequence, logProbabilities));
        }
        out.writeNumberField("targets", sequence.targets());
        out.writeArrayFieldStart("tokens");
        List<String> pieces = model.tokenizer().pieces(sequence.tokens());
        for (int t = 0; t < sequence.length(); t++) {
            out.writeStartObject();
            out.writeNumberField("id", sequence.token(t));
            out.writeStringField("text", pieces.get(t));
            if (t == 0) {
                out.writeNullField("logprob");
            } else {
                out.writeNumberField("logprob", logProbabilities[t]);
            }
            out.writeBooleanField("target", t >= sequence.firstTarget());
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
