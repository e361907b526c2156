package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** Where the events lie that were appended with a sequence number 1, 2, 3, …, so that a repeated one is not logged twice. */
public final class Sequences {
    private static final String FILE = "sequences";
    private static final int RECORD = Long.BYTES + Integer.BYTES;

    private final Path file;
    private final List<Long> indexes = new ArrayList<>();
    private int stored;

    private Sequences(Path file) {
        this.file = file;
    }

    static Sequences open(Path folder) throws IOException {
        Sequences sequences = new Sequences(folder.resolve(FILE));
        if (Files.exists(sequences.file)) {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(sequences.file));
            while (bytes.remaining() >= RECORD) {
                long index = bytes.getLong();
                if (bytes.getInt() != crc(index)) {
                    throw new LedgerUnavailableException("%s is damaged at byte %,d; put back an undamaged copy"
                            .formatted(sequences.file, bytes.position() - RECORD));
                }
                sequences.indexes.add(index);
            }
        }
        sequences.stored = sequences.indexes.size();
        return sequences;
    }

    private static int crc(long index) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Long.BYTES).putLong(0, index));
        return (int) crc.getValue();
    }

    /** Takes what the write-ahead log holds beyond the published log. */
    void replay(List<Group.Entry> entries, long first) {
        for (int i = 0; i < entries.size(); i++) {
            add(entries.get(i).number(), first + i);
        }
    }

    void add(long number, long index) {
        if (number == indexes.size() + 1L) {
            indexes.add(index);
        }
    }

    void flush() throws IOException {
        if (stored == indexes.size()) {
            return;
        }
        ByteBuffer records = ByteBuffer.allocate((indexes.size() - stored) * RECORD);
        for (long index : indexes.subList(stored, indexes.size())) {
            records.putLong(index).putInt(crc(index));
        }
        records.flip();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            long at = (long) stored * RECORD;
            while (records.hasRemaining()) {
                at += channel.write(records, at);
            }
            channel.force(true);
        }
        stored = indexes.size();
    }

    /** How many there are. */
    public long count() {
        return indexes.size();
    }

    /** The index of the event with a number that is there. */
    public long index(long number) {
        return indexes.get(Math.toIntExact(number - 1));
    }
}
