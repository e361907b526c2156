package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
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
     * Publishes entries that are durable already, in the order that a crash allows: entries and tiles, what is private, the guard, the checkpoint. What a witness
     * is to sign stands in the guard before it sees it.
     *
     * @param entries beyond the published ones; the last is a map entry
     * @param known samples that came with them
     * @param segment of the write-ahead log from which on it is still needed
     * @param witnesses each must cosign the checkpoint
     * @throws RefusedByWitness when one does not; nothing was published
     */
    void publish(List<Group.Entry> entries, List<Samples.Known> known, long segment, List<Witness> witnesses)
            throws IOException {
        for (Group.Entry entry : entries) {
            tiles.add(entry.bytes(), entry.leaf());
        }
        long size = checkpoint.size() + entries.size();
        Checkpoint next = new Checkpoint(checkpoint.origin(), size, tiles.root());
        SignedNote signed = next.sign(keys, System.currentTimeMillis() / 1000);
        if (!witnesses.isEmpty()) {
            guard.write(signed); // before it leaves the house
            signed = cosigned(signed, witnesses, nodes(entries));
        }
        tiles.flush();
        samples.add(known);
        sequences.flush();
        Subjects.add(folder.subjects(), checkpoint.size(), entries);
        counts = new Counts(size, samples.count(), sequences.stored(), segment);
        counts.write(folder);
        guard.write(signed);
        write(folder, signed);
        note = signed;
        checkpoint = next;
        tiles.tidy();
    }

    /** Adds cosignatures to the checkpoint that is published already. */
    SignedNote cosignAgain(List<Witness> witnesses) throws IOException {
        List<VerifierKey> ours = verifierKeys();
        SignedNote plain = new SignedNote(
                note.text(),
                note.signatures().stream()
                        .filter(signature -> ours.stream().anyMatch(key -> key.isNamedBy(signature)))
                        .toList());
        SignedNote signed =
                note.with(cosigned(plain, witnesses, nodes(List.of())).signatures());
        write(folder, signed);
        note = signed;
        return signed;
    }

    private static SignedNote cosigned(SignedNote signed, List<Witness> witnesses, Merkle.Nodes nodes) {
        long size = Checkpoint.parse(signed.text()).size();
        List<SignedNote.Signature> cosignatures = new ArrayList<>();
        for (Witness witness : witnesses) {
            try {
                cosignatures.addAll(
                        witness.cosign(signed, from -> from == 0 ? List.of() : Merkle.consistency(from, size, nodes)));
            } catch (VerificationException e) {
                throw new RefusedByWitness(e);
            }
        }
        return signed.with(cosignatures);
    }

    /** The tree of the published log and of what follows it, which is in no tile yet. */
    private Merkle.Nodes nodes(List<Group.Entry> following) {
        long size = checkpoint.size();
        LogFiles files = new LogFiles(folder.log(), size);
        return new Merkle.Nodes() {
            @Override
            public Hash node(int level, long index) {
                if ((index + 1) << level <= size) {
                    return files.node(level, index);
                }
                return level == 0
                        ? following.get(Math.toIntExact(index - size)).leaf()
                        : Hash.node(node(level - 1, 2 * index), node(level - 1, 2 * index + 1));
            }
        };
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
