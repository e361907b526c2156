package dev.ascribe.torch.weights;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    @TempDir
    private Path directory;

    @Test
    void aFileOfTheReferenceImplementationIsRead() throws Exception {
        try (Safetensors file = Safetensors.open(golden())) {
            assertThat(file.metadata()).containsExactly(Map.entry("format", "pt"));
            assertThat(file.tensors().keySet())
                    .containsExactly("ids", "ä \"quoted\"\n", "a.bias", "b.weight", "empty", "half", "mask");
            assertThat(file.tensor("b.weight").shape()).containsExactly(2L, 3L);
            assertThat(floats(file, "b.weight")).containsExactly(0, 1 / 7f, 2 / 7f, 3 / 7f, 4 / 7f, 5 / 7f);
            assertThat(floats(file, "a.bias")).containsExactly(1.5f, -2.5f, 3);
            assertThat(floats(file, "ä \"quoted\"\n")).containsExactly(0.1f);
            assertThat(floats(file, "half")).containsExactly(0.5f, 65504, 0x1p-24f);
            assertThat(floats(file, "empty")).isEmpty();
            assertThat(file.bytes("mask").toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 0, 1);
            assertThatThrownBy(() -> floats(file, "ids"))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContainingAll("golden.safetensors", "'ids'", "I64");
        }
    }

    @Test
    void theWriterGivesTheBytesOfTheReferenceImplementation() throws Exception {
        Path written = directory.resolve("written.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment halves =
                    arena.allocateFrom(ValueLayout.JAVA_SHORT, (short) 0x3800, (short) 0x7bff, (short) 1);
            SafetensorsWriter.create()
                    .add("mask", TensorType.BOOL, List.of(3L), MemorySegment.ofArray(new byte[] {1, 0, 1}))
                    .add("half", TensorType.F16, List.of(3L), halves)
                    .add("b.weight", List.of(2L, 3L), 0, 1 / 7f, 2 / 7f, 3 / 7f, 4 / 7f, 5 / 7f)
                    .add("empty", List.of(0L, 4L))
                    .add("a.bias", List.of(3L), 1.5f, -2.5f, 3)
                    .add("ä \"quoted\"\n", TensorType.F64, List.of(), MemorySegment.ofArray(new double[] {0.1}))
                    .add("ids", TensorType.I64, List.of(1L, 2L), MemorySegment.ofArray(new long[] {1, -1}))
                    .metadata("format", "pt")
                    .write(written);
        }
        assertThat(written).hasSameBinaryContentAs(golden());
    }

    @Test
    void writingReplacesAtOnceAndLeavesNothingElse() throws IOException {
        Path file = directory.resolve("adapter.safetensors");
        SafetensorsWriter.create().add("t", List.of(1L), 1).write(file);
        float[] large = new float[3 << 18];
        large[large.length - 1] = 2;
        SafetensorsWriter.create().add("t", List.of((long) large.length), large).write(file);
        try (WeightFile read = WeightFile.open(file)) {
            assertThat(floats(read, "t")).isEqualTo(large);
        }
        try (Stream<Path> all = Files.list(directory)) {
            assertThat(all).containsExactly(file);
        }
    }

    @Test
    void writingWhereOneCannotIsTheUsersMistake() throws IOException {
        Files.createFile(directory.resolve("file"));
        SafetensorsWriter writer = SafetensorsWriter.create().add("t", List.of(1L), 1);
        assertThatThrownBy(() -> writer.write(directory.resolve("file/adapter.safetensors")))
                .isInstanceOf(UserInputException.class)
                .hasMessageContainingAll("adapter.safetensors", "cannot be written");
    }

    @Test
    void theWriterRefusesWhatTheReaderWould() {
        SafetensorsWriter writer = SafetensorsWriter.create().add("t", List.of(1L), 1);
        assertThatThrownBy(() -> writer.add("t", List.of(1L), 1)).hasMessageContaining("'t' comes twice");
        assertThatThrownBy(() -> writer.add("__metadata__", List.of(1L), 1)).hasMessageContaining("reserved");
        assertThatThrownBy(() -> writer.add("u", List.of(2L), 1)).hasMessageContaining("'u'");
        assertThatThrownBy(() -> writer.add("u", TensorType.Q8_0, List.of(32L), MemorySegment.NULL))
                .hasMessageContaining("Q8_0");
    }

    @Test
    void faultsOfTheHeaderAreNamed() throws IOException {
        assertRefused(new byte[7], "model.safetensors", "7 bytes");
        assertRefused(header(-1, "{}"), "18446744073709551615 bytes");
        assertRefused(header(3, "{}"), "claims a header of 3 bytes");
        assertRefused(header(Long.MAX_VALUE, "{}"), "claims a header");
        assertRefused(header(0, "{}"), "'{'");
        assertRefused(file("[]", 0), "'{'");
        assertRefused(file(" {}", 0), "'{'");
        assertRefused(file("{\"a\":", 0), "JSON is broken at line 1, column");
        assertRefused(file("{} {}", 0), "follows the JSON's end");
        assertRefused(file("{\"__metadata__\":{\"a\":1}}", 0), "'a'", "no string");
        assertRefused(file("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0), "Duplicate");
        assertRefused(file("{\"__metadata__\":[]}", 0), "__metadata__", "not an object");
        assertRefused(file("{\"t\":1}", 0), "'t' is not an object");
        assertRefused(file("{\"t\":{}}", 0), "'t' must have dtype");
        assertRefused(file(tensor("t", "F32", "[1]", "[0,4]").replace("}}", ",\"strides\":[1]}}"), 4), "'strides'");
        String twice = tensor("t", "F32", "[1]", "[0,4]");
        assertRefused(
                file(twice.substring(0, twice.length() - 1) + "," + twice.substring(1), 4), "Duplicate field 't'");
    }

    @Test
    void faultsOfShapesAndOffsetsAreNamed() throws IOException {
        assertRefused(file(tensor("t", "F32", "[2]", "[0,4]"), 4), "'t'", "need 8 bytes");
        assertRefused(file(tensor("t", "F32", "[1]", "[0,4]"), 3), "'t'", "truncated");
        assertRefused(file(tensor("t", "F32", "[1]", "[0,4]"), 5), "1 bytes follow the last tensor");
        assertRefused(file(tensor("t", "F32", "[1]", "[4,8]"), 8), "gap");
        assertRefused(file(tensor("t", "F32", "[1]", "[8,4]"), 8), "[8, 4]");
        assertRefused(file(tensor("t", "F32", "[1]", "[0]"), 4), "not two");
        assertRefused(file(tensor("t", "F32", "[-1]", "[0,4]"), 4), "negative number -1");
        assertRefused(file(tensor("t", "F32", "[1]", "[-4,0]"), 4), "negative number -4");
        assertRefused(file(tensor("t", "F32", "[1.0]", "[0,4]"), 4), "other than whole numbers");
        assertRefused(file(tensor("t", "F32", "[18446744073709551616]", "[0,4]"), 4), "18446744073709551616");
        assertRefused(file(tensor("t", "F32", "[4611686018427387904,4]", "[0,0]"), 0), "overflow");
        assertRefused(file(tensor("t", "F32", "[4611686018427387904]", "[0,0]"), 0), "overflow");
        assertRefused(file(tensor("t", "F32", "1", "[0,4]"), 4), "array");
        String overlap = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}";
        assertRefused(file(overlap, 12), "'b'", "overlap");
    }

    @Test
    void unknownTypesAreNamed() throws IOException {
        for (String dtype : List.of("C64", "Q4_0", "f32", "")) {
            Path path = write("model.safetensors", file(tensor("t", dtype, "[1]", "[0,4]"), 4));
            assertThatThrownBy(() -> Safetensors.open(path))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContainingAll("'t'", "'" + dtype + "'");
        }
    }

    @Test
    void shardsAreOneMap() throws IOException {
        SafetensorsWriter.create().add("a", List.of(1L), 1).write(directory.resolve("model-1.safetensors"));
        SafetensorsWriter.create().add("b", List.of(2L), 2, 3).write(directory.resolve("model-2.safetensors"));
        index(
                "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}}");
        try (WeightFile file = WeightFile.open(directory)) {
            assertThat(file.tensors().keySet()).containsExactly("a", "b");
            assertThat(floats(file, "a")).containsExactly(1);
            assertThat(floats(file, "b")).containsExactly(2, 3);
            assertThat(file.tensor("b").file()).hasFileName("model-2.safetensors");
        }
    }

    @Test
    void faultsOfTheIndexAreNamed() throws IOException {
        SafetensorsWriter.create().add("a", List.of(1L), 1).write(directory.resolve("one.safetensors"));
        SafetensorsWriter.create().add("a", List.of(1L), 1).write(directory.resolve("two.safetensors"));
        Files.createDirectories(directory.resolve("sub"));
        assertIndexRefused("{\"a\":\"missing.safetensors\"}", "missing.safetensors", "does not exist");
        assertIndexRefused("{\"a\":\"../one.safetensors\"}", "'../one.safetensors' outside");
        assertIndexRefused("{\"a\":\"sub/../../x.safetensors\"}", "outside");
        assertIndexRefused("{\"a\":\"/etc/passwd\"}", "outside");
        assertIndexRefused("{\"a\":\"\"}", "outside");
        assertIndexRefused("{\"a\":\"x\\u0000y\"}", "names a file");
        assertIndexRefused("{\"z\":\"one.safetensors\"}", "'z'", "one.safetensors");
        assertIndexRefused("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}", "'a' is both in");
        assertIndexRefused("{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}", "Duplicate");
        assertIndexRefused("{\"a\":1}", "'a'", "no string");
        assertIndexRefused("{}", "weight_map");
        index("{");
        assertThatThrownBy(() -> WeightFile.open(directory)).hasMessageContaining("index.json: the JSON is broken");
    }

    @Test
    void aDirectoryWithoutWeightsSaysWhatIsMissing() {
        assertThatThrownBy(() -> WeightFile.open(directory))
                .isInstanceOf(UserInputException.class)
                .hasMessageContainingAll(directory.toString(), "model.safetensors", "index.json");
    }

    @Test
    void aPickleIsNamed() throws IOException {
        Path pickle = write("pytorch_model.bin", "PK\3\4 and so on".getBytes(UTF_8));
        assertThatThrownBy(() -> WeightFile.open(pickle))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContainingAll("pytorch_model.bin", "pickle");
    }

    private void assertIndexRefused(String weightMap, String... parts) throws IOException {
        index("{\"weight_map\":" + weightMap + "}");
        assertThatThrownBy(() -> WeightFile.open(directory).close())
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContainingAll(parts);
    }

    private void assertRefused(byte[] bytes, String... parts) throws IOException {
        Path path = write("model.safetensors", bytes);
        assertThatThrownBy(() -> Safetensors.open(path).close())
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining("model.safetensors")
                .hasMessageContainingAll(parts);
    }

    private void index(String json) throws IOException {
        write("model.safetensors.index.json", json.getBytes(UTF_8));
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(directory.resolve(name), bytes);
    }

    private static Path golden() throws Exception {
        return Path.of(SafetensorsTest.class.getResource("golden.safetensors").toURI());
    }

    private static String tensor(String name, String dtype, String shape, String offsets) {
        return "{\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}".formatted(name, dtype, shape, offsets);
    }

    private static byte[] file(String json, int data) {
        byte[] utf8 = json.getBytes(UTF_8);
        byte[] head = header(utf8.length, json);
        return ByteBuffer.allocate(head.length + data).put(head).array();
    }

    private static byte[] header(long length, String json) {
        byte[] utf8 = json.getBytes(UTF_8);
        return ByteBuffer.allocate(Long.BYTES + utf8.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .put(utf8)
                .array();
    }

    private static float[] floats(WeightFile file, String name) {
        float[] floats = new float[(int) file.tensor(name).elements()];
        file.toFloats(name, MemorySegment.ofArray(floats));
        return floats;
    }
}
