package dev.ascribe.torch.gradient;

import dev.ascribe.UserInputException;
import dev.ascribe.store.Block;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/**
 * Count sketches of gradients (Charikar and others, 2002): each number is added, with a random sign, to one of fewer columns, so
 * that inner products keep their expectation. Every column takes the same share of the numbers, to within one. Either each matrix has columns of its own or the
 * whole row has common ones.
 */
final class Sketch {
    /** The name of the only block of a row that was sketched as a whole. */
    static final String WHOLE = "sketch";

    private final int from;
    private final int width;
    private final List<Part> parts;

    /** Neighbouring numbers that share columns. */
    private static final class Part {
        private final int from;
        private final int entries;
        private final int to;
        /** Where each number goes; the complement where it is subtracted. Empty: all stay as they are. */
        private final int[] columns;

        Part(int from, int entries, int to, int[] columns) {
            this.from = from;
            this.entries = entries;
            this.to = to;
            this.columns = columns;
        }

        void apply(float[] row, int rowAt, float[] into, int intoAt) {
            if (columns.length == 0) {
                System.arraycopy(row, rowAt + from, into, intoAt + to, entries);
                return;
            }
            for (int i = 0, r = rowAt + from, t = intoAt + to; i < entries; i++) {
                int column = columns[i];
                if (column >= 0) {
                    into[t + column] += row[r + i];
                } else {
                    into[t + ~column] -= row[r + i];
                }
            }
        }
    }

    private Sketch(int from, int width, List<Part> parts) {
        this.from = from;
        this.width = width;
        this.parts = parts;
    }

    /**
     * From full features to those of a store.
     *
     * @param full blocks that cover a row of full features
     * @param stored the same, each as wide or narrower; or one of the name {@value #WHOLE}
     * @throws UserInputException when the store's blocks are not of these features
     */
    static Sketch of(List<Block> full, List<Block> stored, long seed) {
        int from = end(full);
        int width = end(stored);
        if (isWhole(stored)) {
            return new Sketch(from, width, List.of(part(WHOLE, 0, from, 0, width, seed)));
        }
        List<Part> parts = new ArrayList<>();
        for (int b = 0; b < stored.size(); b++) {
            Block narrow = stored.get(b);
            Block wide = full.get(Math.min(b, full.size() - 1));
            if (stored.size() != full.size() || !narrow.name().equals(wide.name()) || narrow.width() > wide.width()) {
                throw new UserInputException(
                        "the features' block %d is of %s with %d numbers, but the model gives %s with %d: build the index again"
                                .formatted(b, narrow.name(), narrow.width(), wide.name(), wide.width()));
            }
            parts.add(part(wide.name(), wide.offset(), wide.width(), narrow.offset(), narrow.width(), seed));
        }
        return new Sketch(from, width, parts);
    }

    private static Part part(String name, int from, int entries, int to, int width, long seed) {
        if (entries == width) {
            return new Part(from, entries, to, new int[0]);
        }
        CRC32C crc = new CRC32C();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + crc.getValue());
        int[] columns = new int[entries];
        for (int i = 0; i < entries; i++) {
            int column = random.nextBoolean() ? i % width : ~(i % width);
            int other = random.nextInt(i + 1);
            columns[i] = columns[other];
            columns[other] = column;
        }
        return new Part(from, entries, to, columns);
    }

    /** Whether a row was sketched as a whole, which leaves no matrix apart. */
    static boolean isWhole(List<Block> blocks) {
        return blocks.size() == 1 && blocks.getFirst().name().equals(WHOLE);
    }

    /** The block of a row that is sketched as a whole. */
    static List<Block> whole(List<Block> full, int width) {
        return width >= end(full)
                ? full
                : List.of(new Block(
                        WHOLE, 0, width, full.stream().mapToLong(Block::entries).sum()));
    }

    /**
     * Blocks that share a number of columns: a quarter of them evenly, the rest by how much each matrix contributes to inner
     * products, which makes the variance of their sum least.
     *
     * @param mean columns a block on average; fewer where a block has fewer numbers
     * @param shares of each block, summing to 1
     */
    static List<Block> each(List<Block> full, int mean, Supplier<double[]> shares) {
        if (full.stream().allMatch(block -> block.width() <= mean)) {
            return full;
        }
        double[] share = shares.get();
        List<Block> narrow = new ArrayList<>();
        int offset = 0;
        for (int b = 0; b < share.length; b++) {
            Block block = full.get(b);
            int width = (int) Math.min(block.width(), Math.max(1, mean * (0.25 + 0.75 * share.length * share[b])));
            narrow.add(new Block(block.name(), offset, width, block.entries()));
            offset += width;
        }
        return narrow;
    }

    private static int end(List<Block> blocks) {
        return blocks.getLast().offset() + blocks.getLast().width();
    }

    /** Columns of a sketched row. */
    int width() {
        return width;
    }

    /** Sketches rows: row after row, shape (rows, {@link #width()}). */
    float[] apply(RowGradients.Rows rows) {
        return apply(rows.values(), rows.count());
    }

    /**
     * Sketches rows.
     *
     * @param rows row after row of full features, at least {@code count}
     * @return row after row, shape (count, {@link #width()})
     */
    float[] apply(float[] rows, int count) {
        float[] sketched = new float[Math.multiplyExact(count, width)];
        for (int i = 0; i < count; i++) {
            for (Part part : parts) {
                part.apply(rows, i * from, sketched, i * width);
            }
        }
        return sketched;
    }
}
