package dev.ascribe.store;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.stream.LongStream;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** How fast this machine can read memory: the limit of every scan. */
public final class MemoryBandwidth {
    private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;
    private static final int STEP = LONGS.vectorByteSize();
    /** Several times the largest caches. */
    private static final long BYTES = 512L << 20;
    /** Bytes a task, as streams of a quarter each: processors fetch several streams faster than one. */
    private static final long TASK_BYTES = 1 << 20;

    private static final long STREAM_BYTES = TASK_BYTES / 4;
    private static final int WARM_UPS = 4;
    private static final int PASSES = 6;

    private MemoryBandwidth() {}

    /** The best of several passes on all cores over half a gigabyte, 10⁹ bytes a second. */
    public static double gigabytesPerSecond() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(BYTES, FeatureStoreWriter.ALIGNMENT);
            memory.fill((byte) 1);
            double best = 0;
            for (int pass = -WARM_UPS; pass < PASSES; pass++) {
                double speed = gigabytesPerSecond(memory);
                best = pass < 0 ? 0 : Math.max(best, speed);
            }
            return best;
        }
    }

    /** One pass over memory that is there already. Bytes beyond the last whole MiB are left out. */
    static double gigabytesPerSecond(MemorySegment memory) {
        long tasks = memory.byteSize() / TASK_BYTES;
        long start = System.nanoTime();
        long sum = LongStream.range(0, tasks)
                .parallel()
                .map(task -> sum(memory, task * TASK_BYTES))
                .sum();
        double seconds = (System.nanoTime() - start) / 1e9;
        // The sum must be used, or the compiler may leave out the reading.
        return tasks * TASK_BYTES / 1e9 / seconds + (sum == 42 ? 1e-12 : 0);
    }

    private static long sum(MemorySegment memory, long from) {
        LongVector sum0 = LongVector.zero(LONGS);
        LongVector sum1 = sum0;
        LongVector sum2 = sum0;
        LongVector sum3 = sum0;
        for (long i = from; i < from + STREAM_BYTES; i += STEP) {
            sum0 = sum0.add(read(memory, i));
            sum1 = sum1.add(read(memory, i + STREAM_BYTES));
            sum2 = sum2.add(read(memory, i + 2 * STREAM_BYTES));
            sum3 = sum3.add(read(memory, i + 3 * STREAM_BYTES));
        }
        return sum0.add(sum1).add(sum2.add(sum3)).reduceLanes(VectorOperators.ADD);
    }

    private static LongVector read(MemorySegment memory, long at) {
        return LongVector.fromMemorySegment(LONGS, memory, at, ByteOrder.nativeOrder());
    }
}
