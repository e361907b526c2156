package dev.ascribe.corpus;

import dev.ascribe.Digests;
import dev.ascribe.SampleId;
import java.util.BitSet;
import java.util.function.Consumer;

/** The ids of all rows: 32 bytes of memory a row, in one array. Rows may be set by several threads, each its own. */
final class SampleIds {
    /** How many examples a warning names. */
    static final int EXAMPLES = 5;

    private static final int LONGS = 4;

    private final long[] longs; // [row * 4 + i]: a, b, c, d of the row's id
    private int size;

    SampleIds(int size) {
        this.longs = new long[size * LONGS];
        this.size = size;
    }

    int size() {
        return size;
    }

    SampleId get(int row) {
        int at = row * LONGS;
        return new SampleId(longs[at], longs[at + 1], longs[at + 2], longs[at + 3]);
    }

    void set(int row, SampleId id) {
        int at = row * LONGS;
        longs[at] = id.a();
        longs[at + 1] = id.b();
        longs[at + 2] = id.c();
        longs[at + 3] = id.d();
    }

    /** Leaves out these rows. */
    void removeAll(BitSet rows) {
        int kept = 0;
        for (int row = rows.nextClearBit(0); row < size; row = rows.nextClearBit(row + 1)) {
            System.arraycopy(longs, row * LONGS, longs, kept++ * LONGS, LONGS);
        }
        size = kept;
    }

    /** The name of the Merkle tree over all ids in order. */
    String digest() {
        MerkleTree tree = new MerkleTree();
        for (int row = 0; row < size; row++) {
            tree.add(get(row).bytes());
        }
        return Digests.name(tree.root());
    }

    /** Says how many rows repeat an earlier one, and names the first of them. */
    void reportRepeated(String name, Consumer<String> warnings) {
        // Open addressing by the first bits of the id, which are as good as random; at most half full.
        int[] rowPlusOne = new int[(int) Math.min(1L << 30, 4L * Integer.highestOneBit(Math.max(1, size)))];
        int mask = rowPlusOne.length - 1;
        StringBuilder examples = new StringBuilder();
        int repeated = 0;
        for (int row = 0; row < size; row++) {
            int slot = (int) longs[row * LONGS] & mask;
            while (rowPlusOne[slot] != 0 && !same(rowPlusOne[slot] - 1, row)) {
                slot = slot + 1 & mask;
            }
            if (rowPlusOne[slot] == 0) {
                rowPlusOne[slot] = row + 1;
            } else if (repeated++ < EXAMPLES) {
                examples.append("row %d = row %d, ".formatted(row, rowPlusOne[slot] - 1));
            }
        }
        if (repeated > 0) {
            examples.setLength(examples.length() - 2);
            warnings.accept("%s: %,d of %,d rows repeat an earlier row word for word (%s%s); all of them are kept"
                    .formatted(name, repeated, size, examples, repeated > EXAMPLES ? ", …" : ""));
        }
    }

    private boolean same(int row, int other) {
        for (int i = 0; i < LONGS; i++) {
            if (longs[row * LONGS + i] != longs[other * LONGS + i]) {
                return false;
            }
        }
        return true;
    }
}
