package dev.ascribe.ledger;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/** What the write-ahead log holds beyond the published checkpoint; computed, with nothing written. */
final class Recovery {
    private final List<Group.Entry> entries = new ArrayList<>();
    private final List<Samples.Known> known = new ArrayList<>();
    private final List<Group> fills = new ArrayList<>();
    private final long next;

    /**
     * Reads the groups and compares the log that they make with the guard.
     *
     * @param heads of the published log; gets the new events
     * @param files of the published log
     * @param size of the published log
     * @throws dev.ascribe.LedgerUnavailableException when the log is older than the guard, or forks from it
     */
    Recovery(
            List<WriteAheadLog.Stored> groups,
            Heads heads,
            MerkleRange range,
            LogFiles files,
            long size,
            Checkpoint guard)
            throws IOException {
        TreeMap<Long, Group.Entry> there = new TreeMap<>();
        for (WriteAheadLog.Stored stored : groups) {
            Group group = Group.of(stored.payload());
            for (int i = 0; i < group.entries().size(); i++) {
                there.put(group.first() + i, group.entries().get(i));
            }
            known.addAll(group.known());
        }
        there.headMap(size).clear();
        Guard.requireSize(guard, there.isEmpty() ? size : there.lastKey() + 1);
        Hash root = guard.size() <= size ? Merkle.root(guard.size(), files) : Hash.ZERO;
        long index = size;
        for (; !there.isEmpty() && there.lastKey() >= index; index++) {
            Group.Entry entry = there.get(index);
            if (entry == null) { // set aside for a map entry that a crash prevented
                heads.freeze();
                entry = Group.Entry.ofMap(heads.update(), index);
                heads.thaw();
                fills.add(new Group(index, List.of(entry), List.of()));
            } else if (Event.typeOf(entry.bytes()) >= EventBody.Type.INGEST.code()) {
                heads.put(
                        Event.subjectOf(entry.bytes()),
                        new PrefixMap.Value(Event.sequenceOf(entry.bytes()), entry.leaf()));
            }
            entries.add(entry);
            range.append(entry.leaf());
            if (range.size() == guard.size()) {
                root = range.root();
            }
        }
        next = index;
        Guard.requireRoot(guard, root, next);
    }

    /** Entries beyond the published log. */
    List<Group.Entry> entries() {
        return entries;
    }

    /** Samples that came with them and are not in the samples file; tells of each whether it is there by {@link #stored}. */
    List<Samples.Known> known() {
        return known;
    }

    /** Leaves out samples that were stored before the crash. */
    void stored(Samples samples) throws IOException {
        Set<Hash> fresh = new HashSet<>();
        known.forEach(one -> fresh.add(one.commitment()));
        if (!fresh.isEmpty()) {
            samples.each((bytes, at) -> fresh.remove(Samples.commitment(bytes, at)));
            known.removeIf(one -> !fresh.contains(one.commitment()));
        }
    }

    /** Map entries that were missing, to be made durable. */
    List<Group> fills() {
        return fills;
    }

    /** The index of the entry that comes next. */
    long next() {
        return next;
    }
}
