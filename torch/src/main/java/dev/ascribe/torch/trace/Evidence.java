package dev.ascribe.torch.trace;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.Progress;
import dev.ascribe.Ranking;
import dev.ascribe.similarity.Bm25;
import dev.ascribe.similarity.Hybrid;
import dev.ascribe.similarity.Retrieval;
import dev.ascribe.similarity.SentenceEmbedding;
import dev.ascribe.similarity.Similarity;
import org.jspecify.annotations.Nullable;

/** What plain search says of a corpus: by words always, by meaning where that is affordable or asked for. */
public final class Evidence implements AutoCloseable {
    /** Rows up to which sentence embeddings are made unasked: about a minute's work. */
    private static final int AFFORDABLE_ROWS = 2_000;

    private final Corpus corpus;
    private final Progress progress;
    private @Nullable Similarity lexical;
    private @Nullable Similarity embedding;

    /** Search over a corpus; nothing is built before it is asked for. */
    public Evidence(Corpus corpus, Progress progress) {
        this.corpus = corpus;
        this.progress = progress;
    }

    /** BM25 of every row with a query's words. */
    public double[] lexical(Content query) {
        if (lexical == null) {
            lexical = Bm25.over(corpus);
        }
        return lexical.scores(query.words());
    }

    /** Cosine of every row's sentence embedding with the query's. */
    public double[] embedding(Content query) {
        if (embedding == null) {
            embedding = SentenceEmbedding.over(corpus, progress);
        }
        return embedding.scores(query.words());
    }

    /** Whether the embeddings are there, or made without long work. */
    boolean embeddingAffordable() {
        return embedding != null || corpus.size() <= AFFORDABLE_ROWS;
    }

    /** The rows that a retrieval finds, best first. */
    int[] candidates(Retrieval retrieval, Content query) {
        return switch (retrieval.strategy()) {
            case ALL -> retrieval.candidates(retrieval.over(corpus, progress), query.words());
            case BM25 -> Ranking.top(lexical(query), retrieval.count());
            case EMBED -> Ranking.top(embedding(query), retrieval.count());
            case HYBRID -> {
                lexical(query);
                embedding(query);
                if (lexical == null || embedding == null) {
                    throw new IllegalStateException();
                }
                yield retrieval.candidates(Hybrid.of(lexical, embedding), query.words());
            }
        };
    }

    @Override
    public void close() {
        if (lexical != null) {
            lexical.close();
        }
        if (embedding != null) {
            embedding.close();
        }
    }
}
