package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A ledger opened for writing. Events are durable when {@link #append} returns; a checkpoint over them is published at least every
 * second by a thread of its own, so that no append waits for tiles, the map or a signature. One process writes.
 *
 * <p>A checkpoint ends in a map entry. Its index is set aside when the checkpoint begins, so that events that come while the map is
 * hashed already have their own; a crash in between leaves a gap, which the next opening fills with the very map entry.
 *
 * <p>Safe for use by several threads.
 */
public final class Ledger implements AutoCloseable {
    /** So that one is published every second, though publishing takes a while. */
    private static final long PUBLISH_MILLIS = 800;

    /** Entries after which the map's snapshot is written again: they must be hashed anew when a ledger that was killed is opened. */
    private static final long SNAPSHOT_EVERY = 500_000;

    /** Reading a subject's part of a snapshot takes about this fraction of the time that hashing an event anew takes. */
    private static final long SNAPSHOT_COST = 16;

    private final Opening opened;
    private final Heads heads;
    private final Drafting drafting;
    private final Publication publication;
    private final WriteAheadLog wal;
    private final ReentrantLock appending = new ReentrantLock();
    private final ReentrantLock publishing = new ReentrantLock();
    private final ScheduledExecutorService publisher = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().factory());
    private final ScheduledFuture<?> schedule;
    private List<Group.Entry> queue; // durable, not yet in a published checkpoint
    private List<Samples.Known> newlyKnown;
    private long next;
    private long snapshotSize;
    private volatile @Nullable Exception failure;
    private volatile boolean appended;

    /** An event ready to be logged; its chain is fixed, its index is not. */
    public static final class Prepared {
        private final Group.Entry entry;
        private final Hash subject;
        private final PrefixMap.Value head;
        private final List<Samples.Known> known;

        Prepared(Event event, long number, List<Samples.Known> known) {
            byte[] bytes = event.encode();
            this.entry = new Group.Entry(bytes, Hash.leaf(bytes), number);
            this.subject = event.subject();
            this.head = new PrefixMap.Value(event.sequence(), entry.leaf());
            this.known = known;
        }

        /** Where its subject's history ends with it. */
        PrefixMap.Value head() {
            return head;
        }
    }

    private Ledger(Opening opened) {
        this.opened = opened;
        this.heads = opened.heads();
        this.drafting = opened.drafting();
        this.publication = opened.publication();
        this.wal = opened.wal();
        this.queue = new ArrayList<>(opened.recovery().entries());
        this.newlyKnown = new ArrayList<>(opened.recovery().known());
        this.next = opened.recovery().next();
        this.snapshotSize = opened.snapshot();
        this.schedule = publisher.scheduleAtFixedRate(
                this::publishQuietly, PUBLISH_MILLIS, PUBLISH_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * Makes a ledger: keys, bucket keys, the first two entries and a signed checkpoint.
     *
     * @param directory new or empty
     * @param origin the log's name
     * @param given keys to sign with, Ed25519 first; empty: new ones
     * @param guard where the guard shall lie; empty: in the user's state folder
     */
    public static Checkpoint init(Path directory, String origin, List<SignerKey> given, Optional<Path> guard) {
        return Founding.of(directory, origin, given, guard);
    }

    /**
     * Opens a ledger for writing, finishing what a crash interrupted.
     *
     * @throws LedgerUnavailableException when another process writes, the guard is missing or newer, or a file is damaged; then nothing was
     *     written
     */
    public static Ledger open(Path directory) {
        Ledger ledger = new Ledger(Opening.of(directory));
        try {
            ledger.finishErasure();
            return ledger;
        } catch (IOException | RuntimeException e) {
            ledger.close();
            throw Opening.unavailable(directory, e);
        }
    }

    /** The public halves of its keys. */
    public List<VerifierKey> verifierKeys() {
        return publication.verifierKeys();
    }

    /**
     * Makes events ready, checking them all; nothing is written yet. What is prepared must be committed, in this order, before anything else is
     * prepared.
     *
     * @param numbers sequence numbers that came with them, 0 for none
     * @throws RefusedDraftException names the first event that a rule forbids
     */
    public List<Prepared> prepare(List<Draft> drafts, long[] numbers) {
        appending.lock();
        try {
            requireWorking();
            return drafting.prepare(drafts, numbers);
        } finally {
            appending.unlock();
        }
    }

    /** Makes prepared events durable, as one group; returns the index of the first. */
    public long commit(List<Prepared> prepared) {
        appending.lock();
        try {
            requireWorking();
            List<Group.Entry> entries = new ArrayList<>(prepared.size());
            List<Samples.Known> known = new ArrayList<>();
            for (Prepared one : prepared) {
                entries.add(one.entry);
                known.addAll(one.known);
            }
            long first = next;
            wal.append(new Group(first, entries, known));
            appended = true;
            next += entries.size();
            for (int i = 0; i < entries.size(); i++) {
                heads.put(prepared.get(i).subject, prepared.get(i).head);
                opened.sequences().add(entries.get(i).number(), first + i);
            }
            queue.addAll(entries);
            newlyKnown.addAll(known);
            known.forEach(drafting::learn);
            return first;
        } catch (IOException e) {
            failure = e; // whether a disk that failed once holds what it says is not known
            throw new LedgerUnavailableException(
                    "%s cannot be written: %s; nothing of this group was logged, what was acknowledged before is kept"
                            .formatted(opened.folder().directory(), e.getMessage()),
                    e);
        } finally {
            appending.unlock();
        }
    }

    /** Logs events; they are durable when this returns. Returns the index of the first; the others follow it. */
    public long append(List<Draft> drafts) {
        appending.lock();
        try {
            return commit(prepare(drafts, new long[drafts.size()]));
        } finally {
            appending.unlock();
        }
    }

    /** How many samples and runs have events in the published log. */
    public long subjects() {
        publishing.lock();
        try {
            return heads.map().size();
        } finally {
            publishing.unlock();
        }
    }

    /** Events that were appended with a sequence number. */
    public Sequences sequences() {
        return opened.sequences();
    }

    /**
     * Whether the event at an index is what a draft says.
     *
     * @param timed whether the draft's time is compared too
     */
    public boolean isSame(long index, Draft draft, boolean timed) {
        Event there = event(index); // before the lock: it may have to publish
        appending.lock();
        try {
            return drafting.isSame(there, draft, timed);
        } finally {
            appending.unlock();
        }
    }

    private Event event(long index) {
        if (index >= checkpoint().size()) {
            publish(); // it is durable, but not yet where it can be read
        }
        try {
            return Event.decode(new LogFiles(opened.folder().log(), checkpoint().size()).entry(index));
        } catch (IOException e) {
            throw new LedgerUnavailableException(
                    "%s cannot be read: %s".formatted(opened.folder().directory(), e), e);
        }
    }

    private void requireWorking() {
        Exception why = failure;
        if (why != null) {
            throw new LedgerUnavailableException(
                    "%s could not be written: %s; what was acknowledged is kept, open the ledger again"
                            .formatted(opened.folder().directory(), why.getMessage()),
                    why);
        }
    }

    private void publishQuietly() {
        try {
            if (appended) { // what a crash left is published by whoever opened the ledger, perhaps with witnesses
                publish();
            }
        } catch (RuntimeException e) {
            // the next append says so
        }
    }

    /** Publishes a checkpoint over everything durable; the last one, if there is nothing new. */
    public SignedNote publish() {
        return publish(List.of());
    }

    /**
     * Publishes a checkpoint that witnesses have cosigned. One that does not leaves the published checkpoint as it was, and this ledger must be
     * opened again; what was logged is kept.
     *
     * @throws VerificationException names the witness that did not cosign, and why
     */
    public SignedNote publish(List<Witness> witnesses) {
        publishing.lock();
        try {
            requireWorking();
            return published(witnesses);
        } catch (RefusedByWitness e) {
            failure = e.reason();
            throw e.reason();
        } catch (IOException | RuntimeException e) {
            failure = e;
            requireWorking();
            throw new AssertionError(e);
        } finally {
            publishing.unlock();
        }
    }

    private SignedNote published(List<Witness> witnesses) throws IOException {
        List<Group.Entry> entries;
        List<Samples.Known> known;
        boolean closed; // its map entry is there since a witness refused or a crash came
        long index;
        WriteAheadLog.Segment following = null;
        if (hasNews()) {
            following = wal.following(); // before the lock: no append waits for it
        }
        appending.lock();
        try {
            if (following == null) {
                if (!hasNews()) {
                    return witnesses.isEmpty() ? publication.note() : publication.cosignAgain(witnesses);
                }
                following = wal.following();
            }
            closed = !queue.isEmpty() && Event.typeOf(queue.getLast().bytes()) == EventBody.Type.MAP.code();
            index = closed ? next - 1 : next++;
            entries = queue;
            known = newlyKnown;
            queue = new ArrayList<>();
            newlyKnown = new ArrayList<>();
            heads.freeze();
            wal.rotate(following);
        } finally {
            appending.unlock();
        }
        Hash root = heads.update();
        appending.lock();
        try {
            heads.thaw();
            if (!closed) {
                Group.Entry map = Group.Entry.ofMap(root, index);
                wal.append(new Group(index, List.of(map), List.of()));
                entries.add(map);
            }
        } finally {
            appending.unlock();
        }
        publication.publish(entries, known, following.number(), witnesses);
        wal.forget(following.number());
        if (checkpoint().size() - snapshotSize > SNAPSHOT_EVERY) {
            snapshot();
        }
        return publication.note();
    }

    private boolean hasNews() {
        appending.lock();
        try {
            return next > publication.checkpoint().size();
        } finally {
            appending.unlock();
        }
    }

    private void snapshot() {
        long size = checkpoint().size();
        new MapSnapshot(size, heads.map()).write(opened.folder().map());
        snapshotSize = size;
    }

    /** The published checkpoint. */
    public Checkpoint checkpoint() {
        return publication.checkpoint();
    }

    /**
     * Erases a sample: logs its deletion under a published checkpoint, then destroys its bucket key, its id and its salt.
     *
     * @return the index of the deletion
     * @throws VerificationException when there is no such sample
     */
    public long erase(SampleId sample, String reason, long time) {
        publishing.lock();
        appending.lock();
        try {
            if (!drafting.hasEvents(sample)) {
                throw new VerificationException("no such sample: " + sample + " has no events");
            }
            Draft draft = new Draft(time, Event.NO_RUN, Optional.of(sample), commit -> new EventBody.Delete(reason));
            List<Prepared> prepared;
            try {
                prepared = prepare(List.of(draft), new long[1]);
            } catch (RefusedDraftException e) {
                throw new UserInputException("the sample cannot be erased for this reason: " + e.getMessage(), e);
            }
            Erasure.begin(opened.folder(), sample, prepared.getFirst().subject);
            long index = commit(prepared);
            publish();
            destroy(sample);
            return index;
        } catch (IOException e) {
            throw new LedgerUnavailableException(
                    "%s cannot be written: %s".formatted(opened.folder().directory(), e), e);
        } finally {
            appending.unlock();
            publishing.unlock();
        }
    }

    private void destroy(SampleId sample) throws IOException {
        publication.destroy(sample, opened.buckets());
        drafting.forget(sample);
        drafting.learn(opened.samples());
        Erasure.end(opened.folder());
    }

    /** Goes on with an erasure that a crash interrupted, if its deletion was logged. */
    private void finishErasure() throws IOException {
        Optional<Erasure> begun = Erasure.begun(opened.folder());
        if (begun.isEmpty()) {
            return;
        }
        publish();
        LedgerReader reader = LedgerReader.open(opened.folder().directory());
        List<LedgerReader.Logged> history = reader.history(begun.get().commitment());
        if (!history.isEmpty() && history.getLast().event().body() instanceof EventBody.Delete) {
            destroy(begun.get().sample());
        } else {
            Erasure.end(opened.folder());
        }
    }

    /** Accepts a ledger as it is: its guard is written anew. The only way past a guard that is missing or newer. */
    public static Checkpoint resetGuard(Path directory) {
        LedgerFolder folder = new LedgerFolder(directory);
        folder.requireLedger();
        try (FileChannel lock = Opening.lock(folder)) {
            List<VerifierKey> verifiers =
                    folder.keys().stream().map(SignerKey::verifierKey).toList();
            SignedNote note = folder.note();
            Checkpoint checkpoint = Checkpoint.open(note, verifiers);
            new Guard(folder.guard()).write(note);
            return checkpoint;
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be written: %s".formatted(directory, e), e);
        }
    }

    /**
     * The guard's checkpoint, if the ledger extends it.
     *
     * @throws LedgerUnavailableException when it does not
     */
    public static Checkpoint guard(Path directory) {
        Ledger ledger = open(directory);
        try {
            return ledger.publication.guard().read(ledger.verifierKeys());
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be read: %s".formatted(directory, e), e);
        } finally {
            ledger.close(false);
        }
    }

    /** Publishes what is new and lets go of the directory. */
    @Override
    public void close() {
        close(true);
    }

    private void close(boolean publish) {
        schedule.cancel(false);
        publisher.shutdown();
        publishing.lock();
        try {
            if (publish && failure == null) {
                publish();
                if ((checkpoint().size() - snapshotSize) * SNAPSHOT_COST
                        > heads.map().size()) {
                    snapshot();
                }
            }
        } finally {
            try {
                publication.close();
                wal.close();
            } catch (IOException e) {
                // nothing is lost: everything was durable before
            } finally {
                Opening.release(opened.lock());
                publishing.unlock();
            }
        }
    }
}
