package dev.ascribe.ledger.export;

import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.EventBody;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.LedgerReader.Logged;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What the entries of an excerpt amount to.
 *
 * @param runs in the order in which they appear
 * @param sources how many samples were ingested from each
 * @param samples with an event
 * @param deleted samples
 * @param models each digest once, with what is said about it, in the order in which they appear
 */
record Contents(List<Run> runs, SortedMap<String, Long> sources, long samples, long deleted, Map<Hash, Model> models) {

    /**
     * What happened under a run's id.
     *
     * @param first least time of its entries, milliseconds since 1970, as told by whoever appended
     * @param last greatest
     * @param samples that were in a batch
     */
    record Run(UUID id, long first, long last, long batches, long samples, List<Reached> checkpoints) {}

    /** A checkpoint of a run, and where it stands in the log. */
    record Reached(long index, UUID run, EventBody.Checkpoint checkpoint) {}

    /** A measurement, and where it stands in the log. */
    record Measured(long index, UUID run, EventBody.Evaluate evaluation) {}

    /** What the log says about a model's file. */
    record Model(List<Reached> checkpoints, List<Measured> evaluations) {
        Model() {
            this(new ArrayList<>(), new ArrayList<>());
        }
    }

    /** Gathers it. */
    static final class Counter {
        private final Map<UUID, OfRun> runs = new LinkedHashMap<>();
        private final SortedMap<String, Long> sources = new TreeMap<>();
        private final Set<Hash> samples = new HashSet<>();
        private final Map<Hash, Model> models = new LinkedHashMap<>();
        private long deleted;

        private static final class OfRun {
            private long first = Long.MAX_VALUE;
            private long last;
            private long batches;
            private final Set<Hash> samples = new HashSet<>();
            private final List<Reached> checkpoints = new ArrayList<>();
        }

        void add(Logged logged) {
            Event event = logged.event();
            if (event.body().type().about() == EventBody.About.SAMPLE) {
                samples.add(event.subject());
            }
            if (event.body() instanceof EventBody.Ingest ingest) {
                sources.merge(ingest.source(), 1L, Long::sum);
            } else if (event.body() instanceof EventBody.Delete) {
                deleted++;
            } else if (event.body() instanceof EventBody.Evaluate evaluation) {
                model(evaluation.model()).evaluations().add(new Measured(logged.index(), event.run(), evaluation));
            }
            if (Excerpt.hasRun(event)) {
                add(runs.computeIfAbsent(event.run(), id -> new OfRun()), logged);
            }
        }

        private void add(OfRun run, Logged logged) {
            Event event = logged.event();
            run.first = Math.min(run.first, event.time());
            run.last = Math.max(run.last, event.time());
            if (event.body() instanceof EventBody.Batch) {
                run.batches++;
                run.samples.add(event.subject());
            } else if (event.body() instanceof EventBody.Checkpoint checkpoint) {
                Reached reached = new Reached(logged.index(), event.run(), checkpoint);
                run.checkpoints.add(reached);
                model(checkpoint.model()).checkpoints().add(reached);
            }
        }

        private Model model(Hash digest) {
            return models.computeIfAbsent(digest, hash -> new Model());
        }

        Contents contents() {
            List<Run> all = new ArrayList<>();
            runs.forEach((id, run) ->
                    all.add(new Run(id, run.first, run.last, run.batches, run.samples.size(), run.checkpoints)));
            return new Contents(all, sources, samples.size(), deleted, models);
        }
    }
}
