package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Where the events lie that were appended with a sequence number 1, 2, 3, …, so that a repeated one is not logged twice. Kept as runs
 * of numbers whose indexes follow each other too.
 *
 * <pre>
 * record = number of the first u64 ‖ its index u64 ‖ how many u64 ‖ CRC-32C of the above, u32
 * </pre>
 */
public final class Sequences {
    private static final String FILE = "sequences";
    private static final int CHECKED = 3 * Long.BYTES;
    private static final int RECORD = CHECKED + Integer.BYTES;

    private final Path file;
    private final TreeMap<Long, Long> runs = new TreeMap<>(); // first number → its index
    private long count;
    private long stored; // of the count
    private long records; // in the file

    private Sequences(Path file) {
        this.file = file;
    }

    /** An empty file. */
    static void create(LedgerFolder folder) throws IOException {
        Durable.write(folder.temporary().resolve(FILE), folder.inside().resolve(FILE), new byte[0]);
    }

    /** @param expected how many there were at least */
    static Sequences open(LedgerFolder folder, long expected) throws IOException {
        Sequences sequences = new Sequences(folder.inside().resolve(FILE));
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(sequences.file));
        while (bytes.remaining() >= RECORD) {
            int at = bytes.position();
            long number = bytes.getLong();
            long index = bytes.getLong();
            long length = bytes.getLong();
            if (bytes.getInt() != crc(bytes.array(), at) || number != sequences.count + 1) {
                throw new LedgerUnavailableException(
                        "%s is damaged at byte %,d; put back an undamaged copy".formatted(sequences.file, at));
            }
            sequences.runs.put(number, index);
            sequences.count += length;
            sequences.records++;
        }
        Counts.require(sequences.file, expected, sequences.count);
        sequences.stored = sequences.count;
        return sequences;
    }

    private static int crc(byte[] bytes, int at) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, at, CHECKED);
        return (int) crc.getValue();
    }

    /** Takes what the write-ahead log holds beyond the published log. */
    void replay(List<Group.Entry> entries, long first) {
        for (int i = 0; i < entries.size(); i++) {
            add(entries.get(i).number(), first + i);
        }
    }

    synchronized void add(long number, long index) {
        if (number == count + 1) {
            count++;
            if (runs.isEmpty() || number == stored + 1 || index(number) != index) {
                runs.put(number, index);
            }
        }
    }

    /** Makes durable what is new; called by one thread. */
    void flush() throws IOException {
        ByteBuffer bytes = fresh();
        if (!bytes.hasRemaining()) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            long at = records * RECORD;
            records += bytes.remaining() / RECORD;
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
            channel.force(true);
        }
    }

    private synchronized ByteBuffer fresh() {
        NavigableMap<Long, Long> fresh = runs.tailMap(stored, false);
        ByteBuffer bytes = ByteBuffer.allocate(fresh.size() * RECORD);
        for (Map.Entry<Long, Long> run : fresh.entrySet()) {
            Long next = runs.higherKey(run.getKey());
            long end = next == null ? count + 1 : next;
            int at = bytes.position();
            bytes.putLong(run.getKey()).putLong(run.getValue()).putLong(end - run.getKey());
            bytes.putInt(crc(bytes.array(), at));
        }
        stored = count;
        return bytes.flip();
    }

    /** How many are durable apart from the write-ahead log. */
    synchronized long stored() {
        return stored;
    }

    /** How many there are. */
    public synchronized long count() {
        return count;
    }

    /** The index of the event with a number that is there. */
    public synchronized long index(long number) {
        Map.Entry<Long, Long> run = runs.floorEntry(number);
        if (run == null || number > count) {
            throw new IllegalArgumentException("no event was appended with the number " + number);
        }
        return run.getValue() + number - run.getKey();
    }
}
