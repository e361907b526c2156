package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.util.ArrayList;
import java.util.List;

/** Names and bytes of the files of a log (C2SP tlog-tiles). */
final class Tiles {
    /** Entries of a full bundle, and hashes of a full tile. */
    static final int WIDTH = 256;

    /** Levels of the tree that one level of tiles stands for. */
    static final int HEIGHT = 8;

    private Tiles() {}

    /**
     * Where a tile lies below the log's folder.
     *
     * @param level of tiles
     * @param width hashes; {@value #WIDTH} where it is full
     */
    static String tile(int level, long index, int width) {
        return "tile/" + level + "/" + path(index, width);
    }

    /** Where a bundle of entries lies. */
    static String entries(long index, int width) {
        return "tile/entries/" + path(index, width);
    }

    private static String path(long index, int width) {
        StringBuilder path = new StringBuilder("%03d".formatted(index % 1000));
        for (long rest = index / 1000; rest > 0; rest /= 1000) {
            path.insert(0, "x%03d/".formatted(rest % 1000));
        }
        return width == WIDTH
                ? path.toString()
                : path.append(".p/").append(width).toString();
    }

    /** Hashes of a tile at a level that a log of a size has in all. */
    static long count(int level, long size) {
        int shift = level * HEIGHT;
        return shift >= Long.SIZE - 1 ? 0 : size >>> shift;
    }

    /** The entries of a bundle: each behind its length. */
    static List<byte[]> split(byte[] bundle, int width) {
        List<byte[]> entries = new ArrayList<>(width);
        int at = 0;
        while (at < bundle.length) {
            if (bundle.length - at < 2) {
                throw new VerificationException("the bundle ends in the middle of a length");
            }
            int length = ((bundle[at] & 0xff) << 8) | (bundle[at + 1] & 0xff);
            at += 2;
            if (bundle.length - at < length) {
                throw new VerificationException("the bundle ends in the middle of an entry");
            }
            byte[] entry = new byte[length];
            System.arraycopy(bundle, at, entry, 0, length);
            entries.add(entry);
            at += length;
        }
        if (entries.size() != width) {
            throw new VerificationException("the bundle has %d entries, not %d".formatted(entries.size(), width));
        }
        return entries;
    }
}
