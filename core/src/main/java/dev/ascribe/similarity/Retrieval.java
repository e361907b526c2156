package dev.ascribe.similarity;

import dev.ascribe.Corpus;
import dev.ascribe.Progress;
import dev.ascribe.Ranking;
import dev.ascribe.UserInputException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which rows are looked at closely: all of them, or as many as a search finds.
 *
 * @param strategy how they are found
 * @param count how many at most, at least 1
 */
public record Retrieval(Strategy strategy, int count) {

    /** How candidates are found. */
    public enum Strategy {
        /** Every row. */
        ALL,
        /** By words. */
        BM25,
        /** By meaning. */
        EMBED,
        /** By both. */
        HYBRID
    }

    /** Every row is a candidate. */
    public static final Retrieval ALL = new Retrieval(Strategy.ALL, Integer.MAX_VALUE);

    private static final Pattern SEARCH = Pattern.compile("(bm25|embed|hybrid):(\\d{1,9})");

    public Retrieval {
        if (count < 1) {
            throw new UserInputException("--candidates %s:%d asks for 0 candidates; ask for at least 1"
                    .formatted(strategy.name().toLowerCase(Locale.ROOT), count));
        }
    }

    /** @param text {@code all}, {@code bm25:N}, {@code embed:N} or {@code hybrid:N} */
    public static Retrieval parse(String text) {
        if (text.equals("all")) {
            return ALL;
        }
        Matcher search = SEARCH.matcher(text);
        if (!search.matches()) {
            throw new UserInputException(
                    "'%s' names no candidates; write all, bm25:200, embed:200 or hybrid:200 (200 is how many)"
                            .formatted(text));
        }
        return new Retrieval(
                Strategy.valueOf(search.group(1).toUpperCase(Locale.ROOT)), Integer.parseInt(search.group(2)));
    }

    /** The search over a corpus that finds the candidates; every row is alike where all are candidates. */
    public Similarity over(Corpus corpus, Progress progress) {
        return switch (strategy) {
            case ALL -> new Alike(corpus.size());
            case BM25 -> Bm25.over(corpus);
            case EMBED -> SentenceEmbedding.over(corpus, progress);
            case HYBRID -> Hybrid.of(Bm25.over(corpus), SentenceEmbedding.over(corpus, progress));
        };
    }

    /**
     * The candidates for a query, most alike first, ties to the lower row.
     *
     * @param similarity {@link #over} the corpus, or one like it that is at hand
     */
    public int[] candidates(Similarity similarity, String query) {
        return Ranking.top(similarity.scores(query), count);
    }

    /** What {@link #parse} reads. */
    @Override
    public String toString() {
        String name = strategy.name().toLowerCase(Locale.ROOT);
        return strategy == Strategy.ALL ? name : name + ":" + count;
    }

    /** Tells no row from another. */
    private record Alike(int rows) implements Similarity {
        @Override
        public String name() {
            return "all";
        }

        @Override
        public double[] scores(String query) {
            return new double[rows];
        }

        @Override
        public void close() {}
    }
}
