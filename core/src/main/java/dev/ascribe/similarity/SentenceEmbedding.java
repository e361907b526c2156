package dev.ascribe.similarity;

import dev.ascribe.Corpus;
import dev.ascribe.Progress;
import java.util.stream.IntStream;

/**
 * Cosine of sentence embeddings (Reimers and Gurevych, 2019, "Sentence-BERT") by all-MiniLM-L6-v2.
 *
 * <p>It finds rows that mean the same in other words. A row's text is its question and answer. Every row is embedded once, with all
 * cores, and its embedding kept: 1.5 KB of memory a row. Scores are within [−1, 1]; a text without any token scores 0.
 */
public final class SentenceEmbedding implements Similarity {
    /** The method's name. */
    public static final String NAME = "embedding";

    private final MiniLm model;
    private final float[][] embeddings; // (rows, 384), of unit length

    private SentenceEmbedding(MiniLm model, float[][] embeddings) {
        this.model = model;
        this.embeddings = embeddings;
    }

    /** The embeddings of all rows of a corpus, which may be closed afterwards. */
    public static SentenceEmbedding over(Corpus corpus, Progress progress) {
        MiniLm model = MiniLm.load();
        boolean made = false;
        try {
            float[][] embeddings = new float[corpus.size()][];
            Counter counter = new Counter(progress, corpus.size());
            IntStream.range(0, corpus.size()).parallel().forEach(row -> {
                embeddings[row] = model.embed(corpus.sample(row).content().words());
                counter.one();
            });
            made = true;
            return new SentenceEmbedding(model, embeddings);
        } finally {
            if (!made) {
                model.close();
            }
        }
    }

    /** The same, silently. */
    public static SentenceEmbedding over(Corpus corpus) {
        return over(corpus, Progress.SILENT);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public double[] scores(String query) {
        float[] wanted = model.embed(query);
        double[] scores = new double[embeddings.length];
        for (int row = 0; row < scores.length; row++) {
            float[] embedding = embeddings[row];
            for (int i = 0; i < MiniLm.WIDTH; i++) {
                scores[row] += (double) wanted[i] * embedding[i];
            }
        }
        return scores;
    }

    @Override
    public void close() {
        model.close();
    }

    /** Tells one thread at a time. */
    private static final class Counter {
        private final Progress progress;
        private final int total;
        private int done;

        Counter(Progress progress, int total) {
            this.progress = progress;
            this.total = total;
        }

        synchronized void one() {
            progress.at("embedding rows", ++done, total);
        }
    }
}
