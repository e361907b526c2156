package dev.ascribe.store;

import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Writes a feature store, format {@code ascribe/features/1}. A store is a directory of
 *
 * <ul>
 *   <li>{@code manifest.json}: UTF-8 JSON with the keys {@code format}, {@code dtype}, {@code width}, {@code segmentRows} (rows
 *       of a full segment), {@code rows}, {@code planned} (rows when finished), {@code complete}, {@code blocks} (name, offset,
 *       width, entries), {@code identity} (text to text), {@code rowTable} (SHA-256 of {@code rows.bin}), {@code checksums}
 *       (SHA-256 of all {@code .crc} files in order), and in its last line {@code digest}, the SHA-256 of the bytes before that
 *       line's preceding comma. The digest names the store's content.
 *   <li>{@code features-NNNNN.bin}: segments of at most 1 GiB, counted from 00000. {@code segmentRows} rows each, the last one
 *       fewer, row-major; a row is its features in the {@link Dtype}, little-endian, then zeros up to a multiple of 64 bytes.
 *   <li>{@code features-NNNNN.crc}: the CRC32C of every 64 KiB of the segment, the last block shorter; little-endian
 *       <b>[int32]</b> each.
 *   <li>{@code rows.bin}: a record of 44 bytes a row:
 *       <ul>
 *         <li><b>[32 bytes]</b> sample id
 *         <li><b>[float32]</b> L2 norm of the row before it was rounded to the dtype, little-endian like the rest
 *         <li><b>[float32]</b> scale: 1 except for int8
 *         <li><b>[int32]</b> CRC32C of the 40 bytes before
 *       </ul>
 * </ul>
 *
 * <p>Rows become durable by {@link #commit()}: segment and table bytes reach the disk, then a new manifest replaces the old one
 * by rename. What lies beyond the manifest's {@code rows} is cut off by the next {@link #open}. Until the store is complete the
 * checksum of the last, partly filled block is only in the manifest's {@code checksums}, not in the {@code .crc} file. No byte of
 * a finished store depends on the time, the machine or how often it was interrupted.
 *
 * <p>Not safe for use by several threads. One writer at a time: {@code rows.bin} is locked.
 */
public final class FeatureStoreWriter implements AutoCloseable {
    static final long SEGMENT_LIMIT = 1L << 30;
    static final long ALIGNMENT = 64;
    static final int BLOCK_BYTES = 1 << 16;
    static final int ROW_BYTES = 44;
    static final String ROWS_FILE = "rows.bin";
    static final int NORM_AT = 32;
    static final int SCALE_AT = 36;
    static final int CRC_AT = 40;
    private static final int STAGING_BYTES = 4 << 20;
    private static final Set<String> EMPTY_STORE = Set.of(ROWS_FILE, Manifest.TEMPORARY);

    private final Path directory;
    private final StoreSpec spec;
    private final int planned;
    private final int segmentRows;
    private final long stride;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment staging; // (stagedLimit, stride) bytes
    private final int stagedLimit;
    private final ByteBuffer table; // (stagedLimit, ROW_BYTES)
    private final ByteBuffer blocks; // block checksums that the staged rows can fill
    private final FileChannel rowsFile;
    private final MessageDigest rowTable = Digests.sha256();
    private final MessageDigest checksums = Digests.sha256();
    private final CRC32C block = new CRC32C();
    private final CRC32C record = new CRC32C();
    private int blockFilled;
    private @Nullable FileChannel features;
    private @Nullable FileChannel crcs;
    private int staged;
    private int written;
    private int durable;
    private boolean complete;
    private boolean failed;

    private FeatureStoreWriter(Path directory, StoreSpec spec, int planned, int segmentRows, FileChannel rowsFile) {
        this.directory = directory;
        this.spec = spec;
        this.planned = planned;
        this.segmentRows = segmentRows;
        this.rowsFile = rowsFile;
        stride = spec.stride();
        stagedLimit = (int) Math.max(1, STAGING_BYTES / stride);
        staging = arena.allocate(stagedLimit * stride, ALIGNMENT);
        table = ByteBuffer.allocate(stagedLimit * ROW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        blocks = ByteBuffer.allocate((int) (staging.byteSize() / BLOCK_BYTES + 2) * Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Creates a store, or continues one that was interrupted after {@link #rows()} rows. A finished store is opened too and has
     * nothing left to do.
     *
     * @param plannedRows rows when finished
     * @throws UserInputException when the folder holds a store of another spec or number of rows, or anything else
     */
    public static FeatureStoreWriter open(Path directory, StoreSpec spec, int plannedRows) {
        return open(directory, spec, plannedRows, Set.of(), false, SEGMENT_LIMIT);
    }

    /** What a store was begun with, finished or not. */
    public static Optional<StoreSpec> begun(Path directory) {
        return Files.exists(directory.resolve(Manifest.FILE))
                ? Optional.of(Manifest.read(directory).spec())
                : Optional.empty();
    }

    /**
     * Opens a store to add rows to it, finished or not. The result equals a store that was written at once.
     *
     * @param plannedRows rows when finished, old ones included
     * @param mayDiffer identity keys that take the value of {@code spec}, such as the digest of a corpus that has grown: the
     *     caller answers for the old rows
     */
    public static FeatureStoreWriter extend(Path directory, StoreSpec spec, int plannedRows, Set<String> mayDiffer) {
        return open(directory, spec, plannedRows, mayDiffer, true, SEGMENT_LIMIT);
    }

    static FeatureStoreWriter open(
            Path directory, StoreSpec spec, int planned, Set<String> mayDiffer, boolean extend, long segmentLimit) {
        if (planned < 1) {
            throw new IllegalArgumentException("a store needs at least 1 row, not " + planned);
        }
        try {
            boolean fresh = !Files.exists(directory.resolve(Manifest.FILE));
            if (fresh) {
                prepare(directory);
            }
            FileChannel rowsFile = FileChannel.open(
                    directory.resolve(ROWS_FILE),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            try {
                lock(directory, rowsFile);
                int segmentRows = Math.clamp(segmentLimit / spec.stride(), 1, Integer.MAX_VALUE);
                if (!Files.exists(directory.resolve(Manifest.FILE))) {
                    String none = Digests.name(Digests.sha256(new byte[0]));
                    Manifest.commit(directory, spec, segmentRows, 0, planned, false, none, none);
                }
                return resume(directory, spec, planned, mayDiffer, extend, rowsFile);
            } catch (Throwable e) {
                rowsFile.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UserInputException("cannot write the index " + directory + ": " + e, e);
        }
    }

    private static void prepare(Path directory) throws IOException {
        Files.createDirectories(directory);
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (!EMPTY_STORE.contains(name) || (name.equals(ROWS_FILE) && Files.size(file) > 0)) {
                    throw new UserInputException(
                            "%s is not an index (it has no %s) and not empty (it has %s); name a new folder"
                                    .formatted(directory, Manifest.FILE, name));
                }
            }
        }
    }

    private static void lock(Path directory, FileChannel rowsFile) throws IOException {
        boolean locked;
        try {
            locked = rowsFile.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            locked = false;
        }
        if (!locked) {
            throw new UserInputException(
                    directory + " is being written by another process; wait until it has finished");
        }
    }

    private static FeatureStoreWriter resume(
            Path directory, StoreSpec spec, int planned, Set<String> mayDiffer, boolean extend, FileChannel rowsFile)
            throws IOException {
        Manifest manifest = Manifest.read(directory);
        manifest.spec().requireSame(spec, directory.toString(), mayDiffer);
        if (planned < manifest.rows() || (planned != manifest.planned() && !extend)) {
            throw new UserInputException(
                    "%s is planned for %d rows and has %d, but %d are asked for; name another folder, or append to it"
                            .formatted(directory, manifest.planned(), manifest.rows(), planned));
        }
        FeatureStoreWriter writer = new FeatureStoreWriter(directory, spec, planned, manifest.segmentRows(), rowsFile);
        try {
            writer.recover(manifest);
        } catch (Throwable e) {
            writer.close();
            throw e;
        }
        return writer;
    }

    /** Brings files and running checksums to the state of the manifest. */
    private void recover(Manifest manifest) throws IOException {
        FeatureStore.requireSizes(directory, manifest, true);
        written = manifest.rows();
        durable = manifest.rows();
        if (manifest.complete()
                && manifest.planned() == planned
                && manifest.spec().equals(spec)) {
            complete = true;
            return;
        }
        long needed = (planned - (long) written) * (stride + ROW_BYTES);
        long free = Files.getFileStore(directory).getUsableSpace();
        if (needed > free) {
            throw new UserInputException(
                    "%s needs %,d more bytes for %d rows, but the disk has %,d free; free some, or choose a smaller width or dtype"
                            .formatted(directory, needed, planned - written, free));
        }
        if (manifest.complete()) {
            // From here on an interruption leaves a store that says it is not finished.
            commitManifest(false, manifest.rowTable(), manifest.checksums());
        }
        Files.deleteIfExists(directory.resolve(Manifest.TEMPORARY));
        rowsFile.truncate(written * (long) ROW_BYTES);
        replay(rowsFile, rowTable, rowsFile.size());
        int full = written / segmentRows;
        for (int segment = 0; segment < full; segment++) {
            try (FileChannel table = FileChannel.open(checksumFile(directory, segment), StandardOpenOption.READ)) {
                replay(table, checksums, table.size());
            }
        }
        for (int segment = manifest.segments(); Files.deleteIfExists(segmentFile(directory, segment)); segment++) {
            Files.deleteIfExists(checksumFile(directory, segment));
        }
        if (written % segmentRows > 0) {
            openSegment(full);
            reopenLastBlock(written % segmentRows * stride);
        }
        if (!Digests.name(rowTable()).equals(manifest.rowTable())
                || !Digests.name(checksums()).equals(manifest.checksums())) {
            throw new CorruptDataException(
                    directory + " was damaged since it was interrupted; delete it and make the index again");
        }
    }

    private void reopenLastBlock(long bytes) throws IOException {
        FileChannel segment = require(features);
        FileChannel sums = require(crcs);
        segment.truncate(bytes);
        segment.position(bytes);
        long fullBlocks = bytes / BLOCK_BYTES;
        sums.truncate(fullBlocks * Integer.BYTES);
        replay(sums, checksums, sums.size());
        ByteBuffer tail = ByteBuffer.allocate((int) (bytes % BLOCK_BYTES));
        readFully(segment, tail, fullBlocks * BLOCK_BYTES);
        blockFilled = tail.limit();
        block.update(tail.flip());
    }

    /** Feeds the first bytes of a file to a digest and leaves the file at their end. */
    private static void replay(FileChannel file, MessageDigest digest, long bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        for (long at = 0; at < bytes; at += buffer.limit()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - at));
            readFully(file, buffer, at);
            digest.update(buffer.flip());
        }
        file.position(bytes);
    }

    private static void readFully(FileChannel file, ByteBuffer into, long at) throws IOException {
        while (into.hasRemaining()) {
            int n = file.read(into, at + into.position());
            if (n < 0) {
                throw new IOException("the file ended at byte " + (at + into.position()));
            }
        }
    }

    /** Rows that are durable: the caller continues with the row of this number. */
    public int rows() {
        return durable;
    }

    /** Adds one row; see {@link #append(SampleId, float[], int)}. */
    public void append(SampleId id, float[] features) {
        if (features.length != spec.width()) {
            throw new IllegalArgumentException(
                    "a row of %d features for a store of width %d".formatted(features.length, spec.width()));
        }
        append(id, features, 0);
    }

    /**
     * Adds rows in order.
     *
     * @param features shape (ids, width), row-major
     */
    public void append(List<SampleId> ids, float[] features) {
        if (features.length != ids.size() * (long) spec.width()) {
            throw new IllegalArgumentException(
                    "%d features for %d rows of width %d".formatted(features.length, ids.size(), spec.width()));
        }
        for (int i = 0; i < ids.size(); i++) {
            append(ids.get(i), features, i * spec.width());
        }
    }

    /**
     * Adds one row. It is durable after the next {@link #commit()}.
     *
     * @param features the row's values begin at {@code offset}
     * @throws UserInputException when a value is not finite or too large for the dtype: names the row
     */
    public void append(SampleId id, float[] features, int offset) {
        int row = written + staged;
        if (row >= planned) {
            throw new IllegalStateException("row %d is beyond the planned %d".formatted(row, planned));
        }
        double squares = 0;
        for (int i = 0; i < spec.width(); i++) {
            float value = features[offset + i];
            if (!Float.isFinite(value)) {
                throw refused(row, id, "feature %d is %s".formatted(i, value));
            }
            squares += (double) value * value;
        }
        float norm = (float) Math.sqrt(squares);
        if (!Float.isFinite(norm)) {
            throw refused(row, id, "its norm %s is beyond a float".formatted(Math.sqrt(squares)));
        }
        float scale;
        try {
            scale = spec.dtype().encode(features, offset, spec.width(), staging, staged * stride);
        } catch (ArithmeticException e) {
            throw refused(row, id, e.getMessage());
        }
        int at = staged * ROW_BYTES;
        table.put(at, id.bytes()).putFloat(at + NORM_AT, norm).putFloat(at + SCALE_AT, scale);
        record.reset();
        record.update(table.array(), at, CRC_AT);
        table.putInt(at + CRC_AT, (int) record.getValue());
        staged++;
        if (staged == stagedLimit || (written + staged) % segmentRows == 0) {
            writing(this::flush);
        }
    }

    private static UserInputException refused(int row, SampleId id, @Nullable String why) {
        return new UserInputException(
                "row %d (%s) has no usable gradient: %s; check the model's weights and this row, or compute in f32"
                        .formatted(row, id, why));
    }

    /** Makes all rows so far durable. */
    public void commit() {
        if (written + staged > durable) {
            writing(() -> {
                flush();
                force();
                commitManifest(false, Digests.name(rowTable()), Digests.name(checksums()));
            });
        }
    }

    /** Commits, and marks the store finished. All planned rows must be there. */
    public void finish() {
        if (complete) {
            return;
        }
        if (written + staged != planned) {
            throw new IllegalStateException("%d of %d planned rows".formatted(written + staged, planned));
        }
        writing(() -> {
            flush();
            endSegment();
            force();
            commitManifest(true, Digests.name(rowTable()), Digests.name(checksums()));
            complete = true;
        });
    }

    private void commitManifest(boolean finished, String rowTableDigest, String checksumsDigest) throws IOException {
        Manifest.commit(directory, spec, segmentRows, written, planned, finished, rowTableDigest, checksumsDigest);
        durable = written;
    }

    /** Writes the staged rows to the files, without waiting for the disk. */
    private void flush() throws IOException {
        if (staged == 0) {
            return;
        }
        if (features == null) {
            openSegment(written / segmentRows);
        }
        ByteBuffer bytes = staging.asSlice(0, staged * stride).asByteBuffer();
        checksum(bytes.duplicate());
        writeFully(require(features), bytes);
        ByteBuffer records = table.duplicate().clear().limit(staged * ROW_BYTES);
        rowTable.update(records.duplicate());
        writeFully(rowsFile, records);
        written += staged;
        staged = 0;
        if (written % segmentRows == 0) {
            endSegment();
        }
        writeChecksums();
    }

    private void checksum(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            int n = Math.min(bytes.remaining(), BLOCK_BYTES - blockFilled);
            block.update(bytes.slice(bytes.position(), n));
            bytes.position(bytes.position() + n);
            blockFilled += n;
            if (blockFilled == BLOCK_BYTES) {
                endBlock();
            }
        }
    }

    private void endBlock() {
        blocks.putInt((int) block.getValue());
        block.reset();
        blockFilled = 0;
    }

    private void writeChecksums() throws IOException {
        if (blocks.position() > 0) {
            blocks.flip();
            checksums.update(blocks.duplicate());
            writeFully(require(crcs), blocks);
            blocks.clear();
        }
    }

    private void openSegment(int segment) throws IOException {
        features = openForWriting(segmentFile(directory, segment));
        crcs = openForWriting(checksumFile(directory, segment));
        Manifest.forceDirectory(directory);
    }

    private static FileChannel openForWriting(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Closes the last block and the segment, durably. */
    private void endSegment() throws IOException {
        if (features != null && crcs != null) {
            if (blockFilled > 0) {
                endBlock();
            }
            writeChecksums();
            force();
            features.close();
            crcs.close();
            features = null;
            crcs = null;
        }
    }

    private void force() throws IOException {
        if (features != null && crcs != null) {
            features.force(true);
            crcs.force(true);
        }
        rowsFile.force(true);
    }

    private byte[] rowTable() {
        return copy(rowTable).digest();
    }

    /** The digest of all block checksums, that of the block being filled included. */
    private byte[] checksums() {
        MessageDigest all = copy(checksums);
        if (blockFilled > 0) {
            all.update(ByteBuffer.allocate(Integer.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt((int) block.getValue())
                    .flip());
        }
        return all.digest();
    }

    private static MessageDigest copy(MessageDigest digest) {
        try {
            return (MessageDigest) digest.clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError("the JDK's SHA-256 can be cloned", e);
        }
    }

    private interface Writing {
        void run() throws IOException;
    }

    private void writing(Writing work) {
        if (failed) {
            throw new IllegalStateException("a write failed before; open the store again");
        }
        try {
            work.run();
        } catch (IOException e) {
            failed = true;
            throw new UserInputException(
                    "cannot write the index %s: %s; make room or set it writable, then repeat the command: it continues at row %d"
                            .formatted(directory, e.getMessage(), durable),
                    e);
        }
    }

    private static void writeFully(FileChannel file, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
    }

    private static FileChannel require(@Nullable FileChannel file) {
        if (file == null) {
            throw new IllegalStateException("no segment is open");
        }
        return file;
    }

    static Path segmentFile(Path directory, int segment) {
        return directory.resolve("features-%05d.bin".formatted(segment));
    }

    static Path checksumFile(Path directory, int segment) {
        return directory.resolve("features-%05d.crc".formatted(segment));
    }

    /** Releases the files. Rows after the last commit are dropped. */
    @Override
    public void close() {
        if (!arena.scope().isAlive()) {
            return;
        }
        try (arena;
                rowsFile) {
            if (features != null && crcs != null) {
                features.close();
                crcs.close();
            }
        } catch (IOException e) {
            throw new UserInputException("cannot close the index " + directory + ": " + e, e);
        }
    }
}
