package dev.ascribe.torch.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufTest {
    private static final int F32 = 0;
    private static final int Q4_0 = 2;

    @TempDir
    private Path directory;

    @Test
    void everyTypeGivesTheFloatsOfGgufPy() throws Exception {
        // The file holds, beside each tensor, what gguf-py makes of it; bench/peers/gguf_types.py wrote both.
        Path golden = Path.of(GgufTest.class.getResource("golden.gguf").toURI());
        Set<TensorType> compared = new TreeSet<>();
        try (Gguf file = Gguf.open(golden)) {
            for (TensorInfo info : file.tensors().values()) {
                if (!info.name().endsWith(".expected")) {
                    assertThat(bits(file, info.name()))
                            .as(info.name())
                            .isEqualTo(bits(file, info.name() + ".expected"));
                    compared.add(info.type());
                }
            }
            assertThat(file.metadata())
                    .containsEntry("types.seed", 1L)
                    .containsEntry("general.architecture", "types")
                    .extractingByKey("types.names")
                    .asInstanceOf(InstanceOfAssertFactories.LIST)
                    .hasSize(18)
                    .startsWith("F32", "F16");
        }
        assertThat(compared).hasSize(13).contains(TensorType.Q4_1, TensorType.Q6_K, TensorType.BF16);
    }

    @Test
    void shapesAreOutermostFirstAndOrderIsThatOfTheFile() throws IOException {
        byte[] bytes = GgufBytes.header(2, 2, 0)
                .tensor("z", F32, 32, 3, 2)
                .tensor("a", F32, 0)
                .pad(32)
                .f32(7)
                .pad(32)
                .f32(1, 2, 3, 4, 5, 6)
                .bytes();
        try (WeightFile file = WeightFile.open(write(bytes))) {
            assertThat(file.tensors().keySet()).containsExactly("z", "a");
            assertThat(file.tensor("z").shape()).containsExactly(2L, 3L);
            assertThat(file.tensor("z").elements()).isEqualTo(6);
            assertThat(file.tensor("a").shape()).isEmpty();
            assertThat(floats(file, "z")).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(floats(file, "a")).containsExactly(7);
            assertThat(file.bytes("z").address()).isEqualTo(file.bytes("a").address() + 32);
            assertThat(file.bytes("z").isReadOnly()).isTrue();
        }
    }

    @Test
    void everyMetadataTypeIsRead() throws IOException {
        byte[] bytes = GgufBytes.header(3, 0, 14)
                .entry("u8", 0)
                .u8(200)
                .entry("i8", 1)
                .u8(200)
                .entry("u16", 2)
                .u8(0xff, 0xff)
                .entry("i16", 3)
                .u8(0xff, 0xff)
                .entry("u32", 4)
                .u32(-1)
                .entry("i32", 5)
                .u32(-1)
                .entry("f32", 6)
                .f32(1e-5f)
                .entry("bool", 7)
                .u8(1)
                .entry("string", 8)
                .string("Ġü😀")
                .entry("array", 9)
                .u32(9)
                .u64(2)
                .u32(8)
                .u64(2)
                .string("a")
                .string("")
                .u32(7)
                .u64(1)
                .u8(0)
                .entry("u64", 10)
                .u64(Long.MAX_VALUE)
                .entry("i64", 11)
                .u64(Long.MIN_VALUE)
                .entry("f64", 12)
                .u64(Double.doubleToRawLongBits(0.1))
                .entry("empty", 9)
                .u32(4)
                .u64(0)
                .bytes();
        try (Gguf file = Gguf.open(write(bytes))) {
            Map<String, Object> metadata = file.metadata();
            assertThat(metadata.values())
                    .containsExactly(
                            200L,
                            -56L,
                            65535L,
                            -1L,
                            4294967295L,
                            -1L,
                            (double) 1e-5f,
                            true,
                            "Ġü😀",
                            List.of(List.of("a", ""), List.of(false)),
                            Long.MAX_VALUE,
                            Long.MIN_VALUE,
                            0.1,
                            List.of());
            assertThat(metadata.keySet()).startsWith("u8", "i8", "u16").endsWith("f64", "empty");
        }
    }

    @Test
    void aTruncatedFileSaysSo() throws IOException {
        byte[] bytes = GgufBytes.header(3, 1, 0)
                .tensor("t", F32, 0, 4)
                .pad(32)
                .f32(1, 2, 3)
                .bytes();
        assertRefused(bytes, CorruptDataException.class, "model.gguf", "tensor 't'", "16 bytes", "truncated");
    }

    @Test
    void countsBeyondTheFileAreRefusedBeforeAnythingIsAllocated() throws IOException {
        for (long huge : new long[] {5, 1L << 31, Long.MAX_VALUE, -1}) {
            assertRefused(GgufBytes.header(3, huge, 0).bytes(), CorruptDataException.class, "byte 8", "tensors");
            assertRefused(GgufBytes.header(3, 0, huge).bytes(), CorruptDataException.class, "byte 16", "entries");
            assertRefused(
                    GgufBytes.header(3, 0, 1)
                            .entry("k", GgufBytes.STRING)
                            .u64(huge)
                            .bytes(),
                    CorruptDataException.class,
                    "byte 37",
                    "k");
            assertRefused(
                    GgufBytes.header(3, 0, 1)
                            .entry("k", GgufBytes.ARRAY)
                            .u32(GgufBytes.U8)
                            .u64(huge)
                            .bytes(),
                    CorruptDataException.class,
                    "byte",
                    "k");
        }
    }

    @Test
    void arraysNestedTooDeepAreRefused() throws IOException {
        GgufBytes nested = GgufBytes.header(3, 0, 1).entry("deep", GgufBytes.ARRAY);
        for (int i = 0; i < 10_000; i++) {
            nested.u32(GgufBytes.ARRAY).u64(1);
        }
        assertRefused(nested.bytes(), CorruptDataException.class, "deep", "nests arrays more than 4 deep");
    }

    @Test
    void overlappingTensorsAreRefused() throws IOException {
        byte[] bytes = GgufBytes.header(3, 2, 0)
                .tensor("first", F32, 0, 16)
                .tensor("second", F32, 32, 4)
                .pad(32)
                .f32(new float[16])
                .bytes();
        assertRefused(bytes, CorruptDataException.class, "'first' and 'second' overlap");
    }

    @Test
    void offsetsMustBeAlignedAndInRange() throws IOException {
        Consumer<Long> refused = offset -> {
            byte[] bytes = GgufBytes.header(3, 1, 0)
                    .tensor("t", F32, offset, 4)
                    .pad(32)
                    .f32(new float[64])
                    .bytes();
            assertRefused(bytes, CorruptDataException.class, "t");
        };
        for (long offset : new long[] {4, 31, 256, Long.MAX_VALUE - 31, Long.MAX_VALUE, Long.MIN_VALUE, -32}) {
            refused.accept(offset);
        }
    }

    @Test
    void theAlignmentKeyIsHonouredAndChecked() throws IOException {
        GgufBytes good = GgufBytes.header(3, 1, 1)
                .entry("general.alignment", GgufBytes.U32)
                .u32(8)
                .tensor("t", F32, 8, 1)
                .pad(8)
                .f32(0, 0, 5);
        try (Gguf file = Gguf.open(write(good.bytes()))) {
            assertThat(floats(file, "t")).containsExactly(5);
        }
        for (long bad : new long[] {0, 12, 3, 1L << 40}) {
            byte[] bytes = GgufBytes.header(3, 0, 1)
                    .entry("general.alignment", GgufBytes.U64)
                    .u64(bad)
                    .bytes();
            assertRefused(bytes, CorruptDataException.class, "general.alignment", Long.toString(bad));
        }
        byte[] text = GgufBytes.header(3, 0, 1)
                .entry("general.alignment", GgufBytes.STRING)
                .string("32")
                .bytes();
        assertRefused(text, CorruptDataException.class, "general.alignment");
    }

    @Test
    void impossibleShapesAreRefused() throws IOException {
        assertRefused(tensor(F32, 1, 1, 1, 1, 1), CorruptDataException.class, "5 dimensions, at most 4");
        assertRefused(tensor(F32, Long.MAX_VALUE, 2), CorruptDataException.class, "overflow");
        assertRefused(tensor(F32, -4), CorruptDataException.class, "beyond 2^63 - 1");
        assertRefused(tensor(Q4_0, 48, 2), CorruptDataException.class, "48", "block of 32");
        assertRefused(tensor(Q4_0, 2, 32), CorruptDataException.class, "block of 32");
    }

    @Test
    void duplicateNamesAreRefused() throws IOException {
        assertRefused(
                GgufBytes.header(3, 2, 0)
                        .tensor("t", F32, 0, 1)
                        .tensor("t", F32, 32, 1)
                        .pad(32)
                        .f32(new float[16])
                        .bytes(),
                CorruptDataException.class,
                "'t' comes twice");
        assertRefused(
                GgufBytes.header(3, 0, 2)
                        .entry("k", GgufBytes.U8)
                        .u8(1)
                        .entry("k", GgufBytes.U8)
                        .u8(1)
                        .bytes(),
                CorruptDataException.class,
                "'k' comes twice");
    }

    @Test
    void unknownTypesAreNamed() throws IOException {
        assertRefused(tensor(23, 256), UnsupportedModelException.class, "'t'", "IQ4_XS", "23");
        assertRefused(tensor(99, 256), UnsupportedModelException.class, "'t'", "unknown", "99");
        assertRefused(tensor(-1, 256), UnsupportedModelException.class, "'t'", "unknown", "4294967295");
        assertRefused(GgufBytes.header(3, 0, 1).entry("k", 13).bytes(), CorruptDataException.class, "'k'", "13");
    }

    @Test
    void otherVersionsAreNamed() throws IOException {
        assertRefused(GgufBytes.header(1, 0, 0).bytes(), UnsupportedModelException.class, "version 1");
        assertRefused(GgufBytes.header(4, 0, 0).bytes(), UnsupportedModelException.class, "version 4");
        assertRefused(GgufBytes.header(3 << 24, 0, 0).bytes(), UnsupportedModelException.class, "big-endian");
    }

    @Test
    void textThatIsNotUtf8IsRefused() throws IOException {
        byte[] bytes = GgufBytes.header(3, 0, 1)
                .entry("k", GgufBytes.STRING)
                .u64(1)
                .u8(0xff)
                .bytes();
        assertRefused(bytes, CorruptDataException.class, "k is not UTF-8");
        byte[] replacement = GgufBytes.header(3, 0, 1)
                .entry("k", GgufBytes.STRING)
                .string("\ufffd")
                .bytes();
        try (Gguf file = Gguf.open(write(replacement))) {
            assertThat(file.metadata()).containsEntry("k", "\ufffd");
        }
    }

    @Test
    void integersAreNotWeights() throws IOException {
        byte[] bytes = GgufBytes.header(3, 1, 0)
                .tensor("ids", 26, 0, 2)
                .pad(32)
                .u32(1)
                .u32(2)
                .bytes();
        try (Gguf file = Gguf.open(write(bytes))) {
            assertThatThrownBy(() -> file.toFloats("ids", MemorySegment.ofArray(new float[2])))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContainingAll("'ids'", "I32");
        }
    }

    @Test
    void aMissingFileIsTheUsersMistake() {
        assertThatThrownBy(() -> WeightFile.open(directory.resolve("none.gguf")))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("none.gguf does not exist");
    }

    @Test
    void aMissingTensorIsNamed() throws IOException {
        try (Gguf file = Gguf.open(write(GgufBytes.header(3, 0, 0).bytes()))) {
            assertThatThrownBy(() -> file.bytes("output.weight"))
                    .isInstanceOf(CorruptDataException.class)
                    .hasMessageContaining("no tensor 'output.weight'");
        }
    }

    private static byte[] tensor(int type, long... dimensions) {
        return GgufBytes.header(3, 1, 0)
                .tensor("t", type, 0, dimensions)
                .pad(32)
                .f32(new float[64])
                .bytes();
    }

    private void assertRefused(byte[] bytes, Class<? extends Exception> type, String... parts) {
        assertThatThrownBy(() -> Gguf.open(write(bytes)).close())
                .isInstanceOf(type)
                .hasMessageContainingAll(parts);
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(directory.resolve("model.gguf"), bytes);
    }

    private static float[] floats(WeightFile file, String name) {
        float[] floats = new float[(int) file.tensor(name).elements()];
        file.toFloats(name, MemorySegment.ofArray(floats));
        return floats;
    }

    private static int[] bits(WeightFile file, String name) {
        float[] floats = floats(file, name);
        int[] bits = new int[floats.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(floats[i]);
        }
        return bits;
    }
}
