package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The published side of a ledger: its files and its checkpoint. Used by one thread at a time. */
final class Publication implements AutoCloseable {
    private final LedgerFolder folder;
    private final List<SignerKey> keys;
    private final Guard guard;
    private final Samples samples;
    private final Sequences sequences;
    private final TileWriter tiles;
    private volatile SignedNote note;
    private volatile Checkpoint checkpoint;
    private Counts counts;

    Publication(
            LedgerFolder folder,
            List<SignerKey> keys,
            Guard guard,
            Samples samples,
            Sequences sequences,
            TileWriter tiles,
            SignedNote note,
            Checkpoint checkpoint,
            Counts counts) {
        this.folder = folder;
        this.keys = keys;
        this.guard = guard;
        this.samples = samples;
        this.sequences = sequences;
        this.tiles = tiles;
        this.note = note;
        this.checkpoint = checkpoint;
        this.counts = counts;
    }

    SignedNote note() {
        return note;
    }

    Checkpoint checkpoint() {
        return checkpoint;
    }

    List<VerifierKey> verifierKeys() {
        return keys.stream().map(SignerKey::verifierKey).toList();
    }

    Guard guard() {
        return guard;
    }

    /**
     * Publishes entries that are durable already, in the order that a crash allows: entries and tiles, what is private, the guard, the checkpoint.
     *
     * @param entries beyond the published ones; the last is a map entry
     * @param known samples that came with them
     * @param segment of the write-ahead log from which on it is still needed
     */
    void publish(List<Group.Entry> entries, List<Samples.Known> known, long segment) throws IOException {
        for (Group.Entry entry : entries) {
            tiles.add(entry.bytes(), entry.leaf());
        }
        tiles.flush();
        long size = checkpoint.size() + entries.size();
        samples.add(known);
        sequences.flush();
        Subjects.add(folder.subjects(), checkpoint.size(), entries);
        counts = new Counts(size, samples.count(), sequences.stored(), segment);
        counts.write(folder);
        Checkpoint next = new Checkpoint(checkpoint.origin(), size, tiles.root());
        SignedNote signed = next.sign(keys, System.currentTimeMillis() / 1000);
        guard.write(signed);
        write(folder, signed);
        note = signed;
        checkpoint = next;
    }

    /** Destroys what links a sample to its commitment; may be repeated. */
    void destroy(SampleId sample, Buckets buckets) throws IOException {
        long removed = samples.records(sample);
        counts = new Counts(counts.size(), samples.count() - removed, counts.sequences(), counts.segment());
        counts.write(folder); // first: the file is about to hold less
        Erasure.destroy(sample, samples, buckets);
    }

    /** Replaces the checkpoint that everybody reads. */
    static void write(LedgerFolder folder, SignedNote note) throws IOException {
        Path temporary = folder.temporary().resolve("checkpoint");
        Durable.write(temporary, folder.checkpoint(), note.bytes());
    }

    @Override
    public void close() {
        tiles.close();
    }
}
