package dev.ascribe.torch.train;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Encoder;
import dev.ascribe.torch.text.Example;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** A corpus as token sequences, read when asked for; says what it had to cut. */
public final class Dataset {
    private static final int NAMED = 5;

    /** Of a query, in messages. */
    private static final int NAMED_CHARACTERS = 60;

    private final Corpus corpus;
    private final Encoder encoder;
    private final Set<Integer> cut = new HashSet<>();
    private final Set<Integer> withoutTarget = new HashSet<>();
    private final Set<String> cutQueries = new LinkedHashSet<>();

    private Dataset(Corpus corpus, Encoder encoder) {
        this.corpus = corpus;
        this.encoder = encoder;
    }

    /** The rows of a corpus as an encoder reads them. */
    public static Dataset of(Corpus corpus, Encoder encoder) {
        return new Dataset(corpus, encoder);
    }

    /** The corpus. */
    public Corpus corpus() {
        return corpus;
    }

    /** How its rows become tokens. */
    public Encoder encoder() {
        return encoder;
    }

    /** A row as tokens. */
    public Sequence row(int row) {
        Example example = encoder.encode(corpus.sample(row).content());
        if (example.length() <= 1 && !example.cut()) { // nothing but the end of text
            throw new UserInputException(
                    "%s, row %d: it has no tokens at all; remove it or give it text".formatted(corpus.name(), row));
        }
        if (example.cut()) {
            cut.add(row);
        }
        if (example.targets() == 0) {
            withoutTarget.add(row);
        }
        return sequence(example);
    }

    /** A text outside the corpus as tokens. */
    public Sequence query(Content content) {
        Example example = encoder.encode(content);
        String words = content.words();
        String named = words.length() <= NAMED_CHARACTERS ? words : words.substring(0, NAMED_CHARACTERS) + "…";
        if (example.targets() == 0) {
            throw new UserInputException(
                    "the query '%s' has no token to be predicted within %d tokens; give it an answer, a shorter question, or more --max-tokens"
                            .formatted(named, encoder.maxTokens()));
        }
        if (example.cut()) {
            cutQueries.add(named);
        }
        return sequence(example);
    }

    private static Sequence sequence(Example example) {
        return new Sequence(example.tokens(), Math.max(1, example.firstTarget()));
    }

    /** All rows, in memory. */
    public List<Sequence> rows() {
        List<Sequence> all = new ArrayList<>(corpus.size());
        for (int row = 0; row < corpus.size(); row++) {
            all.add(row(row));
        }
        return all;
    }

    /** Tells what was cut so far. */
    public void warn(Consumer<String> warnings) {
        if (!cut.isEmpty()) {
            warnings.accept(
                    "%d row%s longer than %d tokens (--max-tokens, or what the model sees) and lost the right end: %s"
                            .formatted(
                                    cut.size(), cut.size() == 1 ? " was" : "s were", encoder.maxTokens(), some(cut)));
        }
        for (String query : cutQueries) {
            warnings.accept(
                    "the query '%s' is longer than %d tokens (--max-tokens, or what the model sees) and lost its right end"
                            .formatted(query, encoder.maxTokens()));
        }
        if (!withoutTarget.isEmpty()) {
            warnings.accept("%d row%s nothing to be predicted (the response was cut off), so the gradient is zero: %s"
                    .formatted(
                            withoutTarget.size(), withoutTarget.size() == 1 ? " has" : "s have", some(withoutTarget)));
        }
    }

    private static String some(Set<Integer> rows) {
        String first = rows.stream().sorted().limit(NAMED).toList().toString();
        return "row " + first.substring(1, first.length() - 1) + (rows.size() > NAMED ? " and more" : "");
    }
}
