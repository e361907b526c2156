package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.zip.CRC32C;

/**
 * What the ledger knows of samples and queries, beside what their bucket keys give: their ids, and salts of their own where the
 * bucket was erased. A file of records that is appended to, and rewritten by an erasure.
 *
 * <pre>
 * record = u8 1 for a query, else 0 ‖ id (32) ‖ salt of its own (32), or zeros ‖ commitment (32) ‖ CRC-32C of the above, u32
 * </pre>
 */
final class Samples {
    private static final String FILE = "samples";
    private static final int SAMPLE_AT = 1;
    private static final int SALT_AT = SAMPLE_AT + Hash.BYTES;
    private static final int COMMITMENT_AT = SALT_AT + Hash.BYTES;
    private static final int CHECKED = COMMITMENT_AT + Hash.BYTES;
    private static final int RECORD = CHECKED + Integer.BYTES;
    private static final int READ = 8192; // records at a time

    private final Path file;
    private final Path temporary;

    /**
     * A sample or query.
     *
     * @param salt its own; zero where the bucket key gives it
     * @param query whether it was known as a query before any event was about it
     */
    record Known(SampleId sample, Hash salt, Hash commitment, boolean query) {
        /** Bytes of one. */
        static final int BYTES = CHECKED;

        /** The same with the salt that its bucket key gives it. */
        Known withSalt(Hash bucketKey) {
            return new Known(sample, Commitment.salt(bucketKey, sample), commitment, query);
        }

        void writeTo(ByteBuffer to) {
            to.put((byte) (query ? 1 : 0)).put(sample.bytes()).put(salt.bytes()).put(commitment.bytes());
        }

        static Known of(byte[] bytes, int at) {
            return new Known(
                    SampleId.fromDigest(
                            Hash.of(bytes, at + SAMPLE_AT, Hash.BYTES).bytes()),
                    Hash.of(bytes, at + SALT_AT, Hash.BYTES),
                    Hash.of(bytes, at + COMMITMENT_AT, Hash.BYTES),
                    bytes[at] != 0);
        }
    }

    /** Takes a record where it lies in many bytes. */
    @FunctionalInterface
    interface Visitor {
        void visit(byte[] bytes, int at) throws IOException;
    }

    Samples(LedgerFolder folder) {
        this.file = folder.inside().resolve(FILE);
        this.temporary = folder.temporary().resolve(FILE);
    }

    Path file() {
        return file;
    }

    /** An empty file. */
    void create() throws IOException {
        Durable.write(temporary, file, new byte[0]);
    }

    /**
     * Shows every record, in the order in which they came; an end that was not written in full is left out.
     *
     * @return how many there are
     */
    long each(Visitor visitor) throws IOException {
        byte[] bytes = new byte[READ * RECORD];
        CRC32C crc = new CRC32C();
        long count = 0;
        try (InputStream in = Files.newInputStream(file)) {
            while (true) {
                int length = in.readNBytes(bytes, 0, bytes.length);
                for (int at = 0; at + RECORD <= length; at += RECORD) {
                    crc.reset();
                    crc.update(bytes, at, CHECKED);
                    if ((int) crc.getValue() != ByteBuffer.wrap(bytes).getInt(at + CHECKED)) {
                        throw new LedgerUnavailableException("%s is damaged at byte %,d; put back an undamaged copy"
                                .formatted(file, count * RECORD));
                    }
                    visitor.visit(bytes, at);
                    count++;
                }
                if (length < bytes.length) {
                    return count;
                }
            }
        }
    }

    /** Whether a record must be looked at when a ledger is opened: one with a salt of its own, or a query. */
    static boolean isRemarkable(byte[] bytes, int at) {
        return bytes[at] != 0 || !Hash.ZERO.matches(bytes, at + SALT_AT);
    }

    /** The commitment of a record. */
    static Hash commitment(byte[] bytes, int at) {
        return Hash.of(bytes, at + COMMITMENT_AT, Hash.BYTES);
    }

    /** Appends records durably, behind the last one that is whole. */
    void add(List<Known> known) throws IOException {
        if (known.isEmpty()) {
            return;
        }
        ByteBuffer records = ByteBuffer.allocate(known.size() * RECORD);
        known.forEach(one -> put(one, records));
        records.flip();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            long at = channel.size() / RECORD * RECORD;
            while (records.hasRemaining()) {
                at += channel.write(records, at);
            }
            channel.force(true);
        }
    }

    private static void put(Known known, ByteBuffer to) {
        int start = to.position();
        known.writeTo(to);
        CRC32C crc = new CRC32C();
        crc.update(to.slice(start, CHECKED));
        to.putInt((int) crc.getValue());
    }

    /** How many records are whole. */
    long count() throws IOException {
        return Files.size(file) / RECORD;
    }

    /** How many records are of a sample. */
    long records(SampleId sample) throws IOException {
        Hash id = Hash.of(sample.bytes());
        long[] found = new long[1];
        each((bytes, at) -> found[0] += id.matches(bytes, at + SAMPLE_AT) ? 1 : 0);
        return found[0];
    }

    /**
     * Rewrites all records.
     *
     * @param change what stands for each; empty: nothing
     */
    void rewrite(Function<Known, Optional<Known>> change) throws IOException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(temporary), 1 << 16)) {
            each((bytes, at) -> {
                Optional<Known> known = change.apply(Known.of(bytes, at));
                if (known.isPresent()) {
                    ByteBuffer record = ByteBuffer.allocate(RECORD);
                    put(known.get(), record);
                    out.write(record.array());
                }
            });
        }
        Durable.replace(temporary, file);
    }

    /** Finds samples by their commitments without reading the file each time: 8 bytes a record. */
    Finder finder() throws IOException {
        return new Finder(this);
    }

    /** The numbers of records, in a hash table with open addressing; a number is kept plus 1. */
    static final class Finder {
        private final Samples samples;
        private final int[] bySample;
        private final int[] byCommitment;

        private Finder(Samples samples) throws IOException {
            this.samples = samples;
            int places = Integer.highestOneBit((int) Math.max(8, Math.min(samples.count(), 1 << 28))) * 4;
            this.bySample = new int[places];
            this.byCommitment = new int[places];
            int[] number = new int[1];
            samples.each((bytes, at) -> {
                number[0]++;
                insert(bySample, place(bytes, at + SAMPLE_AT), number[0]);
                insert(byCommitment, place(bytes, at + COMMITMENT_AT), number[0]);
            });
        }

        private static int place(byte[] bytes, int at) {
            return ByteBuffer.wrap(bytes).getInt(at); // hashes are evenly spread
        }

        private static void insert(int[] table, int hash, int number) {
            int place = hash & (table.length - 1);
            while (table[place] != 0) {
                place = (place + 1) & (table.length - 1);
            }
            table[place] = number;
        }

        /** What is known of a sample. */
        Optional<Known> sample(SampleId sample) throws IOException {
            return find(bySample, sample.bytes(), known -> known.sample().equals(sample));
        }

        /** The sample behind a commitment. */
        Optional<Known> commitment(Hash commitment) throws IOException {
            return find(
                    byCommitment,
                    commitment.bytes(),
                    known -> known.commitment().equals(commitment));
        }

        private Optional<Known> find(int[] table, byte[] wanted, Predicate<Known> is) throws IOException {
            try (FileChannel channel = FileChannel.open(samples.file, StandardOpenOption.READ)) {
                int place = place(wanted, 0) & (table.length - 1);
                for (; table[place] != 0; place = (place + 1) & (table.length - 1)) {
                    byte[] bytes = new byte[RECORD];
                    if (channel.read(ByteBuffer.wrap(bytes), (table[place] - 1L) * RECORD) == RECORD) {
                        Known known = Known.of(bytes, 0);
                        if (is.test(known)) {
                            return Optional.of(known);
                        }
                    }
                }
                return Optional.empty();
            }
        }
    }
}
