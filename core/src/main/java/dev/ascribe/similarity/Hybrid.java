package dev.ascribe.similarity;

import dev.ascribe.Ranking;
import java.util.List;

/**
 * Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
 * Methods"): score(d) = Σ over the similarities of 1 / (60 + rank of d), the highest score having rank 1.
 *
 * <p>Rows of equal score have equal rank, the best of their places: where a row stands in the file says nothing.
 */
public final class Hybrid implements Similarity {
    /** The constant of the paper, section 3. */
    private static final int K = 60;

    private final List<Similarity> parts;

    private Hybrid(List<Similarity> parts) {
        this.parts = parts;
    }

    /**
     * The fusion of similarities over the same corpus, at least one. Closing it closes them.
     */
    public static Hybrid of(Similarity... parts) {
        if (parts.length == 0) {
            throw new IllegalArgumentException("a fusion needs at least one similarity");
        }
        return new Hybrid(List.of(parts));
    }

    @Override
    public String name() {
        return "hybrid";
    }

    @Override
    public double[] scores(String query) {
        double[] fused = new double[0];
        for (Similarity part : parts) {
            double[] scores = part.scores(query);
            fused = fused.length == 0 ? new double[scores.length] : fused;
            int[] order = Ranking.top(scores, scores.length);
            int rank = 1;
            for (int place = 0; place < order.length; place++) {
                if (scores[order[place]] != scores[order[rank - 1]]) {
                    rank = place + 1;
                }
                fused[order[place]] += 1.0 / (K + rank);
            }
        }
        return fused;
    }

    @Override
    public void close() {
        parts.forEach(Similarity::close);
    }
}
