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
 * Groups of records that are durable before anything else is done with them. Segments are files named by the number of their first group;
 * a segment that is no longer needed is deleted whole.
 *
 * <pre>
 * group  = u32 magic ‖ u64 number ‖ u32 length ‖ u32 CRC32C of the 16 bytes before ‖ payload ‖ u32 CRC32C of the payload
 * </pre>
 *
 * <p>A crash in the middle of a write leaves a group that ends too early, or whose end is zeros that were never written: it was not
 * acknowledged and is cut off. Any other damage is refused: it may have been acknowledged. Not safe for use by several threads.
 */
final class WriteAheadLog implements AutoCloseable {
    private static final int MAGIC = 0x4153574c;
    private static final int HEAD = 20;
    private static final int TAIL = 4;
    private static final String PREFIX = "wal-";
    private static final int LARGEST = 1 << 30;

    private final Path directory;
    private FileChannel segment;
    private long next;

    /** A group as it was written. */
    static final class Group {
        private final long number;
        private final byte[] payload;

        Group(long number, byte[] payload) {
            this.number = number;
            this.payload = payload;
        }

        long number() {
            return number;
        }

        byte[] payload() {
            return payload;
        }
    }

    private WriteAheadLog(Path directory, FileChannel segment, long next) {
        this.directory = directory;
        this.segment = segment;
        this.next = next;
    }

    /** Reads what is there, cutting off an unfinished end. */
    static List<Group> replay(Path directory) throws IOException {
        List<Group> groups = new ArrayList<>();
        List<Path> segments = segments(directory);
        for (Path file : segments) {
            boolean last = file.equals(segments.getLast());
            long good = read(file, groups, last);
            if (good < Files.size(file)) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.truncate(good);
                    channel.force(true);
                }
            }
        }
        return groups;
    }

    /** Appends behind what is there: a new segment. */
    static WriteAheadLog open(Path directory, List<Group> replayed) throws IOException {
        long next = replayed.isEmpty() ? 0 : replayed.getLast().number() + 1;
        for (Path segment : segments(directory)) {
            next = Math.max(next, first(segment) + (Files.size(segment) == 0 ? 0 : 1));
        }
        return new WriteAheadLog(directory, create(directory, next), next);
    }

    private static long first(Path segment) {
        return Long.parseLong(segment.getFileName().toString().substring(PREFIX.length()));
    }

    private static FileChannel create(Path directory, long number) throws IOException {
        FileChannel channel = FileChannel.open(
                directory.resolve(PREFIX + "%019d".formatted(number)),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.APPEND);
        Durable.sync(directory);
        return channel;
    }

    private static List<Path> segments(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(entry -> entry.getFileName().toString().startsWith(PREFIX))
                    .sorted()
                    .toList();
        }
    }

    private static long read(Path file, List<Group> groups, boolean last) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        while (bytes.hasRemaining()) {
            int start = bytes.position();
            int left = bytes.remaining();
            boolean headed =
                    left >= HEAD && bytes.getInt(start) == MAGIC && bytes.getInt(start + 16) == crc(bytes, start, 16);
            if (!headed) {
                boolean unfinished = left < HEAD || zeros(bytes, start + 16, TAIL);
                if (last && unfinished) {
                    return start;
                }
                throw damaged(file, start);
            }
            long number = bytes.getLong(start + 4);
            int length = bytes.getInt(start + 12);
            if (length < 0
                    || length > LARGEST
                    || (!groups.isEmpty() && number != groups.getLast().number() + 1)) {
                throw damaged(file, start);
            }
            if (left < HEAD + length + TAIL) {
                if (last) {
                    return start;
                }
                throw damaged(file, start);
            }
            int end = start + HEAD + length;
            if (bytes.getInt(end) != crc(bytes, start + HEAD, length)) {
                boolean unfinished = left == HEAD + length + TAIL && zeros(bytes, end, TAIL);
                if (last && unfinished) {
                    return start;
                }
                throw damaged(file, start);
            }
            byte[] payload = new byte[length];
            bytes.get(start + HEAD, payload);
            groups.add(new Group(number, payload));
            bytes.position(end + TAIL);
        }
        return bytes.position();
    }

    private static LedgerUnavailableException damaged(Path file, int at) {
        return new LedgerUnavailableException(
                "%s is damaged at byte %,d: events that were acknowledged may be lost; put back an undamaged copy of this file"
                        .formatted(file, at));
    }

    private static boolean zeros(ByteBuffer bytes, int from, int count) {
        for (int i = from; i < from + count; i++) {
            if (bytes.get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    private static int crc(ByteBuffer bytes, int from, int count) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(from, count));
        return (int) crc.getValue();
    }

    /** Makes a group durable; returns its number. */
    long append(byte[] payload, int length) throws IOException {
        ByteBuffer group = ByteBuffer.allocate(HEAD + length + TAIL);
        group.putInt(MAGIC).putLong(next).putInt(length);
        group.putInt(crc(group, 0, 16)).put(payload, 0, length);
        group.putInt(crc(group, HEAD, length)).flip();
        long before = segment.position();
        try {
            while (group.hasRemaining()) {
                segment.write(group);
            }
            segment.force(false);
        } catch (IOException e) {
            segment.truncate(before); // a full disk: nothing of it stays
            throw e;
        }
        return next++;
    }

    /** Begins a segment, so that the ones before can be deleted later; returns the number of its first group. */
    long rotate() throws IOException {
        segment.close();
        segment = create(directory, next);
        return next;
    }

    /** Deletes the segments before one. */
    void forget(long firstKept) throws IOException {
        for (Path file : segments(directory)) {
            if (first(file) < firstKept) {
                Files.delete(file);
            }
        }
        Durable.sync(directory);
    }

    @Override
    public void close() throws IOException {
        segment.close();
    }
}
