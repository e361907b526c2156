package dev.ascribe.torch.trace;

import dev.ascribe.Attribution;
import dev.ascribe.Content;
import dev.ascribe.Influence;
import dev.ascribe.Ranking;
import dev.ascribe.UserInputException;
import dev.ascribe.similarity.Bm25;
import dev.ascribe.similarity.Retrieval;
import dev.ascribe.similarity.SentenceEmbedding;
import dev.ascribe.torch.gradient.GradientMethod;
import dev.ascribe.torch.model.Scorer;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.text.Tokenizer;
import dev.ascribe.torch.train.Dataset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Names the training rows behind an answer: candidates by search, scores by gradient or search, ranks side by side. */
public final class Tracer {
    /** Rows named for each token. */
    private static final int ROWS_A_TOKEN = 3;

    private final Dataset data;
    private final Evidence evidence;
    private final Tokenizer tokenizer;
    private final Options options;

    /**
     * How to trace.
     *
     * @param method a gradient method's name, {@code bm25} or {@code embedding}
     * @param top rows named at most
     * @param candidates which rows are scored
     * @param perToken whether each token of the answer is traced too
     */
    public record Options(String method, int top, Retrieval candidates, boolean perToken) {
        public Options {
            if (top < 1) {
                throw new UserInputException("--top " + top + " must be at least 1");
            }
            if (!methods().contains(method)) {
                throw new UserInputException("--method '%s' is not known; use one of %s".formatted(method, methods()));
            }
            if (perToken && GradientMethod.named(method).isEmpty()) {
                throw new UserInputException(
                        "--per-token needs gradients; use one of %s".formatted(GradientMethod.names()));
            }
        }

        /** All methods, the default first. */
        public static List<String> methods() {
            List<String> all = new ArrayList<>(GradientMethod.names());
            all.add(Bm25.NAME);
            all.add(SentenceEmbedding.NAME);
            return all;
        }
    }

    /** An answer to trace. {@code label} is what the result calls it. */
    public record Query(Content content, Map<String, Object> label) {}

    /** Gradient scores of rows for sequences: shape (Q, rows given). */
    @FunctionalInterface
    public interface Gradients {
        /**
         * @param rows row numbers of the corpus
         * @param queries Q
         */
        double[][] scores(int[] rows, List<Sequence> queries);
    }

    /** A query's log-probabilities under the model, one a token of its sequence. */
    @FunctionalInterface
    public interface Likelihood {
        /** As {@link Scorer#logProbabilities}. */
        double[] of(Sequence query);
    }

    public Tracer(Dataset data, Evidence evidence, Tokenizer tokenizer, Options options) {
        this.data = data;
        this.evidence = evidence;
        this.tokenizer = tokenizer;
        this.options = options;
    }

    /** What a trace finds, before it is dressed with provenance. */
    public record Found(Map<String, Object> method, String scale, List<Attribution.Query> queries) {}

    /** Traces answers. */
    public Found trace(List<Query> queries, Gradients gradients, Likelihood likelihood) {
        Optional<GradientMethod> method = GradientMethod.named(options.method());
        List<Sequence> sequences =
                queries.stream().map(query -> data.query(query.content())).toList();
        List<int[]> candidates = new ArrayList<>();
        TreeSet<Integer> union = new TreeSet<>();
        for (Query query : queries) {
            int[] found = evidence.candidates(options.candidates(), query.content());
            candidates.add(found);
            Arrays.stream(found).forEach(union::add);
        }
        int[] rows = union.stream().mapToInt(Integer::intValue).toArray();
        double[][] scores = new double[queries.size()][];
        List<double[][]> tokenScores = new ArrayList<>();
        if (method.isPresent()) {
            List<Sequence> asked = new ArrayList<>(sequences);
            if (options.perToken()) {
                sequences.forEach(sequence -> asked.addAll(eachToken(sequence)));
            }
            double[][] all = gradients.scores(rows, asked);
            int at = queries.size();
            for (int q = 0; q < queries.size(); q++) {
                scores[q] = all[q];
                int tokens = options.perToken() ? eachToken(sequences.get(q)).size() : 0;
                tokenScores.add(Arrays.copyOfRange(all, at, at + tokens));
                at += tokens;
            }
        } else {
            for (int q = 0; q < queries.size(); q++) {
                Content content = queries.get(q).content();
                double[] every =
                        options.method().equals(Bm25.NAME) ? evidence.lexical(content) : evidence.embedding(content);
                scores[q] = Arrays.stream(rows).mapToDouble(row -> every[row]).toArray();
                tokenScores.add(new double[0][]);
            }
        }
        List<Attribution.Query> results = new ArrayList<>();
        for (int q = 0; q < queries.size(); q++) {
            double[] logProbabilities = likelihood.of(sequences.get(q));
            results.add(result(
                    queries.get(q),
                    sequences.get(q),
                    rows,
                    candidates.get(q),
                    scores[q],
                    options.perToken() ? tokenScores.get(q) : null,
                    method.isPresent(),
                    logProbabilities));
        }
        Map<String, Object> named = new LinkedHashMap<>(
                method.map(GradientMethod::parameters).orElseGet(() -> Map.of("name", options.method())));
        return new Found(named, method.map(GradientMethod::scale).orElse("similarity"), results);
    }

    /** One sequence for each target but the end-of-text token. */
    private static List<Sequence> eachToken(Sequence sequence) {
        List<Sequence> each = new ArrayList<>();
        for (int t = sequence.firstTarget(); t < sequence.length() - 1; t++) {
            each.add(sequence.predictingOnly(t));
        }
        return each;
    }

    private Attribution.Query result(
            Query query,
            Sequence sequence,
            int[] rows,
            int[] candidates,
            double[] scores,
            double @Nullable [][] tokenScores,
            boolean byGradient,
            double[] logProbabilities) {
        // Only the query's own candidates, in row order, so that ties go to the lower row.
        int[] own = Arrays.stream(candidates).sorted().toArray();
        double[] ownScores = new double[own.length];
        for (int i = 0; i < own.length; i++) {
            ownScores[i] = scores[Arrays.binarySearch(rows, own[i])];
        }
        int[] best = Ranking.top(ownScores, options.top());
        int[] worst = options.top() >= own.length
                ? new int[0]
                : Arrays.stream(Ranking.bottom(ownScores, options.top()))
                        .filter(i -> ownScores[i] < 0)
                        .toArray();
        int[] gradientRanks = byGradient ? Ranking.ranks(ownScores) : null;
        int[] lexicalRanks = Ranking.ranks(evidence.lexical(query.content()));
        int[] embeddingRanks =
                evidence.embeddingAffordable() ? Ranking.ranks(evidence.embedding(query.content())) : null;
        List<List<Influence>> lists = new ArrayList<>();
        for (int[] list : List.of(best, worst)) {
            List<Influence> influences = new ArrayList<>();
            for (int i = 0; i < list.length; i++) {
                int row = own[list[i]];
                influences.add(new Influence(
                        i + 1,
                        row,
                        data.corpus().id(row),
                        ownScores[list[i]],
                        data.corpus().sample(row).content().words(),
                        new Influence.Ranks(
                                lexicalRanks[row],
                                embeddingRanks == null ? null : embeddingRanks[row],
                                gradientRanks == null ? null : gradientRanks[list[i]])));
            }
            lists.add(influences);
        }
        return new Attribution.Query(
                query.label(),
                Scorer.loss(sequence, logProbabilities),
                lists.get(0),
                lists.get(1),
                new Attribution.Candidates(options.candidates().toString(), own.length),
                tokenScores == null ? null : tokens(sequence, rows, tokenScores, logProbabilities));
    }

    private List<Attribution.Token> tokens(
            Sequence sequence, int[] rows, double[][] tokenScores, double[] logProbabilities) {
        int first = sequence.firstTarget();
        List<String> pieces =
                tokenizer.pieces(Arrays.copyOfRange(sequence.tokens(), first, first + tokenScores.length));
        List<Attribution.Token> tokens = new ArrayList<>();
        for (int t = 0; t < tokenScores.length; t++) {
            double[] scores = tokenScores[t];
            List<Attribution.Share> shares = Arrays.stream(Ranking.top(scores, ROWS_A_TOKEN))
                    .mapToObj(i -> new Attribution.Share(rows[i], scores[i]))
                    .toList();
            tokens.add(new Attribution.Token(pieces.get(t), logProbabilities[first + t], shares));
        }
        return tokens;
    }
}
