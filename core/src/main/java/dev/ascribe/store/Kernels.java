package dev.ascribe.store;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Inner products by the Vector API. Every loop is written out once a dtype: a shared loop that calls a method of the dtype
 * allocates vectors on the heap as soon as two dtypes are in use.
 *
 * <p>bf16 and int8 rows are read as 32-bit lanes that hold 2 or 4 neighbouring columns each; shifts take them apart. The query
 * is packed in that order once (see {@link #pack}), so that no lane ever has to move.
 */
final class Kernels {
    /** Vectors beyond a row's alignment would read past its end. */
    private static final VectorSpecies<Float> FLOATS =
            FloatVector.SPECIES_PREFERRED.vectorByteSize() > FeatureStoreWriter.ALIGNMENT
                    ? FloatVector.SPECIES_512
                    : FloatVector.SPECIES_PREFERRED;

    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final int N = FLOATS.length();
    private static final int BYTES = FLOATS.vectorByteSize();
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int UPPER_HALF = 0xffff0000;
    private static final int BIAS = 0x80808080;
    /** A shifted byte ends in the upper one of its lane: what its value is too large by. */
    private static final float UPPER_BYTE = 1 << 24;

    private static final float DIGIT = 1 << 8;

    /** Rows that {@link #dots} takes at once. */
    static final int ROWS = 4;
    /** Sums a row, to be folded by {@link #fold}. */
    static final int LANES = N;

    private Kernels() {}

    /**
     * A query in the order of the lanes.
     *
     * @param query shape (width of a block)
     * @param offset the block's first column
     * @param stride bytes of a row
     * @return shape (stride / bytes of a feature), zeros outside the block
     */
    static float[] pack(Dtype dtype, float[] query, int offset, long stride) {
        int parts = Float.BYTES / dtype.bytes();
        float[] packed = new float[(int) (stride / dtype.bytes())];
        for (int i = 0; i < query.length; i++) {
            int column = offset + i;
            if (dtype == Dtype.INT8) {
                packed[packedAt(column, parts)] += query[i] / UPPER_BYTE;
                if (column % parts > 0) {
                    packed[packedAt(column - 1, parts)] -= query[i] / UPPER_BYTE / DIGIT;
                }
            } else {
                packed[packedAt(column, parts)] = query[i];
            }
        }
        return packed;
    }

    private static int packedAt(int column, int parts) {
        int vector = column / (parts * N);
        return (vector * parts + column % parts) * N + column / parts % N;
    }

    /**
     * Adds to {@code sums} the inner products of 4 rows with a packed query, shape (4, LANES) from {@code at} on.
     *
     * @param at0 byte position of a row, like the other three
     * @param from first byte of the row to take, a multiple of 64
     * @param to the byte after the last
     */
    static void dots(
            Dtype dtype,
            MemorySegment rows,
            long at0,
            long at1,
            long at2,
            long at3,
            float[] packed,
            int from,
            int to,
            float[] sums,
            int at) {
        switch (dtype) {
            case F32 -> f32(rows, at0, at1, at2, at3, packed, from, to, sums, at);
            case BF16 -> bf16(rows, at0, at1, at2, at3, packed, from, to, sums, at);
            case INT8 -> int8(rows, at0, at1, at2, at3, packed, from, to, sums, at);
        }
    }

    private static void f32(
            MemorySegment rows,
            long at0,
            long at1,
            long at2,
            long at3,
            float[] query,
            int from,
            int to,
            float[] sums,
            int at) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int i = from; i < to; i += BYTES) {
            FloatVector q = FloatVector.fromArray(FLOATS, query, i / Float.BYTES);
            sum0 = FloatVector.fromMemorySegment(FLOATS, rows, at0 + i, LITTLE).fma(q, sum0);
            sum1 = FloatVector.fromMemorySegment(FLOATS, rows, at1 + i, LITTLE).fma(q, sum1);
            sum2 = FloatVector.fromMemorySegment(FLOATS, rows, at2 + i, LITTLE).fma(q, sum2);
            sum3 = FloatVector.fromMemorySegment(FLOATS, rows, at3 + i, LITTLE).fma(q, sum3);
        }
        addLanes(sum0, sums, at);
        addLanes(sum1, sums, at + N);
        addLanes(sum2, sums, at + 2 * N);
        addLanes(sum3, sums, at + 3 * N);
    }

    private static void bf16(
            MemorySegment rows,
            long at0,
            long at1,
            long at2,
            long at3,
            float[] query,
            int from,
            int to,
            float[] sums,
            int at) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int i = from; i < to; i += BYTES) {
            FloatVector even = FloatVector.fromArray(FLOATS, query, i / Short.BYTES);
            FloatVector odd = FloatVector.fromArray(FLOATS, query, i / Short.BYTES + N);
            IntVector pairs0 = IntVector.fromMemorySegment(INTS, rows, at0 + i, LITTLE);
            IntVector pairs1 = IntVector.fromMemorySegment(INTS, rows, at1 + i, LITTLE);
            IntVector pairs2 = IntVector.fromMemorySegment(INTS, rows, at2 + i, LITTLE);
            IntVector pairs3 = IntVector.fromMemorySegment(INTS, rows, at3 + i, LITTLE);
            sum0 = lower(pairs0).fma(even, upper(pairs0).fma(odd, sum0));
            sum1 = lower(pairs1).fma(even, upper(pairs1).fma(odd, sum1));
            sum2 = lower(pairs2).fma(even, upper(pairs2).fma(odd, sum2));
            sum3 = lower(pairs3).fma(even, upper(pairs3).fma(odd, sum3));
        }
        addLanes(sum0, sums, at);
        addLanes(sum1, sums, at + N);
        addLanes(sum2, sums, at + 2 * N);
        addLanes(sum3, sums, at + 3 * N);
    }

    private static FloatVector lower(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, Short.SIZE).reinterpretAsFloats();
    }

    private static FloatVector upper(IntVector pairs) {
        return pairs.and(UPPER_HALF).reinterpretAsFloats();
    }

    /**
     * With bytes b as signed digits, V = b0 + 256·b1 + 65,536·b2 + 2²⁴·b3, the four shifted conversions are prefixes of that sum:
     * cheaper than masking each byte out, and {@link #pack} has taken the lower digits out on the query's side.
     */
    private static void int8(
            MemorySegment rows,
            long at0,
            long at1,
            long at2,
            long at3,
            float[] query,
            int from,
            int to,
            float[] sums,
            int at) {
        // Nothing is moved to methods of its own here: the compiler stops inlining such methods when a loop is this
        // large.
        IntVector bias = IntVector.broadcast(INTS, BIAS);
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int i = from; i < to; i += BYTES) {
            FloatVector q0 = FloatVector.fromArray(FLOATS, query, i);
            FloatVector q1 = FloatVector.fromArray(FLOATS, query, i + N);
            FloatVector q2 = FloatVector.fromArray(FLOATS, query, i + 2 * N);
            FloatVector q3 = FloatVector.fromArray(FLOATS, query, i + 3 * N);
            // From two's complement bytes to signed digits: make them unsigned, then take off 128 each with the
            // borrows.
            IntVector v0 = IntVector.fromMemorySegment(INTS, rows, at0 + i, LITTLE)
                    .lanewise(VectorOperators.XOR, bias)
                    .lanewise(VectorOperators.SUB, bias);
            IntVector v1 = IntVector.fromMemorySegment(INTS, rows, at1 + i, LITTLE)
                    .lanewise(VectorOperators.XOR, bias)
                    .lanewise(VectorOperators.SUB, bias);
            IntVector v2 = IntVector.fromMemorySegment(INTS, rows, at2 + i, LITTLE)
                    .lanewise(VectorOperators.XOR, bias)
                    .lanewise(VectorOperators.SUB, bias);
            IntVector v3 = IntVector.fromMemorySegment(INTS, rows, at3 + i, LITTLE)
                    .lanewise(VectorOperators.XOR, bias)
                    .lanewise(VectorOperators.SUB, bias);
            sum0 = ((FloatVector) v0.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0)).fma(q0, sum0);
            sum0 = ((FloatVector) v0.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0)).fma(q1, sum0);
            sum0 = ((FloatVector) v0.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0)).fma(q2, sum0);
            sum0 = ((FloatVector) v0.convert(VectorOperators.I2F, 0)).fma(q3, sum0);
            sum1 = ((FloatVector) v1.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0)).fma(q0, sum1);
            sum1 = ((FloatVector) v1.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0)).fma(q1, sum1);
            sum1 = ((FloatVector) v1.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0)).fma(q2, sum1);
            sum1 = ((FloatVector) v1.convert(VectorOperators.I2F, 0)).fma(q3, sum1);
            sum2 = ((FloatVector) v2.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0)).fma(q0, sum2);
            sum2 = ((FloatVector) v2.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0)).fma(q1, sum2);
            sum2 = ((FloatVector) v2.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0)).fma(q2, sum2);
            sum2 = ((FloatVector) v2.convert(VectorOperators.I2F, 0)).fma(q3, sum2);
            sum3 = ((FloatVector) v3.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0)).fma(q0, sum3);
            sum3 = ((FloatVector) v3.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0)).fma(q1, sum3);
            sum3 = ((FloatVector) v3.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0)).fma(q2, sum3);
            sum3 = ((FloatVector) v3.convert(VectorOperators.I2F, 0)).fma(q3, sum3);
        }
        FloatVector.fromArray(FLOATS, sums, at).add(sum0).intoArray(sums, at);
        FloatVector.fromArray(FLOATS, sums, at + N).add(sum1).intoArray(sums, at + N);
        FloatVector.fromArray(FLOATS, sums, at + 2 * N).add(sum2).intoArray(sums, at + 2 * N);
        FloatVector.fromArray(FLOATS, sums, at + 3 * N).add(sum3).intoArray(sums, at + 3 * N);
    }

    private static void addLanes(FloatVector sum, float[] sums, int at) {
        FloatVector.fromArray(FLOATS, sums, at).add(sum).intoArray(sums, at);
    }

    /**
     * The sum of the lanes that begin at {@code at}. The Vector API's own reduction adds in another order once it is compiled,
     * so that scores would change from call to call.
     */
    static float fold(float[] lanes, int at) {
        float sum = 0;
        for (int i = at; i < at + N; i++) {
            sum += lanes[i];
        }
        return sum;
    }

    /** Inner product of {@code a[from…to]} and {@code b[from…to]}. */
    static float dot(float[] a, float[] b, int from, int to) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        int i = from;
        for (; i <= to - 2 * N; i += 2 * N) {
            sum0 = FloatVector.fromArray(FLOATS, a, i).fma(FloatVector.fromArray(FLOATS, b, i), sum0);
            sum1 = FloatVector.fromArray(FLOATS, a, i + N).fma(FloatVector.fromArray(FLOATS, b, i + N), sum1);
        }
        float sum = fold(sum0.add(sum1).toArray(), 0);
        for (; i < to; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    /** {@code sums[from…to] += weight · row[from…to]}. */
    static void addInPlace(float[] sums, float weight, float[] row, int from, int to) {
        FloatVector weights = FloatVector.broadcast(FLOATS, weight);
        int i = from;
        for (; i <= to - N; i += N) {
            FloatVector.fromArray(FLOATS, row, i)
                    .fma(weights, FloatVector.fromArray(FLOATS, sums, i))
                    .intoArray(sums, i);
        }
        for (; i < to; i++) {
            sums[i] += weight * row[i];
        }
    }
}
