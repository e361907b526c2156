package dev.ascribe.torch.gradient;

import dev.ascribe.Corpus;
import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import dev.ascribe.store.Block;
import dev.ascribe.store.Dtype;
import dev.ascribe.store.FeatureStoreWriter;
import dev.ascribe.store.StoreSpec;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.train.Adapter;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Builds a {@link GradientIndex}, going on where an earlier attempt was interrupted. */
public final class Indexer {
    private static final long COMMIT_EVERY_NANOS = 2_000_000_000L;

    /** Rows whose gradients say how a sketch's columns are shared out; the first ones, so that a corpus may grow. */
    private static final int PILOT_ROWS = 16;

    private static final int BATCHES_A_THREAD = 4;

    /** Tokens that pass through the model at once, all threads together; a longer row passes alone. */
    private static final int TOKENS_AT_ONCE = 1024;

    private final Lineage lineage;
    private final Corpus corpus;
    private final IntFunction<Sequence> rows;
    private final IndexSettings settings;
    private final Progress progress;
    private final long commitEveryNanos;
    private long tokens;

    /**
     * @param rows a row of the corpus as tokens
     */
    public Indexer(
            Lineage lineage, Corpus corpus, IntFunction<Sequence> rows, IndexSettings settings, Progress progress) {
        this(lineage, corpus, rows, settings, progress, COMMIT_EVERY_NANOS);
    }

    /** One that commits as often as a test wants. */
    Indexer(
            Lineage lineage,
            Corpus corpus,
            IntFunction<Sequence> rows,
            IndexSettings settings,
            Progress progress,
            long commitEveryNanos) {
        this.lineage = lineage;
        this.corpus = corpus;
        this.rows = rows;
        this.settings = settings;
        this.progress = progress;
        this.commitEveryNanos = commitEveryNanos;
    }

    /** Tokens that passed through the model in this process. */
    public long tokens() {
        return tokens;
    }

    /**
     * Builds the index of a whole corpus.
     *
     * @param run the run that the lineage is of, or null
     * @param grown whether the corpus may have grown since: the rows already there are kept
     */
    public GradientIndex build(
            Path directory, List<Point> points, @Nullable Path data, @Nullable Path run, boolean grown) {
        GradientIndex.requireOwn(directory);
        int[] all = new int[corpus.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = i;
        }
        for (Point point : points) {
            if (lineage.adapted() && !Adapter.isIn(GradientIndex.adapterDirectory(directory, point))) {
                lineage.keepAdapter(point, GradientIndex.adapterDirectory(directory, point));
            }
            try (Subject subject = subject(point)) {
                write(subject, point, GradientIndex.storeDirectory(directory, point), all, settings.dtype(), grown);
            }
        }
        return GradientIndex.complete(
                directory,
                new GradientIndex.Document(
                        "ascribe/index/1",
                        lineage.model().digest(),
                        absolute(lineage.model().path()),
                        corpus.digest(),
                        absolute(data == null ? Path.of(corpus.name()) : data),
                        run == null ? null : absolute(run),
                        corpus.size(),
                        lineage.adapted(),
                        settings,
                        points));
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }

    /** Puts the model into a state, with full features of the sites that the settings say. */
    Subject subject(Point point) {
        return lineage.at(point, settings.sites(), settings.sides());
    }

    /**
     * Writes the gradients of chosen rows at one state.
     *
     * @param chosen row numbers of the corpus
     */
    void write(Subject subject, Point point, Path store, int[] chosen, Dtype dtype, boolean grown) {
        Workers workers = new Workers(subject);
        Deque<RowGradients.Rows> ahead = new ArrayDeque<>();
        List<Block> full = subject.features().blocks();
        Map<String, String> identity = identity(point);
        List<Block> blocks = FeatureStoreWriter.begun(store)
                .map(begun -> laidOutAlike(begun.identity(), identity) ? begun.blocks() : full)
                .orElseGet(() -> settings.stored(full, () -> shares(full, workers, chosen, ahead)));
        Sketch sketch = Sketch.of(full, blocks, settings.seed());
        StoreSpec spec = new StoreSpec(dtype, sketch.width(), blocks, identity);
        try (FeatureStoreWriter writer = grown
                ? FeatureStoreWriter.extend(store, spec, chosen.length, Set.of("data"))
                : FeatureStoreWriter.open(store, spec, chosen.length)) {
            int at = writer.rows();
            long committed = System.nanoTime();
            while (at < chosen.length) {
                List<List<Sequence>> batches = batches(workers, chosen, at, chosen.length);
                List<Supplier<float[]>> jobs = new ArrayList<>();
                for (List<Sequence> batch : batches) {
                    RowGradients.@Nullable Rows known = ahead.poll();
                    jobs.add(known == null ? workers.job(batch, sketch::apply) : () -> sketch.apply(known));
                }
                List<float[]> features = Engine.sideBySide(jobs);
                for (int i = 0; i < batches.size(); i++) {
                    List<SampleId> ids = new ArrayList<>();
                    for (Sequence sequence : batches.get(i)) {
                        ids.add(corpus.id(chosen[at++]));
                        tokens += sequence.length();
                    }
                    writer.append(ids, features.get(i));
                }
                progress.at("gradients at " + point.name(), at, chosen.length);
                if (System.nanoTime() - committed > commitEveryNanos) {
                    writer.commit();
                    committed = System.nanoTime();
                }
            }
            writer.finish();
        }
    }

    /** Gradients of several batches at once: whichever worker is free takes the next. */
    private static final class Workers {
        private final Subject subject;
        private final Queue<RowGradients> free = new ConcurrentLinkedQueue<>();
        private final Semaphore tokens = new Semaphore(TOKENS_AT_ONCE, true); // they are what takes memory

        Workers(Subject subject) {
            this.subject = subject;
        }

        <T> Supplier<T> job(List<Sequence> batch, Function<RowGradients.Rows, T> then) {
            int length = batch.stream().mapToInt(Sequence::length).sum();
            int permits = Math.min(TOKENS_AT_ONCE, length);
            return () -> {
                tokens.acquireUninterruptibly(permits);
                try {
                    RowGradients taken = Objects.requireNonNullElseGet(free.poll(), () -> new RowGradients(subject));
                    T result = then.apply(taken.of(batch));
                    free.add(taken);
                    return result;
                } finally {
                    tokens.release(permits);
                }
            };
        }

        /** How many sequences make the next batch. */
        int next(List<Sequence> coming) {
            return RowGradients.next(coming, subject.features().width());
        }
    }

    /** The next batches: several for each thread, because some take longer than others. */
    private List<List<Sequence>> batches(Workers workers, int[] chosen, int at, int end) {
        List<List<Sequence>> batches = new ArrayList<>();
        int most = BATCHES_A_THREAD * Engine.threads();
        for (int from = at;
                from < end && batches.size() < most;
                from += batches.getLast().size()) {
            List<Sequence> coming = new ArrayList<>();
            for (int i = from; i < Math.min(chosen.length, from + RowGradients.lookAhead()); i++) {
                coming.add(rows.apply(chosen[i]));
            }
            batches.add(coming.subList(0, workers.next(coming)));
        }
        return batches;
    }

    /**
     * How much each block contributes to the inner products of the first rows: the root of its mean squared share of a row's
     * squared norm.
     *
     * @param ahead takes the batches' full features, so that they are not computed again
     * @return one a block, summing to 1
     */
    private double[] shares(List<Block> blocks, Workers workers, int[] chosen, Deque<RowGradients.Rows> ahead) {
        double[] squares = new double[blocks.size()];
        int pilot = Math.min(PILOT_ROWS, chosen.length);
        for (int at = 0; at < pilot; ) {
            List<List<Sequence>> batches = batches(workers, chosen, at, pilot);
            List<Supplier<RowGradients.Rows>> jobs = new ArrayList<>();
            for (List<Sequence> batch : batches) {
                jobs.add(workers.job(batch, RowGradients.Rows::copy));
                at += batch.size();
            }
            for (RowGradients.Rows rows : Engine.sideBySide(jobs)) {
                ahead.add(rows);
                addShares(blocks, rows, squares);
            }
        }
        double sum = DoubleStream.of(squares).map(Math::sqrt).sum();
        return DoubleStream.of(squares)
                .map(square -> sum == 0 ? 1.0 / squares.length : Math.sqrt(square) / sum)
                .toArray();
    }

    /** Adds each row's squared share of each block. */
    private static void addShares(List<Block> blocks, RowGradients.Rows rows, double[] squares) {
        for (int row = 0; row < rows.count(); row++) {
            double[] energies = new double[squares.length];
            for (int b = 0; b < energies.length; b++) {
                Block block = blocks.get(b);
                int from = row * rows.width() + block.offset();
                for (int i = from; i < from + block.width(); i++) {
                    energies[b] += (double) rows.values()[i] * rows.values()[i];
                }
            }
            double total = DoubleStream.of(energies).sum();
            for (int b = 0; b < energies.length && total > 0; b++) {
                squares[b] += energies[b] / total * (energies[b] / total);
            }
        }
    }

    /** Otherwise the store is refused, and its blocks mean nothing. */
    private static boolean laidOutAlike(Map<String, String> one, Map<String, String> other) {
        return Stream.of("model", "checkpoint", "sites", "projection", "width")
                .allMatch(key -> Objects.equals(one.get(key), other.get(key)));
    }

    private Map<String, String> identity(Point point) {
        Map<String, String> identity = new LinkedHashMap<>();
        identity.put("model", lineage.model().digest());
        identity.put("data", corpus.digest());
        identity.put("checkpoint", point.name() + " at step " + point.step());
        identity.put("sites", settings.sites());
        identity.put("projection", settings.projection());
        identity.put("width", settings.width());
        identity.put("products", settings.products().toString());
        identity.put("text", settings.text().toString());
        identity.put("seed", Long.toString(settings.seed()));
        return identity;
    }
}
