package dev.ascribe.torch.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.CorruptDataException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ShortBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ConversionTest {
    @Property(tries = 30)
    void theFirstNonFiniteValueIsNamedWhereverItIs(
            @ForAll @IntRange(min = 1, max = 300_000) int length,
            @ForAll @IntRange(max = 299_999) int at,
            @ForAll boolean infinite) {
        float[] values = new float[length];
        int first = at % length;
        values[first] = infinite ? Float.NEGATIVE_INFINITY : Float.NaN;
        values[length - 1] = first < length - 1 ? Float.NaN : values[length - 1];
        assertThatThrownBy(() -> convert(TensorType.F32, MemorySegment.ofArray(values), length))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContainingAll(
                        "model.gguf",
                        "tensor 'w' (F32)",
                        "holds " + (infinite ? "-Infinity" : "NaN") + " at element " + first + ";");
    }

    @Property(tries = 30)
    void finiteValuesOfAnyNumberComeThroughUnchanged(@ForAll @IntRange(max = 300_000) int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = i % 2 == 0 ? Float.MAX_VALUE / (i + 1) : -Float.MIN_VALUE * i;
        }
        assertThat(convert(TensorType.F32, MemorySegment.ofArray(values), length))
                .isEqualTo(values);
    }

    @Test
    void everyFiniteHalfIsItsValue() {
        short[] halves = finite(0x7c00);
        float[] converted = convert(TensorType.F16, MemorySegment.ofArray(halves), halves.length);
        for (int i = 0; i < halves.length; i++) {
            int exponent = halves[i] >> 10 & 31;
            int mantissa = halves[i] & 1023;
            double magnitude =
                    exponent == 0 ? Math.scalb((double) mantissa, -24) : Math.scalb(1024.0 + mantissa, exponent - 25);
            assertThat(converted[i]).isEqualTo((float) (halves[i] < 0 ? -magnitude : magnitude));
        }
    }

    @Test
    void everyFiniteBrainFloatIsTheUpperHalfOfAFloat() {
        short[] upper = finite(0x7f80);
        float[] converted = convert(TensorType.BF16, MemorySegment.ofArray(upper), upper.length);
        for (int i = 0; i < upper.length; i++) {
            assertThat(Float.floatToRawIntBits(converted[i])).isEqualTo(upper[i] << 16);
        }
    }

    @Test
    void doublesAreRoundedAndRefusedBeyondTheRangeOfFloats() {
        double[] values = {0.1, -1e-50, 1e38};
        assertThat(convert(TensorType.F64, MemorySegment.ofArray(values), 3)).containsExactly(0.1f, -0f, 1e38f);
        values[2] = 1e39;
        assertThatThrownBy(() -> convert(TensorType.F64, MemorySegment.ofArray(values), 3))
                .hasMessageContaining("Infinity at element 2");
    }

    @Test
    void anInfiniteScaleOfABlockIsRefused() {
        byte[] blocks = new byte[2 * TensorType.Q8_0.blockBytes()];
        blocks[TensorType.Q8_0.blockBytes() + 1] = 0x7c;
        assertThatThrownBy(() -> convert(TensorType.Q8_0, MemorySegment.ofArray(blocks), 64))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining("NaN at element 32");
    }

    @Test
    void aTargetOfTheWrongSizeIsRefused() {
        TensorInfo info = new TensorInfo("w", TensorType.F32, List.of(2L), Path.of("model.gguf"), 0, 8);
        MemorySegment source = MemorySegment.ofArray(new float[2]);
        for (int bytes : new int[] {0, 7, 9, 12}) {
            assertThatThrownBy(() -> Conversion.toFloats(info, source, MemorySegment.ofArray(new byte[bytes])))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("target of " + bytes + " bytes");
        }
    }

    @Test
    void everyTypeIsEitherConvertibleOrPlain() {
        for (TensorType type : TensorType.values()) {
            assertThat(type.convertible() || type.blockElements() == 1)
                    .as(type.name())
                    .isTrue();
        }
    }

    private static short[] finite(int exponentMask) {
        ShortBuffer finite = ShortBuffer.allocate(1 << 16);
        for (int bits = 0; bits < 1 << 16; bits++) {
            if ((bits & exponentMask) != exponentMask) {
                finite.put((short) bits);
            }
        }
        return Arrays.copyOf(finite.array(), finite.position());
    }

    private static float[] convert(TensorType type, MemorySegment source, long elements) {
        TensorInfo info = new TensorInfo("w", type, List.of(elements), Path.of("model.gguf"), 0, source.byteSize());
        try (Arena arena = Arena.ofShared()) {
            MemorySegment target = arena.allocate(ValueLayout.JAVA_FLOAT, elements);
            Conversion.toFloats(info, source, target);
            return target.toArray(ValueLayout.JAVA_FLOAT);
        }
    }
}
