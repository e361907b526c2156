package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Logs what a training loop does without making it wait: a call hands an event to a thread that commits whole groups. {@link #flush}
 * and {@link #close} return when everything handed over before is durable.
 *
 * <p>A loop that can be killed calls {@link #resume} when it begins, also the first time, and makes the calls of its run in one and the
 * same order each time, from the first on. What the log has already is compared and not logged again, so that no event is there twice
 * and none is missing, wherever the loop was killed.
 *
 * <p>When the ledger cannot go on, the next call says so; nothing that was acknowledged is lost. Safe for use by several threads.
 */
public final class Recorder implements AutoCloseable {
    /** Events of a group at most. */
    private static final int GROUP = 4_096;

    /** How long a group waits for more. */
    private static final long WAIT_NANOS = 100_000_000L;

    /** Events that may wait; a loop that is faster than the disk waits then. */
    private static final int WAITING = 1 << 16;

    private final Ledger ledger;
    private final Path directory;
    private final BlockingQueue<Item> queue = new ArrayBlockingQueue<>(WAITING);
    private final Map<UUID, Logged> resumed = new HashMap<>(); // guarded by itself
    private final Thread worker = Thread.ofPlatform().daemon().name("ledger").unstarted(this::work);
    private volatile @Nullable RuntimeException failure;
    private boolean closed;

    /** What stands in the queue. */
    private sealed interface Item permits Entry, Mark {}

    private record Entry(Draft draft) implements Item {}

    /** Is completed when everything before it is durable. */
    private record Mark(CountDownLatch reached, boolean last) implements Item {}

    /** The events that the log had of a run when it was resumed, and how many of them came again. */
    private static final class Logged {
        private final long[] indexes;
        private int done;

        Logged(long[] indexes) {
            this.indexes = indexes;
        }
    }

    private Recorder(Ledger ledger, Path directory) {
        this.ledger = ledger;
        this.directory = directory;
    }

    /**
     * Opens a ledger; no other process writes to it until this is closed.
     *
     * @throws LedgerUnavailableException as {@link Ledger#open}
     */
    public static Recorder open(Path directory) {
        Recorder recorder = new Recorder(Ledger.open(directory), directory);
        recorder.worker.start();
        return recorder;
    }

    /** The public halves of the ledger's keys, Ed25519 first. */
    public List<VerifierKey> verifierKeys() {
        return ledger.verifierKeys();
    }

    /**
     * Goes on with a run: the calls that follow for it are compared with what the log has, and logged from where it ends. A
     * {@code contribution} is no part of that order: it is always logged.
     *
     * @return how many events of the run the log has
     */
    public int resume(UUID run) {
        flush();
        ledger.publish(); // so that all of it can be read
        long[] indexes = LedgerReader.open(directory).recorded(run);
        synchronized (resumed) {
            resumed.put(run, new Logged(indexes));
        }
        return indexes.length;
    }

    /**
     * A sample was taken in; it must be before anything else is said of it.
     *
     * @param source where it came from; public
     */
    public void sampleIngested(UUID run, SampleId sample, String source) {
        record(Draft.ingest(now(), run, sample, source));
    }

    /**
     * A sample was made of others.
     *
     * @param kind one of {@link EventBody.Transform#KINDS}
     * @param parents other samples that have an event already
     * @param detail public
     */
    public void sampleTransformed(UUID run, SampleId sample, String kind, List<SampleId> parents, String detail) {
        record(Draft.transform(now(), run, sample, kind, parents, detail));
    }

    /**
     * A sample was in a training batch.
     *
     * @param epoch passes over the data, this one included
     * @param step updates of the weights, the one by this batch included
     * @param position in the batch, from 0
     */
    public void sampleUsed(UUID run, SampleId sample, long epoch, long step, long position) {
        record(Draft.batch(now(), run, sample, epoch, step, position));
    }

    /**
     * What a sample contributed to an answer.
     *
     * @param query the id of what was asked and answered
     * @param score positive is helpful
     * @param checkpoints digests of the files that the score is grounded in, at least one
     */
    public void sampleContributed(
            UUID run, SampleId sample, String method, SampleId query, double score, List<Hash> checkpoints) {
        record(Draft.contribution(now(), run, sample, method, query, score, checkpoints));
    }

    /** A run reached a checkpoint. */
    public void checkpointReached(UUID run, EventBody.Checkpoint checkpoint) {
        record(Draft.ofRun(now(), run, checkpoint));
    }

    /** A run's model was measured. */
    public void modelEvaluated(UUID run, EventBody.Evaluate measurement) {
        record(Draft.ofRun(now(), run, measurement));
    }

    private static long now() {
        return System.currentTimeMillis();
    }

    /** Hands any event over. */
    public void record(Draft draft) {
        requireWorking();
        put(new Entry(draft));
    }

    /** Waits until everything handed over is durable. */
    public void flush() {
        requireWorking();
        CountDownLatch reached = new CountDownLatch(1);
        put(new Mark(reached, false));
        try {
            reached.await();
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        requireWorking();
    }

    private void put(Item item) {
        try {
            queue.put(item);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private LedgerUnavailableException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new LedgerUnavailableException(directory + " was not waited for: the thread was interrupted", e);
    }

    private void requireWorking() {
        RuntimeException cause = failure;
        if (cause == null) {
            return;
        }
        if (cause instanceof RefusedDraftException) {
            throw new UserInputException(
                    "%s refuses an event: %s; nothing after it was logged".formatted(directory, cause.getMessage()),
                    cause);
        }
        if (cause instanceof UserInputException) {
            throw new UserInputException(String.valueOf(cause.getMessage()), cause);
        }
        throw new LedgerUnavailableException(String.valueOf(cause.getMessage()), cause);
    }

    private void work() {
        List<Draft> group = new ArrayList<>();
        long began = 0;
        while (true) {
            try {
                long left = WAIT_NANOS - (System.nanoTime() - began);
                Item item = group.isEmpty() ? queue.take() : queue.poll(left, TimeUnit.NANOSECONDS);
                if (item instanceof Entry entry && failure == null) {
                    began = group.isEmpty() ? System.nanoTime() : began;
                    group.add(entry.draft());
                }
                if (item == null || item instanceof Mark || group.size() == GROUP) {
                    commit(group);
                    group.clear();
                }
                if (item instanceof Mark mark) {
                    mark.reached().countDown();
                    if (mark.last()) {
                        return;
                    }
                }
            } catch (InterruptedException e) {
                return; // nobody but the end of the process does that
            }
        }
    }

    private void commit(List<Draft> group) {
        if (failure != null) {
            return;
        }
        try {
            List<Draft> fresh = new ArrayList<>(group.size());
            for (Draft draft : group) {
                if (!isLogged(draft)) {
                    fresh.add(draft);
                }
            }
            if (!fresh.isEmpty()) {
                ledger.append(fresh);
            }
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private boolean isLogged(Draft draft) {
        synchronized (resumed) {
            Logged logged = resumed.get(draft.run());
            if (logged == null
                    || logged.done == logged.indexes.length
                    || draft.content().body(id -> Hash.ZERO) instanceof EventBody.Contribution) {
                return false;
            }
            long index = logged.indexes[logged.done];
            if (!ledger.isSame(index, draft, false)) {
                throw new UserInputException(
                        "%s has event %d of run %s at index %d, and it is not what the run says now: its data or settings changed; begin a new run"
                                .formatted(directory, logged.done + 1, draft.run(), index));
            }
            logged.done++;
            return true;
        }
    }

    /** Waits until everything is durable, publishes a checkpoint over it and lets go of the ledger. */
    @Override
    public void close() {
        synchronized (worker) {
            if (closed) {
                return;
            }
            closed = true;
        }
        try {
            put(new Mark(new CountDownLatch(1), true));
            worker.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            ledger.close();
        }
        requireWorking();
    }
}
