package dev.ascribe.tree;

import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Rows cut into ranges that all cores share. The cuts depend on the number of rows alone, so that sums over ranges, added in their
 * order, are the same on every machine.
 *
 * @param rows n
 * @param each rows a range
 */
record Chunks(int rows, int each) {
    private static final int LEAST = 1024;
    private static final int MOST_RANGES = 256;

    /** Work on the rows {@code from} … {@code to - 1} of range {@code chunk}. */
    @FunctionalInterface
    interface Body {
        void run(int chunk, int from, int to);
    }

    static Chunks of(int rows) {
        return new Chunks(rows, Math.max(LEAST, (rows - 1) / MOST_RANGES + 1));
    }

    int count() {
        return (rows - 1) / each + 1;
    }

    /** Runs the body on every range; of several failures, that of the first range is thrown. */
    void forEach(Body body) {
        @Nullable RuntimeException[] failures = new RuntimeException[count()];
        IntStream.range(0, count()).parallel().forEach(chunk -> {
            try {
                body.run(chunk, chunk * each, Math.min(rows, (chunk + 1) * each));
            } catch (RuntimeException e) {
                failures[chunk] = e;
            }
        });
        for (RuntimeException failure : failures) {
            if (failure != null) {
                throw failure;
            }
        }
    }
}
