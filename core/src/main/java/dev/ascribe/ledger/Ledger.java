package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
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
    private static final long PUBLISH_MILLIS = 1000;

    /** Entries after which the map's snapshot is written again. */
    private static final long SNAPSHOT_EVERY = 1_000_000;

    private final LedgerFolder folder;
    private final FileChannel lockChannel;
    private final List<SignerKey> keys;
    private final Guard guard;
    private final String origin;
    private final Buckets buckets;
    private final Samples samples;
    private final Sequences sequences;
    private final Map<SampleId, Samples.Known> own; // samples and queries with salts of their own
    private final Set<SampleId> queries = new HashSet<>(); // that are in the samples file already
    private final Heads heads;
    private final TileWriter tiles;
    private final WriteAheadLog wal;
    private final ReentrantLock appending = new ReentrantLock();
    private final ReentrantLock publishing = new ReentrantLock();
    private final ScheduledExecutorService publisher = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().factory());
    private final ScheduledFuture<?> schedule;
    private List<Group.Entry> queue; // durable, not yet in a published checkpoint
    private List<Samples.Known> newlyKnown;
    private long next;
    private SignedNote note;
    private Checkpoint published;
    private long snapshotSize;
    private @Nullable Exception failure;

    /** An event ready to be logged; its chain is fixed, its index is not. */
    public static final class Prepared {
        private final byte[] entry;
        private final Hash leaf;
        private final Hash subject;
        private final long sequence;
        private final long number;
        private final List<Samples.Known> known;

        private Prepared(byte[] entry, Event event, long number, List<Samples.Known> known) {
            this.entry = entry;
            this.leaf = Hash.leaf(entry);
            this.subject = event.subject();
            this.sequence = event.sequence();
            this.number = number;
            this.known = known;
        }
    }

    private Ledger(
            LedgerFolder folder,
            FileChannel lockChannel,
            List<SignerKey> keys,
            Guard guard,
            Buckets buckets,
            Samples samples,
            Sequences sequences,
            Map<SampleId, Samples.Known> own,
            Heads heads,
            TileWriter tiles,
            WriteAheadLog wal,
            Recovered recovered,
            SignedNote note,
            Checkpoint published) {
        this.folder = folder;
        this.lockChannel = lockChannel;
        this.keys = keys;
        this.guard = guard;
        this.origin = published.origin();
        this.buckets = buckets;
        this.samples = samples;
        this.sequences = sequences;
        this.own = own;
        this.heads = heads;
        this.tiles = tiles;
        this.wal = wal;
        this.queue = recovered.entries;
        this.newlyKnown = recovered.known;
        this.next = recovered.next;
        this.note = note;
        this.published = published;
        this.snapshotSize = published.size();
        this.schedule = publisher.scheduleWithFixedDelay(
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
        List<SignerKey> keys = given.isEmpty()
                ? List.of(
                        SignerKey.generate(KeyType.ED25519, origin),
                        SignerKey.generate(KeyType.ML_DSA_44_COSIGNATURE, origin))
                : given;
        for (SignerKey key : keys) {
            if (!key.verifierKey().name().equals(origin)) {
                throw new UserInputException("the key is of '%s', but the origin is '%s'"
                        .formatted(key.verifierKey().name(), origin));
            }
        }
        LedgerFolder folder = new LedgerFolder(directory);
        Guard kept =
                new Guard(guard.orElseGet(() -> Guard.standard(keys.getFirst().verifierKey())));
        if (Files.exists(kept.file())) {
            throw new UserInputException(
                    "the guard %s exists: it is another ledger's; give another --guard".formatted(kept.file()));
        }
        try {
            folder.create();
            writeKeys(folder, keys);
            folder.keepGuard(kept.file());
            Buckets buckets = Buckets.create(folder.inside(), folder.temporary());
            long now = System.currentTimeMillis();
            Event first = new Event(
                    now, Event.NO_RUN, Hash.ZERO, 0, Hash.ZERO, new EventBody.Ledger(origin, buckets.salts()));
            Event map = new Event(now, Event.NO_RUN, Hash.ZERO, 0, Hash.ZERO, new EventBody.Map(1, Hash.ZERO));
            try (TileWriter tiles = TileWriter.open(folder.log(), folder.temporary(), 0)) {
                for (Event event : List.of(first, map)) {
                    byte[] entry = event.encode();
                    tiles.add(entry, Hash.leaf(entry));
                }
                tiles.flush();
                Checkpoint checkpoint = new Checkpoint(origin, 2, tiles.root());
                SignedNote note = checkpoint.sign(keys, now / 1000);
                kept.write(note);
                Durable.write(folder.temporary().resolve("checkpoint"), folder.checkpoint(), note.bytes());
                return checkpoint;
            }
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be written: %s".formatted(directory, e), e);
        }
    }

    private static void writeKeys(LedgerFolder folder, List<SignerKey> keys) throws IOException {
        Path partial = folder.temporary().resolve("keys");
        Files.createFile(partial, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        String text = String.join(
                "", keys.stream().map(key -> key.secretText() + "\n").toList());
        Durable.write(partial, folder.keysFile(), text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Opens a ledger for writing, finishing what a crash interrupted.
     *
     * @throws LedgerUnavailableException when another process writes, the guard is missing or newer, or a file is damaged; then nothing was
     *     written
     */
    public static Ledger open(Path directory) {
        LedgerFolder folder = new LedgerFolder(directory);
        folder.requireLedger();
        FileChannel lock = null;
        try {
            lock = lock(folder);
            Ledger ledger = open(folder, lock);
            ledger.finishErasure();
            return ledger;
        } catch (IOException | RuntimeException e) {
            if (lock != null) {
                closeQuietly(lock);
            }
            if (e instanceof LedgerUnavailableException || e instanceof UserInputException) {
                throw (RuntimeException) e;
            }
            throw new LedgerUnavailableException("%s cannot be opened: %s".formatted(directory, e.getMessage()), e);
        }
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // the lock ends with the process
        }
    }

    private static FileChannel lock(LedgerFolder folder) throws IOException {
        FileChannel channel =
                FileChannel.open(folder.inside().resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // held by this very process
        }
        channel.close();
        throw new LedgerUnavailableException(
                folder.directory() + " is locked: another process writes to it; wait until it has finished");
    }

    private static Ledger open(LedgerFolder folder, FileChannel lock) throws IOException {
        folder.clearTemporary();
        List<SignerKey> keys = folder.keys();
        List<VerifierKey> verifiers = keys.stream().map(SignerKey::verifierKey).toList();
        SignedNote note = folder.note();
        Checkpoint published = Checkpoint.open(note, verifiers);
        long size = published.size();
        LogFiles files = new LogFiles(folder.log(), size);
        TileWriter tiles = TileWriter.open(folder.log(), folder.temporary(), size);
        if (!tiles.root().equals(published.root())) {
            throw new LedgerUnavailableException(
                    folder.log() + " is damaged: its tiles do not have the checkpoint's root");
        }
        if (!(Event.decode(files.entry(0)).body() instanceof EventBody.Ledger first)) {
            throw new LedgerUnavailableException(folder.log() + " is damaged: its first entry is no 'ledger'");
        }
        Buckets buckets = Buckets.open(folder.inside(), first.salts());
        Heads heads = new Heads(MapLoader.load(folder.map(), files, size));
        List<WriteAheadLog.Group> groups = WriteAheadLog.replay(folder.inside());
        Recovered recovered = Recovered.of(groups, heads, tiles, size);
        Guard guard = new Guard(folder.guard());
        recovered.compare(guard.read(verifiers), files);
        WriteAheadLog wal = WriteAheadLog.open(folder.inside(), groups);
        for (Group fill : recovered.fills) {
            append(wal, fill);
        }
        Samples samples = new Samples(folder.inside(), folder.temporary());
        Map<SampleId, Samples.Known> own = new HashMap<>();
        List<Samples.Known> stored = samples.all();
        Set<SampleId> storedIds = new HashSet<>();
        for (Samples.Known known : stored) {
            storedIds.add(known.sample());
        }
        recovered.known.removeIf(known -> storedIds.contains(known.sample()));
        stored.addAll(recovered.known);
        for (Samples.Known known : stored) {
            if (!known.salt().equals(Hash.ZERO)) {
                own.put(known.sample(), known);
            }
        }
        Sequences sequences = Sequences.open(folder.inside());
        sequences.replay(recovered.entries, size);
        Subjects.repair(folder.subjects(), files, size);
        Ledger ledger = new Ledger(
                folder, lock, keys, guard, buckets, samples, sequences, own, heads, tiles, wal, recovered, note,
                published);
        for (Samples.Known known : stored) {
            if (heads.find(known.commitment()).isEmpty()) {
                ledger.queries.add(known.sample());
            }
        }
        return ledger;
    }

    /** What the write-ahead log holds beyond the published checkpoint. */
    private static final class Recovered {
        private final List<Group.Entry> entries = new ArrayList<>();
        private final List<Samples.Known> known = new ArrayList<>();
        private final List<Group> fills = new ArrayList<>();
        private final SortedMap<Long, Hash> roots = new TreeMap<>();
        private long next;

        static Recovered of(List<WriteAheadLog.Group> groups, Heads heads, TileWriter tiles, long size) {
            Recovered recovered = new Recovered();
            TreeMap<Long, Group.Entry> there = new TreeMap<>();
            for (WriteAheadLog.Group raw : groups) {
                Group group = Group.of(raw.payload());
                for (int i = 0; i < group.entries().size(); i++) {
                    there.put(group.first() + i, group.entries().get(i));
                }
                recovered.known.addAll(group.known());
            }
            there.headMap(size).clear();
            MerkleRange range = tiles.range();
            recovered.next = size;
            while (!there.isEmpty() && there.lastKey() >= recovered.next) {
                Group.Entry entry = there.get(recovered.next);
                if (entry == null) { // set aside for a map entry that a crash prevented
                    entry = mapEntry(heads, recovered.next);
                    recovered.fills.add(new Group(recovered.next, List.of(entry), List.of()));
                } else if (Event.typeOf(entry.bytes()) >= EventBody.Type.INGEST.code()) {
                    heads.put(
                            Event.subjectOf(entry.bytes()),
                            new PrefixMap.Value(Event.sequenceOf(entry.bytes()), entry.leaf()));
                }
                recovered.entries.add(entry);
                range.append(entry.leaf());
                recovered.next++;
                recovered.roots.put(recovered.next, range.root());
            }
            return recovered;
        }

        void compare(Checkpoint guard, LogFiles files) {
            Guard.requireSize(guard, next);
            Hash root = roots.containsKey(guard.size()) ? roots.get(guard.size()) : Merkle.root(guard.size(), files);
            Guard.requireRoot(guard, root, next);
        }
    }

    private static Group.Entry mapEntry(Heads heads, long index) {
        heads.freeze();
        Hash root = heads.update();
        heads.thaw();
        return mapEntry(root, index);
    }

    private static Group.Entry mapEntry(Hash root, long index) {
        byte[] entry = new Event(
                        System.currentTimeMillis(),
                        Event.NO_RUN,
                        Hash.ZERO,
                        0,
                        Hash.ZERO,
                        new EventBody.Map(index, root))
                .encode();
        return new Group.Entry(entry, Hash.leaf(entry), 0);
    }

    private static void append(WriteAheadLog wal, Group group) throws IOException {
        byte[] payload = group.payload();
        wal.append(payload, payload.length);
    }

    /** The public halves of its keys. */
    public List<VerifierKey> verifierKeys() {
        return keys.stream().map(SignerKey::verifierKey).toList();
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
            Map<Hash, PrefixMap.Value> staged = new HashMap<>();
            Map<SampleId, Samples.Known> met = new HashMap<>();
            List<Prepared> prepared = new ArrayList<>(drafts.size());
            for (int i = 0; i < drafts.size(); i++) {
                try {
                    prepared.add(prepare(drafts.get(i), numbers[i], staged, met));
                } catch (VerificationException e) {
                    throw new RefusedDraftException(i, e);
                }
            }
            return prepared;
        } finally {
            appending.unlock();
        }
    }

    private Prepared prepare(
            Draft draft, long number, Map<Hash, PrefixMap.Value> staged, Map<SampleId, Samples.Known> met) {
        List<Samples.Known> known = new ArrayList<>();
        EventBody body = draft.content().body(id -> commitment(id, met, known));
        Hash subject = draft.sample().isPresent()
                ? commitment(draft.sample().get(), met, known)
                : Event.subjectOf(draft.run());
        Optional<PrefixMap.Value> before =
                staged.containsKey(subject) ? Optional.of(staged.get(subject)) : heads.find(subject);
        boolean begins = body instanceof EventBody.Ingest || body instanceof EventBody.Transform;
        if (before.isEmpty() && body.type().about() == EventBody.About.SAMPLE && !begins) {
            throw new VerificationException("a sample's first event must be 'ingest' or 'transform'");
        }
        if (body instanceof EventBody.Transform transform) {
            for (Hash parent : transform.parents()) {
                if (parent.equals(subject)) {
                    throw new VerificationException("a sample cannot be its own parent");
                }
                if (!staged.containsKey(parent) && heads.find(parent).isEmpty()) {
                    throw new VerificationException("a parent has no earlier event: log its 'ingest' first");
                }
            }
        }
        Event event = new Event(
                draft.time(),
                draft.run(),
                subject,
                before.map(PrefixMap.Value::count).orElse(0L) + 1,
                before.map(PrefixMap.Value::last).orElse(Hash.ZERO),
                body);
        Prepared prepared = new Prepared(event.encode(), event, number, known);
        staged.put(subject, new PrefixMap.Value(prepared.sequence, prepared.leaf));
        return prepared;
    }

    /** A sample's commitment; one that was not known becomes so with the event that is being prepared. */
    private Hash commitment(SampleId id, Map<SampleId, Samples.Known> met, List<Samples.Known> known) {
        Samples.Known there = met.getOrDefault(id, own.get(id));
        if (there != null) {
            return there.commitment();
        }
        Optional<Hash> given = buckets.salt(id);
        Hash salt = given.orElseGet(Ledger::randomSalt);
        Samples.Known fresh = new Samples.Known(id, given.isPresent() ? Hash.ZERO : salt, Commitment.of(salt, id));
        met.put(id, fresh);
        if (heads.find(fresh.commitment()).isEmpty() && !queries.contains(id)) {
            known.add(fresh);
        }
        return fresh.commitment();
    }

    private static Hash randomSalt() {
        byte[] salt = new byte[Hash.BYTES];
        new SecureRandom().nextBytes(salt);
        return Hash.of(salt);
    }

    /** Makes prepared events durable, as one group; returns the index of the first. */
    public long commit(List<Prepared> prepared) {
        appending.lock();
        try {
            requireWorking();
            List<Group.Entry> entries = new ArrayList<>(prepared.size());
            List<Samples.Known> known = new ArrayList<>();
            for (Prepared one : prepared) {
                entries.add(new Group.Entry(one.entry, one.leaf, one.number));
                known.addAll(one.known);
            }
            long first = next;
            append(wal, new Group(first, entries, known));
            next += entries.size();
            for (int i = 0; i < entries.size(); i++) {
                Prepared one = prepared.get(i);
                heads.put(one.subject, new PrefixMap.Value(one.sequence, one.leaf));
                sequences.add(one.number, first + i);
            }
            queue.addAll(entries);
            for (Samples.Known one : known) {
                newlyKnown.add(one);
                if (!one.salt().equals(Hash.ZERO)) {
                    own.put(one.sample(), one);
                }
                if (heads.find(one.commitment()).isEmpty()) {
                    queries.add(one.sample());
                }
            }
            return first;
        } catch (IOException e) {
            throw new LedgerUnavailableException(
                    "%s cannot be written: %s; nothing of this group was logged"
                            .formatted(folder.directory(), e.getMessage()),
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
        return sequences;
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
            List<Samples.Known> known = new ArrayList<>();
            Map<SampleId, Samples.Known> met = new HashMap<>();
            Hash subject = draft.sample().isPresent()
                    ? commitment(draft.sample().get(), met, known)
                    : Event.subjectOf(draft.run());
            EventBody body = draft.content().body(id -> commitment(id, met, known));
            return there.subject().equals(subject)
                    && there.run().equals(draft.run())
                    && there.body().equals(body)
                    && (!timed || there.time() == draft.time());
        } finally {
            appending.unlock();
        }
    }

    private Event event(long index) {
        if (index >= checkpoint().size()) {
            publish(); // it is durable, but not yet where it can be read
        }
        try {
            return Event.decode(new LogFiles(folder.log(), checkpoint().size()).entry(index));
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be read: %s".formatted(folder.directory(), e), e);
        }
    }

    private void requireWorking() {
        if (failure != null) {
            throw new LedgerUnavailableException(
                    "%s could not publish a checkpoint: %s; what was acknowledged is kept, open the ledger again"
                            .formatted(folder.directory(), failure.getMessage()),
                    failure);
        }
    }

    private void publishQuietly() {
        try {
            publish();
        } catch (RuntimeException e) {
            // the next append says so
        }
    }

    /** Publishes a checkpoint over everything durable; the last one, if there is nothing new. */
    public SignedNote publish() {
        publishing.lock();
        try {
            requireWorking();
            return published();
        } catch (IOException | RuntimeException e) {
            failure = e;
            requireWorking();
            throw new AssertionError(e);
        } finally {
            publishing.unlock();
        }
    }

    private SignedNote published() throws IOException {
        List<Group.Entry> entries;
        List<Samples.Known> known;
        long index;
        long kept;
        appending.lock();
        try {
            if (next == published.size()) {
                return note;
            }
            index = next++;
            entries = queue;
            known = newlyKnown;
            queue = new ArrayList<>();
            newlyKnown = new ArrayList<>();
            heads.freeze();
            kept = wal.rotate();
        } finally {
            appending.unlock();
        }
        Group.Entry map = mapEntry(heads.update(), index);
        appending.lock();
        try {
            append(wal, new Group(index, List.of(map), List.of()));
        } finally {
            appending.unlock();
        }
        entries.add(map);
        for (Group.Entry entry : entries) {
            tiles.add(entry.bytes(), entry.leaf());
        }
        tiles.flush();
        samples.add(known);
        sequences.flush();
        Subjects.add(folder.subjects(), published.size(), entries);
        Checkpoint checkpoint = new Checkpoint(origin, index + 1, tiles.root());
        SignedNote signed = checkpoint.sign(keys, System.currentTimeMillis() / 1000);
        guard.write(signed);
        Durable.write(folder.temporary().resolve("checkpoint"), folder.checkpoint(), signed.bytes());
        note = signed;
        published = checkpoint;
        appending.lock();
        try {
            heads.thaw();
            wal.forget(kept);
        } finally {
            appending.unlock();
        }
        if (published.size() - snapshotSize > SNAPSHOT_EVERY) {
            snapshot();
        }
        return note;
    }

    private void snapshot() {
        new MapSnapshot(published.size(), heads.map()).write(folder.map());
        snapshotSize = published.size();
    }

    /** The published checkpoint. */
    public Checkpoint checkpoint() {
        publishing.lock();
        try {
            return published;
        } finally {
            publishing.unlock();
        }
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
            Draft draft = new Draft(time, Event.NO_RUN, Optional.of(sample), commit -> new EventBody.Delete(reason));
            List<Prepared> prepared;
            try {
                prepared = prepare(List.of(draft), new long[1]);
            } catch (RefusedDraftException e) {
                throw new VerificationException("no such sample: " + sample + " has no events", e);
            }
            Erasure.begin(folder, sample, prepared.getFirst().subject);
            long index = commit(prepared);
            publish();
            destroy(sample);
            return index;
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be written: %s".formatted(folder.directory(), e), e);
        } finally {
            appending.unlock();
            publishing.unlock();
        }
    }

    private void destroy(SampleId sample) throws IOException {
        Erasure.destroy(sample, samples, buckets);
        own.remove(sample);
        for (Samples.Known known : samples.all()) {
            if (!known.salt().equals(Hash.ZERO)) {
                own.put(known.sample(), known);
            }
        }
        Erasure.end(folder);
    }

    /** Goes on with an erasure that a crash interrupted, if its deletion was logged. */
    private void finishErasure() throws IOException {
        Optional<Erasure> begun = Erasure.begun(folder);
        if (begun.isEmpty()) {
            return;
        }
        publish();
        LedgerReader reader = LedgerReader.open(folder.directory());
        List<LedgerReader.Logged> history = reader.history(begun.get().commitment());
        if (!history.isEmpty() && history.getLast().event().body() instanceof EventBody.Delete) {
            destroy(begun.get().sample());
        } else {
            Erasure.end(folder);
        }
    }

    /** Accepts a ledger as it is: its guard is written anew. The only way past a guard that is missing or newer. */
    public static Checkpoint resetGuard(Path directory) {
        LedgerFolder folder = new LedgerFolder(directory);
        folder.requireLedger();
        try (FileChannel lock = lock(folder)) {
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
        try (Ledger ledger = open(directory)) {
            return ledger.guard.read(ledger.verifierKeys());
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be read: %s".formatted(directory, e), e);
        }
    }

    /** Publishes what is new and lets go of the directory. */
    @Override
    public void close() {
        schedule.cancel(false);
        publisher.shutdown();
        publishing.lock();
        try {
            if (failure == null) {
                publish();
                if (published.size() > snapshotSize) {
                    snapshot();
                }
            }
        } finally {
            try {
                tiles.close();
                wal.close();
                lockChannel.close();
            } catch (IOException e) {
                // nothing is lost: everything was durable before
            }
            publishing.unlock();
        }
    }
}
