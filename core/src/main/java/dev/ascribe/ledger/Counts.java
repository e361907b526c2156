package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * How much the private files held when a checkpoint was made, so that one that was cut short or lost since is found. Big-endian:
 *
 * <pre>
 * size u64 ‖ samples u64 ‖ sequences u64 ‖ segment u64 ‖ CRC-32C of the above, u32
 * </pre>
 *
 * @param size of the log
 * @param samples records of the samples file
 * @param sequences events that were appended with a sequence number
 * @param segment the first segment of the write-ahead log that is still needed
 */
record Counts(long size, long samples, long sequences, long segment) {
    private static final String FILE = "counts";
    private static final int CHECKED = 4 * Long.BYTES;

    static Counts read(LedgerFolder folder) throws IOException {
        Path file = folder.inside().resolve(FILE);
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
            if (bytes.remaining() == CHECKED + Integer.BYTES && crc(bytes.array()) == bytes.getInt(CHECKED)) {
                return new Counts(bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong());
            }
            throw new LedgerUnavailableException(file + " is damaged; put back an undamaged copy");
        } catch (NoSuchFileException e) {
            throw new LedgerUnavailableException(file + " is missing; put back an undamaged copy", e);
        }
    }

    void write(LedgerFolder folder) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(CHECKED + Integer.BYTES);
        bytes.putLong(size).putLong(samples).putLong(sequences).putLong(segment);
        bytes.putInt(crc(bytes.array()));
        Durable.write(folder.temporary().resolve(FILE), folder.inside().resolve(FILE), bytes.array());
    }

    private static int crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, CHECKED);
        return (int) crc.getValue();
    }

    /** Refuses a file that holds less than it did. */
    static void require(Path file, long expected, long there) {
        if (there < expected) {
            throw new LedgerUnavailableException(
                    "%s is damaged: it holds %,d records, but held %,d; put back an undamaged copy"
                            .formatted(file, there, expected));
        }
    }
}
