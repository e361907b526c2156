package dev.ascribe.ledger;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;

/** A growing array of byte records of one width, in chunks that never move: no object and no header for a record. */
final class Records {
    private static final int SHIFT = 8;
    private static final int IN_CHUNK = 1 << SHIFT;

    private final int width;
    private byte[][] chunks = new byte[0][];
    private int size;

    Records(int width) {
        this.width = width;
    }

    int size() {
        return size;
    }

    /** Appends a record of zeros; the answer is its index. */
    int add() {
        if (size == Integer.MAX_VALUE) {
            throw new IllegalStateException("no more than " + Integer.MAX_VALUE + " records fit");
        }
        int chunk = size >> SHIFT;
        if (at(size) == 0) {
            if (chunk == chunks.length) {
                chunks = Arrays.copyOf(chunks, Math.max(1, 2 * chunk));
            }
            chunks[chunk] = new byte[IN_CHUNK * width];
        }
        return size++;
    }

    /** The array that record {@code index} lies in, from {@link #at} on. */
    byte[] chunk(int index) {
        return chunks[index >> SHIFT];
    }

    int at(int index) {
        return (index & (IN_CHUNK - 1)) * width;
    }

    void write(DataOutputStream out) throws IOException {
        for (int start = 0; start < size; start += IN_CHUNK) {
            out.write(chunk(start), 0, Math.min(IN_CHUNK, size - start) * width);
        }
    }

    /** What {@link #write} wrote. */
    static Records read(int width, int size, DataInputStream in) throws IOException {
        if (size < 0) {
            throw new EOFException("no file holds %d records".formatted(Integer.toUnsignedLong(size)));
        }
        Records records = new Records(width);
        records.chunks = new byte[(int) ((size + (long) IN_CHUNK - 1) >> SHIFT)][];
        for (int start = 0; start < size; start += IN_CHUNK) {
            records.chunks[start >> SHIFT] = new byte[IN_CHUNK * width];
            in.readFully(records.chunks[start >> SHIFT], 0, Math.min(IN_CHUNK, size - start) * width);
        }
        records.size = size;
        return records;
    }
}
