package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A published log, read from its files: entries and hashes of the tree of one checkpoint. Where a partial file is gone, the full one that
 * took its place is read.
 */
final class LogFiles implements Merkle.Nodes {
    /** Tiles that a proof needs, of which the upper ones are always the same. */
    private static final int RECENT = 16;

    private final Path log;
    private final long size;
    private final Map<String, byte[]> recent = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, byte[]> eldest) {
            return size() > RECENT;
        }
    };

    /** @param size of the checkpoint */
    LogFiles(Path log, long size) {
        this.log = log;
        this.size = size;
    }

    /** The entries of a bundle. */
    List<byte[]> bundle(long number) throws IOException {
        int width = width(0, number);
        try {
            return Tiles.split(read(Tiles.entries(number, width)), width);
        } catch (NoSuchFileException e) {
            return Tiles.split(read(Tiles.entries(number, Tiles.WIDTH)), Tiles.WIDTH)
                    .subList(0, width);
        }
    }

    private byte[] read(String name) throws IOException {
        return Files.readAllBytes(log.resolve(name));
    }

    /** One entry. */
    byte[] entry(long index) throws IOException {
        return bundle(index / Tiles.WIDTH).get((int) (index % Tiles.WIDTH));
    }

    /** The hashes of a tile, end to end. */
    byte[] tile(int level, long number) throws IOException {
        int width = width(level, number);
        String name = Tiles.tile(level, number, width);
        synchronized (recent) {
            byte[] before = recent.get(name);
            if (before != null) {
                return before;
            }
        }
        byte[] bytes;
        try {
            bytes = read(name);
        } catch (NoSuchFileException e) { // there is a full one by now
            bytes = Arrays.copyOf(read(Tiles.tile(level, number, Tiles.WIDTH)), width * Hash.BYTES);
        }
        if (bytes.length != width * Hash.BYTES) {
            throw new VerificationException(
                    "%s has %d bytes, not %d".formatted(name, bytes.length, width * Hash.BYTES));
        }
        synchronized (recent) {
            recent.put(name, bytes);
        }
        return bytes;
    }

    private int width(int level, long number) {
        return (int) Math.min(Tiles.WIDTH, Tiles.count(level, size) - number * Tiles.WIDTH);
    }

    @Override
    public Hash node(int level, long index) {
        int inside = level % Tiles.HEIGHT;
        long first = index << inside;
        try {
            byte[] tile = tile(level / Tiles.HEIGHT, first / Tiles.WIDTH);
            return root(tile, (int) (first % Tiles.WIDTH), 1 << inside);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Hash root(byte[] tile, int from, int count) {
        return count == 1
                ? Hash.of(tile, from * Hash.BYTES, Hash.BYTES)
                : Hash.node(root(tile, from, count / 2), root(tile, from + count / 2, count / 2));
    }
}
