package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What a group of the write-ahead log holds: entries from an index on, sequence numbers that came with them, and samples that they
 * made known.
 *
 * <pre>
 * u64 first index ‖ u32 entries ‖ u32 known ‖ entries × (u64 sequence number or 0 ‖ u16 length ‖ entry) ‖ known × 97 bytes
 * </pre>
 */
record Group(long first, List<Entry> entries, List<Samples.Known> known) implements WriteAheadLog.Payload {
    private static final int KNOWN = Samples.Known.BYTES;

    /** An entry with its leaf hash, and its sequence number or 0. */
    static final class Entry {
        private final byte[] bytes;
        private final Hash leaf;
        private final long number;

        Entry(byte[] bytes, Hash leaf, long number) {
            this.bytes = bytes;
            this.leaf = leaf;
            this.number = number;
        }

        /** A map entry at an index, made now. */
        static Entry ofMap(Hash root, long index) {
            byte[] entry = new Event(
                            System.currentTimeMillis(),
                            Event.NO_RUN,
                            Hash.ZERO,
                            0,
                            Hash.ZERO,
                            new EventBody.Map(index, root))
                    .encode();
            return new Entry(entry, Hash.leaf(entry), 0);
        }

        byte[] bytes() {
            return bytes;
        }

        Hash leaf() {
            return leaf;
        }

        long number() {
            return number;
        }
    }

    @Override
    public int size() {
        int size = Long.BYTES + 2 * Integer.BYTES + known.size() * KNOWN;
        for (Entry entry : entries) {
            size += Long.BYTES + Short.BYTES + entry.bytes.length;
        }
        return size;
    }

    @Override
    public void writeTo(ByteBuffer to) {
        to.putLong(first).putInt(entries.size()).putInt(known.size());
        for (Entry entry : entries) {
            to.putLong(entry.number).putShort((short) entry.bytes.length).put(entry.bytes);
        }
        known.forEach(one -> one.writeTo(to));
    }

    static Group of(byte[] payload) {
        ByteBuffer from = ByteBuffer.wrap(payload);
        try {
            long first = from.getLong();
            int count = from.getInt();
            int knowns = from.getInt();
            List<Entry> entries = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                long number = from.getLong();
                byte[] bytes = new byte[from.getShort() & 0xffff];
                from.get(bytes);
                entries.add(new Entry(bytes, Hash.leaf(bytes), number));
            }
            List<Samples.Known> known = new ArrayList<>();
            for (int i = 0; i < knowns; i++) {
                byte[] bytes = new byte[KNOWN];
                from.get(bytes);
                known.add(Samples.Known.of(bytes, 0));
            }
            return new Group(first, entries, known);
        } catch (BufferUnderflowException e) {
            throw new LedgerUnavailableException("a group of the write-ahead log is shorter than it says", e);
        }
    }
}
