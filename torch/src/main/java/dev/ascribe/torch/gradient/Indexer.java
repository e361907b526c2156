package dev.ascribe.torch.gradient;

import dev.ascribe.Corpus;
import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import dev.ascribe.store.Dtype;
import dev.ascribe.store.FeatureStoreWriter;
import dev.ascribe.store.StoreSpec;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.train.Adapter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Builds a {@link GradientIndex}, going on where an earlier attempt was interrupted. */
public final class Indexer {
    private static final long COMMIT_EVERY_NANOS = 2_000_000_000L;

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

    /** Puts the model into a state, with features as the settings say. */
    Subject subject(Point point) {
        return lineage.at(point, settings.sites(), settings.signs()).laidOut(settings);
    }

    /**
     * Writes the gradients of chosen rows at one state.
     *
     * @param chosen row numbers of the corpus
     */
    void write(Subject subject, Point point, Path store, int[] chosen, Dtype dtype, boolean grown) {
        StoreSpec spec = new StoreSpec(
                dtype, subject.features().width(), subject.features().blocks(), identity(point));
        RowGradients gradients = new RowGradients(subject);
        try (FeatureStoreWriter writer = grown
                ? FeatureStoreWriter.extend(store, spec, chosen.length, Set.of("data"))
                : FeatureStoreWriter.open(store, spec, chosen.length)) {
            int at = writer.rows();
            long committed = System.nanoTime();
            while (at < chosen.length) {
                List<Sequence> ahead = new ArrayList<>();
                for (int i = at; i < Math.min(chosen.length, at + RowGradients.lookAhead()); i++) {
                    ahead.add(rows.apply(chosen[i]));
                }
                int count = gradients.next(ahead);
                List<Sequence> batch = ahead.subList(0, count);
                List<SampleId> ids = new ArrayList<>();
                for (int i = at; i < at + count; i++) {
                    ids.add(corpus.id(chosen[i]));
                }
                writer.append(ids, gradients.of(batch));
                tokens += batch.stream().mapToInt(Sequence::length).sum();
                at += count;
                progress.at("gradients at " + point.name(), at, chosen.length);
                if (System.nanoTime() - committed > commitEveryNanos) {
                    writer.commit();
                    committed = System.nanoTime();
                }
            }
            writer.finish();
        }
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
