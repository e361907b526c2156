package dev.ascribe.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The best rows so far: highest score first, ties to the lower row. A bounded binary heap of keys, the worst on top. */
final class TopRows {
    /** Sorts before every real key. */
    private static final long NONE = Long.MIN_VALUE;

    private final long[] heap;
    private int size;
    private long floor = NONE;

    TopRows(int k) {
        heap = new long[k];
    }

    /** Ignores from now on what could not enter {@code full} either. */
    void startFrom(TopRows full) {
        if (full.size == full.heap.length) {
            floor = full.heap[0];
        }
    }

    void offer(int row, float score) {
        offer(key(row, score));
    }

    void offerAll(TopRows other) {
        for (int i = 0; i < other.size; i++) {
            offer(other.heap[i]);
        }
    }

    private void offer(long key) {
        if (size < heap.length) {
            if (key > floor) {
                heap[size] = key;
                siftUp(size++);
            }
        } else if (key > heap[0]) {
            heap[0] = key;
            siftDown();
        }
    }

    private void siftUp(int from) {
        int at = from;
        for (int parent = (at - 1) / 2; heap[at] < heap[parent]; parent = (at - 1) / 2) {
            swap(at, parent);
            at = parent;
        }
    }

    private void siftDown() {
        int at = 0;
        for (int child = 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[at] <= heap[child]) {
                return;
            }
            swap(at, child);
            at = child;
        }
    }

    private void swap(int a, int b) {
        long key = heap[a];
        heap[a] = heap[b];
        heap[b] = key;
    }

    /** Best first. */
    List<Hit> hits() {
        long[] keys = Arrays.copyOf(heap, size);
        Arrays.sort(keys);
        List<Hit> hits = new ArrayList<>(size);
        for (int i = size - 1; i >= 0; i--) {
            hits.add(new Hit(~(int) keys[i], score((int) (keys[i] >> 32))));
        }
        return List.copyOf(hits);
    }

    /** Larger for a higher score, then for a lower row. */
    private static long key(int row, float score) {
        // Adding 0 makes −0 equal to 0.
        int bits = Float.floatToIntBits(score + 0f);
        int sortable = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
        return (long) sortable << 32 | (~row & 0xffffffffL);
    }

    private static float score(int sortable) {
        return Float.intBitsToFloat(sortable ^ ((sortable >> 31) & Integer.MAX_VALUE));
    }
}
