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
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Groups of records that are durable before anything else is done with them. Segments are numbered files; one that is no longer
 * needed is deleted whole.
 *
 * <pre>
 * group  = u32 magic ‖ u64 number ‖ u32 length ‖ u32 CRC32C of the 16 bytes before ‖ payload ‖ u32 CRC32C of the payload
 * </pre>
 *
 * <p>Zeros follow the last group. A crash in the middle of a write leaves a group that ends too early, or whose end is zeros that were never
 * written: it was not acknowledged and is cut off. Any other damage is refused: it may have been acknowledged. Not safe for use by several threads.
 */
final class WriteAheadLog implements AutoCloseable {
    private static final int MAGIC = 0x4153574c;
    private static final int HEAD = 20;
    private static final int TAIL = 4;
    private static final String PREFIX = "wal-";
    private static final int LARGEST = 1 << 30;
    private static final int SECTOR = 512;

    /** Zeros that a segment begins with: what is written over them changes no file's size, and need not wait for the journal. */
    private static final int LEAST_ROOM = 1 << 18;

    private static final int MOST_ROOM = 1 << 26;

    private final Path directory;
    private final CRC32C crc = new CRC32C();
    private Segment segment;
    private long next;
    private volatile int room = LEAST_ROOM;
    private ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);

    /** What a group holds. */
    interface Payload {
        int size();

        void writeTo(ByteBuffer to);
    }

    /** A group as it was written. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Stored(long number, byte[] payload) {}

    /** A file of groups. */
    record Segment(long number, FileChannel channel) {}

    /** A segment that goes on behind its last whole group. */
    private record Unfinished(Path file, long whole) {}

    /** What a log holds; reading it changes nothing. */
    static final class Replay {
        private final List<Stored> groups = new ArrayList<>();
        private final List<Unfinished> unfinished = new ArrayList<>();

        List<Stored> groups() {
            return groups;
        }
    }

    private WriteAheadLog(Path directory, Segment segment, long next) {
        this.directory = directory;
        this.segment = segment;
        this.next = next;
    }

    /**
     * Reads what is there.
     *
     * @param needed a segment that must be there
     */
    static Replay replay(Path directory, long needed) throws IOException {
        if (!Files.exists(file(directory, needed))) {
            throw new LedgerUnavailableException(
                    "%s is missing: events that were acknowledged may be lost; put back an undamaged copy"
                            .formatted(file(directory, needed)));
        }
        Replay replay = new Replay();
        List<Path> written = new ArrayList<>();
        for (Path file : segments(directory)) {
            boolean empty = zeros(ByteBuffer.wrap(Files.readAllBytes(file)), 0); // made to follow, and not yet used
            if (number(file) >= needed && !empty) {
                written.add(file);
            }
        }
        for (Path file : written) {
            long whole = read(file, replay.groups, file.equals(written.getLast()));
            if (whole < Files.size(file)) {
                replay.unfinished.add(new Unfinished(file, whole));
            }
        }
        return replay;
    }

    /** Goes on behind what was replayed, in a new segment. */
    static WriteAheadLog open(Path directory, Replay replay) throws IOException {
        for (Unfinished file : replay.unfinished) {
            try (FileChannel channel = FileChannel.open(file.file(), StandardOpenOption.WRITE)) {
                channel.truncate(file.whole());
                channel.force(true);
            }
        }
        long next = replay.groups.isEmpty() ? 0 : replay.groups.getLast().number() + 1;
        long newest = number(segments(directory).getLast());
        return new WriteAheadLog(directory, create(directory, newest + 1, LEAST_ROOM), next);
    }

    /** Makes a new log: an empty first segment, numbered 0. */
    static void create(Path directory) throws IOException {
        create(directory, 0, 0).channel().close();
    }

    private static long number(Path segment) {
        return Long.parseLong(segment.getFileName().toString().substring(PREFIX.length()));
    }

    private static Path file(Path directory, long number) {
        return directory.resolve(PREFIX + "%019d".formatted(number));
    }

    private static Segment create(Path directory, long number, int room) throws IOException {
        FileChannel channel = FileChannel.open(
                file(directory, number),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING);
        ByteBuffer zeros = ByteBuffer.allocateDirect(LEAST_ROOM);
        for (int left = room; left > 0; ) {
            left -= channel.write(zeros.clear().limit(Math.min(left, LEAST_ROOM)));
        }
        channel.force(true);
        channel.position(0);
        Durable.sync(directory);
        return new Segment(number, channel);
    }

    private static List<Path> segments(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(entry -> entry.getFileName().toString().startsWith(PREFIX))
                    .sorted()
                    .toList();
        }
    }

    /** Reads the groups of a segment; returns where the last whole one ends. */
    private static long read(Path file, List<Stored> groups, boolean last) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        CRC32C crc = new CRC32C();
        int start = 0;
        while (!zeros(bytes, start)) {
            int left = bytes.limit() - start;
            if (left < HEAD) {
                return unfinished(file, start, last);
            }
            if (bytes.getInt(start) != MAGIC
                    || bytes.getInt(start + HEAD - TAIL) != sum(crc, bytes, start, HEAD - TAIL)) {
                return unfinished(file, start, last && isTorn(bytes, start, start + HEAD));
            }
            long number = bytes.getLong(start + 4);
            int length = bytes.getInt(start + 12);
            if (length < 0
                    || length > LARGEST
                    || (!groups.isEmpty() && number != groups.getLast().number() + 1)) {
                throw damaged(file, start);
            }
            if (left < HEAD + length + TAIL) {
                return unfinished(file, start, last);
            }
            int end = start + HEAD + length;
            if (bytes.getInt(end) != sum(crc, bytes, start + HEAD, length)) {
                return unfinished(file, start, last && isTorn(bytes, start, end + TAIL));
            }
            byte[] payload = new byte[length];
            bytes.get(start + HEAD, payload);
            groups.add(new Stored(number, payload));
            start = end + TAIL;
        }
        return start;
    }

    private static int unfinished(Path file, int start, boolean allowed) {
        if (!allowed) {
            throw damaged(file, start);
        }
        return start;
    }

    /** Whether a write was cut short: from the last sector in it on there is nothing. */
    private static boolean isTorn(ByteBuffer bytes, int start, int end) {
        int sector = (end - 1) / SECTOR * SECTOR;
        return sector > start && zeros(bytes, sector);
    }

    private static LedgerUnavailableException damaged(Path file, int at) {
        return new LedgerUnavailableException(
                "%s is damaged at byte %,d: events that were acknowledged may be lost; put back an undamaged copy of this file"
                        .formatted(file, at));
    }

    /** Whether only zeros follow. */
    private static boolean zeros(ByteBuffer bytes, int from) {
        for (int i = from; i < bytes.limit(); i++) {
            if (bytes.get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    private static int sum(CRC32C crc, ByteBuffer bytes, int from, int count) {
        crc.reset();
        crc.update(bytes.slice(from, count));
        return (int) crc.getValue();
    }

    /** Makes a group durable. */
    void append(Payload payload) throws IOException {
        int length = payload.size();
        if (buffer.capacity() < HEAD + length + TAIL) {
            buffer = ByteBuffer.allocateDirect(2 * (HEAD + length + TAIL));
        }
        buffer.clear().putInt(MAGIC).putLong(next).putInt(length);
        buffer.putInt(sum(crc, buffer, 0, HEAD - TAIL));
        payload.writeTo(buffer);
        buffer.putInt(sum(crc, buffer, HEAD, length)).flip();
        FileChannel channel = segment.channel();
        long before = channel.position();
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(false);
        } catch (IOException e) {
            channel.truncate(before); // a full disk: nothing of it stays
            throw e;
        }
        next++;
    }

    /** Makes the segment that comes next, to be used by {@link #rotate}; may be called while another thread appends. */
    Segment following() throws IOException {
        return create(directory, segment.number() + 1, room);
    }

    /** Goes on in another segment, so that the ones before can be deleted later. */
    void rotate(Segment following) throws IOException {
        long used = segment.channel().position();
        room = Math.clamp(used + used / 4, LEAST_ROOM, MOST_ROOM);
        segment.channel().truncate(used);
        segment.channel().close();
        segment = following;
    }

    /** Deletes the segments before one; may be called while another thread appends. */
    void forget(long firstKept) throws IOException {
        for (Path file : segments(directory)) {
            if (number(file) < firstKept) {
                Files.delete(file);
            }
        }
        Durable.sync(directory);
    }

    @Override
    public void close() throws IOException {
        segment.channel().truncate(segment.channel().position());
        segment.channel().close();
    }
}
