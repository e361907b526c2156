package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A published log, read from its files: entries and hashes of the tree of one checkpoint. */
final class LogFiles implements Merkle.Nodes {
    private final Path log;
    private final long size;

    /** @param size of the checkpoint; a file for a smaller one may be gone */
    LogFiles(Path log, long size) {
        this.log = log;
        this.size = size;
    }

    /** The entries of a bundle. */
    List<byte[]> bundle(long number) throws IOException {
        int width = width(0, number);
        return Tiles.split(Files.readAllBytes(log.resolve(Tiles.entries(number, width))), width);
    }

    /** One entry. */
    byte[] entry(long index) throws IOException {
        return bundle(index / Tiles.WIDTH).get((int) (index % Tiles.WIDTH));
    }

    /** The hashes of a tile, end to end. */
    byte[] tile(int level, long number) throws IOException {
        int width = width(level, number);
        String name = Tiles.tile(level, number, width);
        byte[] bytes = Files.readAllBytes(log.resolve(name));
        if (bytes.length != width * Hash.BYTES) {
            throw new VerificationException(
                    "%s has %d bytes, not %d".formatted(name, bytes.length, width * Hash.BYTES));
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
