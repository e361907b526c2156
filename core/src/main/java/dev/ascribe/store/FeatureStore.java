package dev.ascribe.store;

import static dev.ascribe.store.FeatureStoreWriter.BLOCK_BYTES;
import static dev.ascribe.store.FeatureStoreWriter.CRC_AT;
import static dev.ascribe.store.FeatureStoreWriter.NORM_AT;
import static dev.ascribe.store.FeatureStoreWriter.ROWS_FILE;
import static dev.ascribe.store.FeatureStoreWriter.ROW_BYTES;
import static dev.ascribe.store.FeatureStoreWriter.SCALE_AT;
import static dev.ascribe.store.FeatureStoreWriter.checksumFile;
import static dev.ascribe.store.FeatureStoreWriter.segmentFile;

import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * A finished feature store, mapped into memory: per-sample features, shape (rows, width), with the samples' identities.
 * {@link FeatureStoreWriter} describes the files. Safe for use by many threads.
 */
public final class FeatureStore implements AutoCloseable {
    private static final ValueLayout.OfLong BIG_LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Damaged places that a message lists. */
    private static final int LISTED = 20;

    private final Path directory;
    private final Manifest manifest;
    private final Arena arena = Arena.ofShared();
    private final List<MemorySegment> segments = new ArrayList<>();
    private final MemorySegment table;

    private FeatureStore(Path directory, Manifest manifest) throws IOException {
        this.directory = directory;
        this.manifest = manifest;
        table = map(directory.resolve(ROWS_FILE));
        for (int i = 0; i < manifest.segments(); i++) {
            segments.add(map(segmentFile(directory, i)));
        }
    }

    /**
     * Opens a finished store. Checks the manifest and every file's size, not every byte: that is {@link #verify}.
     *
     * @throws CorruptDataException when a file is missing, or longer or shorter than it must be
     * @throws UserInputException when it is not a store, of an unknown format, or not finished
     */
    public static FeatureStore open(Path directory) {
        Manifest manifest = Manifest.read(directory);
        if (!manifest.complete()) {
            throw new UserInputException("%s is not finished, it has %d of %d rows; repeat the command that made it"
                    .formatted(directory, manifest.rows(), manifest.planned()));
        }
        try {
            requireSizes(directory, manifest, false);
            return new FeatureStore(directory, manifest);
        } catch (IOException e) {
            throw new UserInputException("cannot read the index " + directory + ": " + e, e);
        }
    }

    /** @param atLeast whether files may be longer than the manifest says, as they are after an interruption */
    static void requireSizes(Path directory, Manifest manifest, boolean atLeast) throws IOException {
        requireSize(directory.resolve(ROWS_FILE), manifest.rows() * (long) ROW_BYTES, atLeast);
        for (int i = 0; i < manifest.segments(); i++) {
            long bytes = manifest.bytesIn(i);
            boolean open = atLeast && manifest.rowsIn(i) < manifest.segmentRows();
            long blocks = open ? bytes / BLOCK_BYTES : Math.ceilDiv(bytes, BLOCK_BYTES);
            requireSize(segmentFile(directory, i), bytes, open);
            requireSize(checksumFile(directory, i), blocks * Integer.BYTES, open);
        }
    }

    private static void requireSize(Path file, long expected, boolean atLeast) throws IOException {
        long size;
        try {
            size = Files.size(file);
        } catch (NoSuchFileException e) {
            throw new CorruptDataException(file + " is missing; make the index again", e);
        }
        if (size < expected || (size > expected && !atLeast)) {
            throw new CorruptDataException("%s has %d bytes, but %s says %d; make the index again"
                    .formatted(file, size, Manifest.FILE, expected));
        }
    }

    private MemorySegment map(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
    }

    /** Rows. */
    public int rows() {
        return manifest.rows();
    }

    /** Features a row. */
    public int width() {
        return manifest.spec().width();
    }

    /** What it holds and what it was made from. */
    public StoreSpec spec() {
        return manifest.spec();
    }

    /** {@code sha256:<hex>} that names the content. */
    public String digest() {
        return manifest.digest();
    }

    /** The sample of a row. */
    public SampleId id(int row) {
        long at = recordAt(row);
        return new SampleId(
                table.get(BIG_LONG, at),
                table.get(BIG_LONG, at + 8),
                table.get(BIG_LONG, at + 16),
                table.get(BIG_LONG, at + 24));
    }

    /** L2 norm of a row before it was rounded to the dtype. */
    public float norm(int row) {
        return table.get(FLOAT, recordAt(row) + NORM_AT);
    }

    /** What a stored number is to be multiplied with: 1 except for int8. */
    float scale(int row) {
        return table.get(FLOAT, recordAt(row) + SCALE_AT);
    }

    private long recordAt(int row) {
        return Objects.checkIndex(row, rows()) * (long) ROW_BYTES;
    }

    /**
     * Reads a row as floats.
     *
     * @param into shape (width)
     */
    public void row(int row, float[] into) {
        columns(row, 0, width(), into);
    }

    /** Reads columns {@code from} to {@code from + count} of a row into the beginning of {@code into}. */
    void columns(int row, int from, int count, float[] into) {
        Dtype dtype = spec().dtype();
        long at = Objects.checkIndex(row, rows()) % segmentRows() * spec().stride() + (long) from * dtype.bytes();
        dtype.decode(segments.get(row / manifest.segmentRows()), at, count, scale(row), into, 0);
    }

    /** The segments' bytes, shape (rows of the segment, stride). */
    List<MemorySegment> segments() {
        return segments;
    }

    /** Rows of a full segment. */
    int segmentRows() {
        return manifest.segmentRows();
    }

    /**
     * Checks every byte of a finished store.
     *
     * @return how many bytes were checked
     * @throws CorruptDataException names each damaged file and its rows
     */
    public static long verify(Path directory, Progress progress) {
        try (FeatureStore store = open(directory)) {
            List<String> damage = new ArrayList<>();
            long total = store.table.byteSize()
                    + store.segments.stream().mapToLong(MemorySegment::byteSize).sum();
            store.verifyTable(damage);
            long done = store.table.byteSize();
            MessageDigest stored = Digests.sha256();
            MessageDigest computed = Digests.sha256();
            List<String> blocks = new ArrayList<>();
            for (int i = 0; i < store.segments.size(); i++) {
                MemorySegment sums = store.map(checksumFile(directory, i));
                stored.update(sums.asByteBuffer());
                blocks.addAll(store.verifySegment(i, sums, computed, progress, done, total));
                done += store.segments.get(i).byteSize();
                total += sums.byteSize();
            }
            damage.addAll(store.blame(stored, computed, blocks));
            if (!damage.isEmpty()) {
                throw damaged(directory, damage);
            }
            progress.at("verify", total, total);
            return total + Files.size(directory.resolve(Manifest.FILE));
        } catch (IOException e) {
            throw new UserInputException("cannot read the index " + directory + ": " + e, e);
        }
    }

    private void verifyTable(List<String> damage) {
        CRC32C crc = new CRC32C();
        for (int row = 0; row < rows(); row++) {
            crc.reset();
            crc.update(table.asSlice(recordAt(row), CRC_AT).asByteBuffer());
            if (table.get(INT, recordAt(row) + CRC_AT) != (int) crc.getValue()) {
                damage.add("%s, row %d".formatted(ROWS_FILE, row));
            }
        }
        MessageDigest digest = Digests.sha256();
        // A byte buffer cannot span more than 2 GiB.
        for (long at = 0; at < table.byteSize(); at += BLOCK_BYTES) {
            digest.update(table.asSlice(at, Math.min(BLOCK_BYTES, table.byteSize() - at))
                    .asByteBuffer());
        }
        if (damage.isEmpty() && !Digests.name(digest.digest()).equals(manifest.rowTable())) {
            damage.add("%s, rows 0 to %d: not the rows that %s names".formatted(ROWS_FILE, rows() - 1, Manifest.FILE));
        }
    }

    /** Rows of the blocks whose checksum is another than the stored one. */
    private List<String> verifySegment(
            int index, MemorySegment sums, MessageDigest computed, Progress progress, long done, long total) {
        List<String> damage = new ArrayList<>();
        MemorySegment segment = segments.get(index);
        long stride = spec().stride();
        long firstRow = (long) index * manifest.segmentRows();
        CRC32C crc = new CRC32C();
        for (long at = 0; at < segment.byteSize(); at += BLOCK_BYTES) {
            long bytes = Math.min(BLOCK_BYTES, segment.byteSize() - at);
            crc.reset();
            crc.update(segment.asSlice(at, bytes).asByteBuffer());
            int value = (int) crc.getValue();
            computed.update(new byte[] {(byte) value, (byte) (value >> 8), (byte) (value >> 16), (byte) (value >> 24)});
            if (sums.get(INT, at / BLOCK_BYTES * Integer.BYTES) != value) {
                damage.add("features-%05d, rows %d to %d"
                        .formatted(index, firstRow + at / stride, firstRow + (at + bytes - 1) / stride));
            }
            progress.at("verify", done + at, total);
        }
        return damage;
    }

    /** Decides between a segment and its checksums: the manifest knows the digest of the right checksums. */
    private List<String> blame(MessageDigest stored, MessageDigest computed, List<String> blocks) {
        boolean storedRight = Digests.name(stored.digest()).equals(manifest.checksums());
        boolean computedRight = Digests.name(computed.digest()).equals(manifest.checksums());
        if (storedRight && computedRight) {
            return List.of();
        }
        if (blocks.isEmpty()) {
            return List.of(
                    "the segments, rows 0 to %d: not the rows that %s names".formatted(rows() - 1, Manifest.FILE));
        }
        String kind = storedRight ? ".bin" : computedRight ? ".crc" : ".bin or .crc";
        return blocks.stream().map(place -> place.replace(",", kind + ",")).toList();
    }

    private static CorruptDataException damaged(Path directory, List<String> damage) {
        String places = String.join("; ", damage.subList(0, Math.min(LISTED, damage.size())));
        String more = damage.size() > LISTED ? " and %d more places".formatted(damage.size() - LISTED) : "";
        return new CorruptDataException("%s is damaged: %s%s; make the index again".formatted(directory, places, more));
    }

    @Override
    public void close() {
        arena.close();
    }

    @Override
    public String toString() {
        return "%s (%d rows of %d × %s)".formatted(directory, rows(), width(), spec().dtype());
    }
}
