package dev.ascribe.store;

import com.fasterxml.jackson.annotation.JsonValue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;

/** How one feature is stored. All are little-endian. */
public enum Dtype {
    /** IEEE 754 single precision. */
    F32(Float.BYTES),
    /** The upper half of a single-precision float, rounded to nearest even. */
    BF16(Short.BYTES),
    /** Symmetric: value = scale of the row · integer in [−127, 127], rounded to nearest, scale = largest magnitude / 127. */
    INT8(Byte.BYTES);

    private static final int LEVELS = 127;
    private static final int BF16_INFINITE = 0x7f80;
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int bytes;

    Dtype(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes a feature. */
    public int bytes() {
        return bytes;
    }

    /** Its name in files and options: {@code f32}, {@code bf16}, {@code int8}. */
    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return label();
    }

    /**
     * Writes finite features.
     *
     * @param features values at {@code offset} to {@code offset + width}
     * @param at byte position in {@code into}
     * @return the row's scale: 1 except for int8
     * @throws ArithmeticException when a value is beyond bf16's range
     */
    float encode(float[] features, int offset, int width, MemorySegment into, long at) {
        return switch (this) {
            case F32 -> {
                MemorySegment.copy(features, offset, into, FLOAT, at, width);
                yield 1;
            }
            case BF16 -> {
                for (int i = 0; i < width; i++) {
                    into.set(SHORT, at + (long) Short.BYTES * i, bf16(features[offset + i]));
                }
                yield 1;
            }
            case INT8 -> int8(features, offset, width, into, at);
        };
    }

    private static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
        if ((rounded & BF16_INFINITE) == BF16_INFINITE) {
            throw new ArithmeticException(value + " is beyond the range of bf16");
        }
        return (short) rounded;
    }

    private static float int8(float[] features, int offset, int width, MemorySegment into, long at) {
        float largest = 0;
        for (int i = 0; i < width; i++) {
            largest = Math.max(largest, Math.abs(features[offset + i]));
        }
        float scale = largest / LEVELS;
        // A scale that underflows to 0 stores zeros: the row is below what a float can tell from 0.
        double inverse = scale == 0 ? 0 : 1.0 / scale;
        for (int i = 0; i < width; i++) {
            double level = Math.rint(features[offset + i] * inverse);
            into.set(ValueLayout.JAVA_BYTE, at + i, (byte) Math.clamp(level, -LEVELS, LEVELS));
        }
        return scale;
    }

    /** Reads {@code count} features at byte position {@code at} into {@code into[start…]}. */
    void decode(MemorySegment from, long at, int count, float scale, float[] into, int start) {
        switch (this) {
            case F32 -> MemorySegment.copy(from, FLOAT, at, into, start, count);
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    into[start + i] = Float.intBitsToFloat(from.get(SHORT, at + (long) Short.BYTES * i) << 16);
                }
            }
            case INT8 -> {
                for (int i = 0; i < count; i++) {
                    into[start + i] = scale * from.get(ValueLayout.JAVA_BYTE, at + i);
                }
            }
        }
    }
}
