package dev.ascribe.corpus;

import dev.ascribe.UserInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file's bytes, mapped, with the places that people know: lines and columns.
 *
 * <p>A file that is cut while it is open makes the JVM throw {@link InternalError}, at the read or soon after it.
 */
final class MappedFile implements AutoCloseable {
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final Path path;
    private final Arena arena;
    private final MemorySegment bytes;
    private final long start;

    private MappedFile(Path path, Arena arena, MemorySegment bytes) {
        this.path = path;
        this.arena = arena;
        this.bytes = bytes;
        boolean marked = bytes.byteSize() >= BYTE_ORDER_MARK.length
                && bytes.asSlice(0, BYTE_ORDER_MARK.length).mismatch(MemorySegment.ofArray(BYTE_ORDER_MARK)) < 0;
        this.start = marked ? BYTE_ORDER_MARK.length : 0;
    }

    static MappedFile open(Path path) {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new UserInputException(path + " is not a regular file; name a .jsonl, .json, .csv or .txt file");
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new MappedFile(path, arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (IOException e) {
            arena.close();
            throw new UserInputException(
                    switch (e) {
                        case NoSuchFileException missing -> path + " does not exist; check the path";
                        case AccessDeniedException denied -> path + " may not be read; check its permissions";
                        default -> path + " cannot be read: " + e.getMessage();
                    },
                    e);
        }
    }

    Path path() {
        return path;
    }

    /** The first byte after a byte order mark. */
    long start() {
        return start;
    }

    long size() {
        return bytes.byteSize();
    }

    byte at(long offset) {
        return bytes.get(ValueLayout.JAVA_BYTE, offset);
    }

    byte[] read(long offset, int length) {
        byte[] copy = new byte[length];
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, offset, copy, 0, length);
        return copy;
    }

    /** The first of a byte in [from, to), or {@code to}. */
    long find(byte wanted, long from, long to) {
        long at = from;
        while (at < to && at(at) != wanted) {
            at++;
        }
        return at;
    }

    /** {@code path, line 7, column 12}, both from 1, the column in characters. */
    String place(long offset) {
        long line = 1;
        long lineStart = start;
        for (long i = start; i < offset; i++) {
            if (at(i) == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        long column = 1;
        for (long i = lineStart; i < offset; i++) {
            column += (at(i) & 0xC0) == 0x80 ? 0 : 1; // a continuation byte begins no character
        }
        return "%s, line %d, column %d".formatted(path, line, column);
    }

    @Override
    public void close() {
        arena.close();
    }
}
