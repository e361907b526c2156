package dev.ascribe.ledger;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** The first 8 bytes of every entry's subject, by index: to find a subject's entries without reading the log. Made from the log. */
final class Subjects {
    private static final int CHUNK = 1 << 20;

    private Subjects() {}

    private static long mark(byte[] entry) {
        return Event.markOf(entry);
    }

    /** Appends the marks of entries from an index on. */
    static void add(Path file, long first, List<Group.Entry> entries) throws IOException {
        ByteBuffer marks = ByteBuffer.allocate(entries.size() * Long.BYTES);
        entries.forEach(entry -> marks.putLong(mark(entry.bytes())));
        marks.flip();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            long at = first * Long.BYTES;
            while (marks.hasRemaining()) {
                at += channel.write(marks, at);
            }
        }
    }

    /** Makes the file as long as the log. */
    static void repair(Path file, LogFiles files, long size) throws IOException {
        long there = Files.exists(file) ? Math.min(size, Files.size(file) / Long.BYTES) : 0;
        for (long bundle = there / Tiles.WIDTH; bundle * Tiles.WIDTH < size && there < size; bundle++) {
            List<Group.Entry> entries = new ArrayList<>();
            for (byte[] entry : files.bundle(bundle)) {
                entries.add(new Group.Entry(entry, Hash.ZERO, 0));
            }
            add(file, bundle * Tiles.WIDTH, entries);
        }
    }

    /** Indexes below {@code size} whose entries may be of a subject: all of them, and seldom another. */
    static List<Long> candidates(Path file, Hash subject, long size) throws IOException {
        long wanted = ByteBuffer.wrap(subject.bytes()).getLong();
        List<Long> found = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
            long index = 0;
            while (index < size && channel.read(chunk.clear(), index * Long.BYTES) >= Long.BYTES) {
                chunk.flip();
                while (chunk.remaining() >= Long.BYTES && index < size) {
                    if (chunk.getLong() == wanted) {
                        found.add(index);
                    }
                    index++;
                }
            }
        }
        return found;
    }
}
