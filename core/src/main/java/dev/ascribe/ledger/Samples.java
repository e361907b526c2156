package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What the ledger knows of samples and queries, beside what their bucket keys give: their ids, and salts of their own where the
 * bucket was erased. A file of records that is appended to, and rewritten by an erasure.
 */
final class Samples {
    private static final String FILE = "samples";
    private static final int RECORD = 3 * Hash.BYTES + Integer.BYTES;

    private final Path file;
    private final Path temporary;

    /**
     * A sample or query.
     *
     * @param salt its own; zero where the bucket key gives it
     */
    record Known(SampleId sample, Hash salt, Hash commitment) {
        byte[] bytes() {
            byte[] bytes = new byte[RECORD - Integer.BYTES];
            System.arraycopy(sample.bytes(), 0, bytes, 0, Hash.BYTES);
            salt.copyTo(bytes, Hash.BYTES);
            commitment.copyTo(bytes, 2 * Hash.BYTES);
            return bytes;
        }

        static Known of(byte[] bytes, int at) {
            return new Known(
                    SampleId.fromDigest(Hash.of(bytes, at, Hash.BYTES).bytes()),
                    Hash.of(bytes, at + Hash.BYTES, Hash.BYTES),
                    Hash.of(bytes, at + 2 * Hash.BYTES, Hash.BYTES));
        }
    }

    Samples(Path folder, Path temporary) {
        this.file = folder.resolve(FILE);
        this.temporary = temporary.resolve(FILE);
    }

    /** All, in the order in which they came; an end that was not written in full is left out. */
    List<Known> all() throws IOException {
        List<Known> all = new ArrayList<>();
        byte[] bytes = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
        for (int at = 0; at + RECORD <= bytes.length; at += RECORD) {
            if (crc(bytes, at) != ByteBuffer.wrap(bytes).getInt(at + RECORD - Integer.BYTES)) {
                throw new LedgerUnavailableException(
                        "%s is damaged at byte %,d; put back an undamaged copy".formatted(file, at));
            }
            all.add(Known.of(bytes, at));
        }
        return all;
    }

    private static int crc(byte[] bytes, int at) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, at, RECORD - Integer.BYTES);
        return (int) crc.getValue();
    }

    /** Appends records durably, behind the last one that is whole. */
    void add(List<Known> known) throws IOException {
        if (known.isEmpty()) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer records = ByteBuffer.wrap(records(known));
            long at = channel.size() / RECORD * RECORD;
            while (records.hasRemaining()) {
                at += channel.write(records, at);
            }
            channel.force(true);
        }
    }

    /** Replaces all records. */
    void replace(List<Known> known) throws IOException {
        Durable.write(temporary, file, records(known));
    }

    private static byte[] records(List<Known> known) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(known.size() * RECORD);
        for (Known one : known) {
            byte[] bytes = one.bytes();
            out.writeBytes(bytes);
            out.writeBytes(
                    ByteBuffer.allocate(Integer.BYTES).putInt(crc(bytes, 0)).array());
        }
        return out.toByteArray();
    }
}
