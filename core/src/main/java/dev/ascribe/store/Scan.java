package dev.ascribe.store;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Exact scans of a whole {@link FeatureStore}: one pass over memory whatever the number of queries, on all cores. Scores are inner products
 * with the stored (dequantised) rows in single precision, which do not depend on the number of cores.
 *
 * <p>Shapes: Q queries, R rows, W width of the store, B blocks of its {@link StoreSpec}.
 */
public final class Scan {
    /** Bytes of rows that one task reads: enough to make a task's start cheap, few enough to keep all cores busy. */
    private static final int TASK_BYTES = 2 << 20;
    /** Bytes of each of 4 rows that stay in the first cache while many queries pass over them. */
    private static final int TILE_BYTES = 4096;
    /** Parts that sums over all rows are taken in, whatever the machine, so that they round the same everywhere. */
    private static final int STRIPES = 16;
    /** Rows whose weighted sum is kept in single precision before it is added to the double one. */
    private static final int SINGLE_ROWS = 64;

    private Scan() {}

    /**
     * All inner products.
     *
     * @param queries shape (Q, W), finite
     * @return shape (Q, R)
     */
    public static float[][] dots(FeatureStore store, float[][] queries) {
        return dots(store, queries, new Block("all", 0, store.width(), store.width()));
    }

    /**
     * All inner products over some columns.
     *
     * @param queries shape (Q, width of the block), finite
     * @return shape (Q, R)
     */
    public static float[][] dots(FeatureStore store, float[][] queries, Block block) {
        float[][] scores = new float[queries.length][store.rows()];
        scan(store, queries, block, (first, rows, sums) -> {
            for (int q = 0; q < queries.length; q++) {
                for (int i = 0; i < rows; i++) {
                    scores[q][first + i] = sums[q * Kernels.ROWS + i];
                }
            }
        });
        return scores;
    }

    /**
     * The rows of the highest inner products, best first, ties to the lower row.
     *
     * @param queries shape (Q, W), finite
     * @param k how many at most
     * @return a list for each query
     */
    public static List<List<Hit>> topK(FeatureStore store, float[][] queries, int k) {
        if (k < 1) {
            throw new IllegalArgumentException("top " + k + ": needs at least 1");
        }
        int kept = Math.min(k, store.rows());
        TopRows[] best = fresh(queries.length, kept);
        Block all = new Block("all", 0, store.width(), store.width());
        float[][] packed = packed(store, queries, all);
        tasks(store).forEach(task -> {
            TopRows[] mine = fresh(queries.length, kept);
            synchronized (best) {
                for (int q = 0; q < mine.length; q++) {
                    mine[q].startFrom(best[q]);
                }
            }
            scan(store, packed, all, task, (first, rows, sums) -> {
                for (int q = 0; q < mine.length; q++) {
                    for (int i = 0; i < rows; i++) {
                        mine[q].offer(first + i, sums[q * Kernels.ROWS + i]);
                    }
                }
            });
            synchronized (best) {
                for (int q = 0; q < mine.length; q++) {
                    best[q].offerAll(mine[q]);
                }
            }
        });
        return Arrays.stream(best).map(TopRows::hits).toList();
    }

    private static TopRows[] fresh(int queries, int k) {
        return Stream.generate(() -> new TopRows(k)).limit(queries).toArray(TopRows[]::new);
    }

    /**
     * Rows of one segment that one task reads.
     *
     * @param at byte position of the first
     */
    private record Task(MemorySegment segment, long at, int first, int rows) {}

    /** Takes the inner products of up to 4 rows from {@code first} on; {@code sums[4·q + i]} is row i's with query q. */
    private interface Sink {
        void accept(int first, int rows, float[] sums);
    }

    private static Stream<Task> tasks(FeatureStore store) {
        int rows = Math.clamp(TASK_BYTES / store.spec().stride(), 1, store.segmentRows());
        int perSegment = Math.ceilDiv(store.segmentRows(), rows);
        return IntStream.range(0, store.segments().size() * perSegment)
                .parallel()
                .mapToObj(i -> {
                    int segment = i / perSegment;
                    int inSegment = i % perSegment * rows;
                    int left = (int) Math.min(
                            store.segmentRows() - inSegment,
                            store.rows() - (long) segment * store.segmentRows() - inSegment);
                    return new Task(
                            store.segments().get(segment),
                            inSegment * store.spec().stride(),
                            segment * store.segmentRows() + inSegment,
                            Math.min(rows, left));
                })
                .filter(task -> task.rows > 0);
    }

    private static void scan(FeatureStore store, float[][] queries, Block block, Sink sink) {
        float[][] packed = packed(store, queries, block);
        tasks(store).forEach(task -> scan(store, packed, block, task, sink));
    }

    private static float[][] packed(FeatureStore store, float[][] queries, Block block) {
        if (block.end() > store.width()) {
            throw new IllegalArgumentException("%s is not within the width %d".formatted(block, store.width()));
        }
        requireShape(queries, block.width());
        return Arrays.stream(queries)
                .map(query -> Kernels.pack(
                        store.spec().dtype(),
                        query,
                        block.offset(),
                        store.spec().stride()))
                .toArray(float[][]::new);
    }

    private static void requireShape(float[][] queries, int width) {
        for (int q = 0; q < queries.length; q++) {
            if (queries[q].length != width) {
                throw new IllegalArgumentException(
                        "query %d has %d features, the store has %d".formatted(q, queries[q].length, width));
            }
            for (int i = 0; i < width; i++) {
                if (!Float.isFinite(queries[q][i])) {
                    throw new IllegalArgumentException("feature %d of query %d is %s".formatted(i, q, queries[q][i]));
                }
            }
        }
    }

    private static void scan(FeatureStore store, float[][] packed, Block block, Task task, Sink sink) {
        Dtype dtype = store.spec().dtype();
        long stride = store.spec().stride();
        // Queries are zero outside the block, so that reading whole cache lines is right and never leaves the row.
        int from = (int) (block.offset() * (long) dtype.bytes() & -FeatureStoreWriter.ALIGNMENT);
        int to = (int) ((block.end() * (long) dtype.bytes() + FeatureStoreWriter.ALIGNMENT - 1)
                & -FeatureStoreWriter.ALIGNMENT);
        int tile = packed.length > 1 ? TILE_BYTES : to - from;
        float[] lanes = new float[packed.length * Kernels.ROWS * Kernels.LANES];
        float[] sums = new float[packed.length * Kernels.ROWS];
        for (int i = 0; i < task.rows; i += Kernels.ROWS) {
            int first = task.first + i;
            int rows = Math.min(Kernels.ROWS, task.rows - i);
            // Beyond the end the last row is read again and its sums are ignored.
            long at0 = task.at + i * stride;
            long at1 = at0 + Math.min(1, rows - 1) * stride;
            long at2 = at0 + Math.min(2, rows - 1) * stride;
            long at3 = at0 + (rows - 1) * stride;
            Arrays.fill(lanes, 0);
            for (int at = from; at < to; at += tile) {
                int end = Math.min(to, at + tile);
                for (int q = 0; q < packed.length; q++) {
                    Kernels.dots(
                            dtype,
                            task.segment,
                            at0,
                            at1,
                            at2,
                            at3,
                            packed[q],
                            at,
                            end,
                            lanes,
                            q * Kernels.ROWS * Kernels.LANES);
                }
            }
            for (int r = 0; r < rows; r++) {
                float scale = store.scale(first + r);
                for (int s = r; s < sums.length; s += Kernels.ROWS) {
                    sums[s] = Kernels.fold(lanes, s * Kernels.LANES) * scale;
                }
            }
            sink.accept(first, rows, sums);
        }
    }

    /**
     * Squared L2 norms of all rows over some columns.
     *
     * @return shape (R)
     */
    public static float[] squaredNorms(FeatureStore store, Block block) {
        float[] norms = new float[store.rows()];
        tasks(store).forEach(task -> {
            float[] row = new float[block.width()];
            for (int i = task.first; i < task.first + task.rows; i++) {
                store.columns(i, block.offset(), block.width(), row);
                norms[i] = Kernels.dot(row, row, 0, row.length);
            }
        });
        return norms;
    }

    /** Takes what a pass over the blocks of one row found. Called by several threads, in no order; arrays are reused. */
    @FunctionalInterface
    public interface BlockVisitor {
        /**
         * @param dots inner products with the queries, shape (Q, B)
         * @param squaredNorms shape (B)
         */
        void visit(int row, float[][] dots, float[] squaredNorms);
    }

    /** Chooses the weights of a row's blocks in a sum. Called by several threads, in no order; arrays are reused. */
    @FunctionalInterface
    public interface BlockWeights {
        /**
         * @param dots inner products with the queries, shape (Q, B)
         * @param squaredNorms shape (B)
         * @param weights to fill, shape (Q, B)
         */
        void weigh(int row, float[][] dots, float[] squaredNorms, float[][] weights);
    }

    /**
     * Visits every row's inner products and squared norms, block by block, in one pass.
     *
     * @param queries shape (Q, W); Q may be 0
     */
    public static void blockDots(FeatureStore store, float[][] queries, BlockVisitor visitor) {
        requireShape(queries, store.width());
        tasks(store).forEach(task -> {
            BlockRow row = new BlockRow(store, queries);
            for (int i = task.first; i < task.first + task.rows; i++) {
                row.read(i);
                visitor.visit(i, row.dots, row.squaredNorms);
            }
        });
    }

    /**
     * Sums all rows, each block with its own weight that may depend on the row's inner products: in one pass,
     * {@code result[q][block b] = Σ_row weights[q][b] · row[block b]}. Columns outside the blocks are 0. With
     * weights c = dots / (λ + squared norm) this is the sum in DataInf.
     *
     * @param queries shape (Q, W)
     * @return shape (Q, W), summed in double precision
     */
    public static float[][] accumulate(FeatureStore store, float[][] queries, BlockWeights weights) {
        requireShape(queries, store.width());
        Totals totals = new Totals(queries.length, store.width());
        IntStream.range(0, STRIPES)
                .parallel()
                .forEach(stripe -> totals.add(stripe, sumStripe(store, queries, weights, stripe)));
        return totals.sums();
    }

    private static double[][] sumStripe(FeatureStore store, float[][] queries, BlockWeights weighing, int stripe) {
        int width = store.width();
        List<Block> blocks = store.spec().blocks();
        int from = (int) (store.rows() * (long) stripe / STRIPES);
        int to = (int) (store.rows() * (stripe + 1L) / STRIPES);
        BlockRow row = new BlockRow(store, queries);
        float[][] weights = new float[queries.length][blocks.size()];
        float[][] single = new float[queries.length][width];
        double[][] sums = new double[queries.length][width];
        for (int i = from; i < to; i++) {
            row.read(i);
            weighing.weigh(i, row.dots, row.squaredNorms, weights);
            for (int q = 0; q < queries.length; q++) {
                for (int b = 0; b < blocks.size(); b++) {
                    Block block = blocks.get(b);
                    Kernels.addInPlace(single[q], weights[q][b], row.features, block.offset(), block.end());
                }
            }
            if ((i - from + 1) % SINGLE_ROWS == 0 || i == to - 1) {
                for (int q = 0; q < queries.length; q++) {
                    for (int c = 0; c < width; c++) {
                        sums[q][c] += single[q][c];
                    }
                    Arrays.fill(single[q], 0);
                }
            }
        }
        return sums;
    }

    /** One row as floats, with its inner products and squared norms by block. */
    private static final class BlockRow {
        private final FeatureStore store;
        private final float[][] queries;
        private final List<Block> blocks;
        private final float[] features; // (W)
        private final float[][] dots; // (Q, B)
        private final float[] squaredNorms; // (B)

        BlockRow(FeatureStore store, float[][] queries) {
            this.store = store;
            this.queries = queries;
            blocks = store.spec().blocks();
            features = new float[store.width()];
            dots = new float[queries.length][blocks.size()];
            squaredNorms = new float[blocks.size()];
        }

        void read(int row) {
            store.row(row, features);
            for (int b = 0; b < squaredNorms.length; b++) {
                Block block = blocks.get(b);
                squaredNorms[b] = Kernels.dot(features, features, block.offset(), block.end());
                for (int q = 0; q < queries.length; q++) {
                    dots[q][b] = Kernels.dot(features, queries[q], block.offset(), block.end());
                }
            }
        }
    }

    /** Adds up the stripes in their order, whichever is ready first: floating-point addition is not associative. */
    private static final class Totals {
        private final double[][] sums; // (Q, W)
        private final SortedMap<Integer, double[][]> waiting = new TreeMap<>();
        private int next;

        Totals(int queries, int width) {
            sums = new double[queries][width];
        }

        synchronized void add(int stripe, double[][] part) {
            waiting.put(stripe, part);
            while (!waiting.isEmpty() && waiting.firstKey() == next) {
                double[][] ready = Objects.requireNonNull(waiting.remove(next++));
                for (int q = 0; q < sums.length; q++) {
                    for (int c = 0; c < sums[q].length; c++) {
                        sums[q][c] += ready[q][c];
                    }
                }
            }
        }

        synchronized float[][] sums() {
            float[][] result = new float[sums.length][];
            for (int q = 0; q < sums.length; q++) {
                result[q] = new float[sums[q].length];
                for (int c = 0; c < result[q].length; c++) {
                    result[q][c] = (float) sums[q][c];
                }
            }
            return result;
        }
    }
}
