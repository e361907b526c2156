package dev.ascribe.ledger;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The shape of a trie apart from its hashes: for each inner node its two children and its depth, 12 bytes. So a walk reads little memory.
 */
final class Links {
    private static final int SHIFT = 8;
    private static final int IN_CHUNK = 1 << SHIFT;
    private static final int INTS = 3; // left, right, depth
    private static final int BYTES = INTS * Integer.BYTES;

    private int[][] chunks = new int[0][];
    private int size;

    int size() {
        return size;
    }

    /** Appends a node with two equal children; the answer is its index. */
    int add(int depth, int child) {
        int chunk = size >> SHIFT;
        if ((size & (IN_CHUNK - 1)) == 0) {
            if (chunk == chunks.length) {
                chunks = Arrays.copyOf(chunks, Math.max(1, 2 * chunk));
            }
            chunks[chunk] = new int[IN_CHUNK * INTS];
        }
        int at = at(size);
        chunks[chunk][at] = child;
        chunks[chunk][at + 1] = child;
        chunks[chunk][at + 2] = depth;
        return size++;
    }

    private static int at(int node) {
        return (node & (IN_CHUNK - 1)) * INTS;
    }

    int depth(int node) {
        return chunks[node >> SHIFT][at(node) + 2];
    }

    int child(int node, int side) {
        return chunks[node >> SHIFT][at(node) + side];
    }

    void setChild(int node, int side, int reference) {
        chunks[node >> SHIFT][at(node) + side] = reference;
    }

    void write(DataOutputStream out) throws IOException {
        for (int start = 0; start < size; start += IN_CHUNK) {
            int[] chunk = chunks[start >> SHIFT];
            ByteBuffer bytes = ByteBuffer.allocate(Math.min(IN_CHUNK, size - start) * BYTES);
            bytes.asIntBuffer().put(chunk, 0, bytes.capacity() / Integer.BYTES);
            out.write(bytes.array());
        }
    }

    /** What {@link #write} wrote. */
    static Links read(int size, DataInputStream in) throws IOException {
        if (size < 0) {
            throw new EOFException("no file holds %d nodes".formatted(Integer.toUnsignedLong(size)));
        }
        Links links = new Links();
        links.chunks = new int[(int) ((size + (long) IN_CHUNK - 1) >> SHIFT)][];
        byte[] bytes = new byte[IN_CHUNK * BYTES];
        for (int start = 0; start < size; start += IN_CHUNK) {
            int length = Math.min(IN_CHUNK, size - start) * BYTES;
            in.readFully(bytes, 0, length);
            int[] chunk = new int[IN_CHUNK * INTS];
            ByteBuffer.wrap(bytes).asIntBuffer().get(chunk, 0, length / Integer.BYTES);
            links.chunks[start >> SHIFT] = chunk;
        }
        links.size = size;
        return links;
    }
}
