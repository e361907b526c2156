package dev.ascribe.ledger;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The hashes of all tiles of a tree, level by level, in memory: 32 bytes an entry and a little. */
final class Levels implements Merkle.Nodes {
    private final List<Hashes> levels = new ArrayList<>();

    /** A growing list of hashes. */
    private static final class Hashes {
        private byte[] bytes = new byte[Tiles.WIDTH * Hash.BYTES];
        private int count;

        void add(Hash hash) {
            if ((long) (count + 1) * Hash.BYTES > bytes.length) {
                bytes = Arrays.copyOf(bytes, (int) Math.min(Integer.MAX_VALUE - 8L, 2L * bytes.length));
            }
            hash.copyTo(bytes, count++ * Hash.BYTES);
        }

        Hash get(long index) {
            return Hash.of(bytes, Math.toIntExact(index * Hash.BYTES), Hash.BYTES);
        }
    }

    /** Adds a leaf. */
    void add(Hash leaf) {
        add(0, leaf);
    }

    private void add(int level, Hash hash) {
        if (level == levels.size()) {
            levels.add(new Hashes());
        }
        Hashes hashes = levels.get(level);
        hashes.add(hash);
        if (hashes.count % Tiles.WIDTH == 0) {
            add(level + 1, root(hashes, hashes.count - Tiles.WIDTH, Tiles.WIDTH));
        }
    }

    /** Some hashes of a level of tiles, end to end. */
    byte[] hashes(int level, long from, int count) {
        int start = Math.toIntExact(from * Hash.BYTES);
        return Arrays.copyOfRange(levels.get(level).bytes, start, start + count * Hash.BYTES);
    }

    /** The root of the tree when it had a size. */
    Hash root(long size) {
        return Merkle.root(size, this);
    }

    @Override
    public Hash node(int level, long index) {
        int inside = level % Tiles.HEIGHT;
        return root(levels.get(level / Tiles.HEIGHT), index << inside, 1 << inside);
    }

    private static Hash root(Hashes hashes, long from, int count) {
        return count == 1
                ? hashes.get(from)
                : Hash.node(root(hashes, from, count / 2), root(hashes, from + count / 2, count / 2));
    }
}
