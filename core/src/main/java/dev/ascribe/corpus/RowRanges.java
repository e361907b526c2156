package dev.ascribe.corpus;

import java.util.Arrays;
import java.util.BitSet;

/** The byte range of every row of a file: twelve bytes of memory a row. */
final class RowRanges {
    /** Four longs of id a row must fit in one array. */
    private static final int MOST_ROWS = (Integer.MAX_VALUE - 8) / 4;

    private static final int LONGEST_ROW = Integer.MAX_VALUE - 8;

    private long[] starts = new long[1024];
    private int[] lengths = new int[1024];
    private int size;

    int size() {
        return size;
    }

    /** First byte of a row in the file. */
    long start(int row) {
        return starts[row];
    }

    int length(int row) {
        return lengths[row];
    }

    /** @param end the byte after the row's last */
    void add(long start, long end) throws MalformedException {
        if (end - start > LONGEST_ROW) {
            throw new MalformedException(
                    start,
                    "a row of %,d bytes; the longest that can be read has %,d. Cut it into several rows"
                            .formatted(end - start, LONGEST_ROW));
        }
        if (size == MOST_ROWS) {
            throw new MalformedException(
                    start,
                    "more than %,d rows, the most that can be read. Cut the file into several".formatted(MOST_ROWS));
        }
        if (size == starts.length) {
            int capacity = (int) Math.min(MOST_ROWS, size + (size >> 1) + 1L);
            starts = Arrays.copyOf(starts, capacity);
            lengths = Arrays.copyOf(lengths, capacity);
        }
        starts[size] = start;
        lengths[size++] = (int) (end - start);
    }

    /** Leaves out the rows at these positions, which are ascending. */
    void removeAll(BitSet rows) {
        int kept = 0;
        for (int row = rows.nextClearBit(0); row < size; row = rows.nextClearBit(row + 1)) {
            starts[kept] = starts[row];
            lengths[kept++] = lengths[row];
        }
        size = kept;
    }
}
