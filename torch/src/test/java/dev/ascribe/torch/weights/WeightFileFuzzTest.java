package dev.ascribe.torch.weights;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.AscribeException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Damaged files end in a message, or are read: nothing else comes out of them. */
class WeightFileFuzzTest {
    private static final long[] EXTREMES = {
        0, 1, -1, 4, 255, 1L << 31, (1L << 31) - 1, 1L << 32, 1L << 60, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE
    };

    @Property(tries = 1500)
    void aMutatedGgufFileIsReadOrRefused(@ForAll("mutations") Mutation mutation) throws IOException {
        readOrRefuse(mutation.of(gguf()), "fuzz.gguf");
    }

    @Property(tries = 1500)
    void aMutatedSafetensorsFileIsReadOrRefused(@ForAll("mutations") Mutation mutation) throws IOException {
        readOrRefuse(mutation.of(golden("golden.safetensors")), "fuzz.safetensors");
    }

    @Property(tries = 500)
    void anyBytesAfterAGgufMagicAreReadOrRefused(@ForAll byte[] tail) throws IOException {
        byte[] head = GgufBytes.header(3, 1, 1).bytes();
        byte[] all = Arrays.copyOf(head, head.length + tail.length);
        System.arraycopy(tail, 0, all, head.length, tail.length);
        readOrRefuse(all, "fuzz.gguf");
    }

    @Property(tries = 500)
    void anyTextAsSafetensorsHeaderIsReadOrRefused(@ForAll String text) throws IOException {
        byte[] json = ("{" + text).getBytes(UTF_8);
        byte[] all = ByteBuffer.allocate(Long.BYTES + json.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .array();
        readOrRefuse(all, "fuzz.safetensors");
    }

    /** Any other exception than those of Ascribe leaves the test, and so does an OutOfMemoryError. */
    private static void readOrRefuse(byte[] bytes, String name) throws IOException {
        Path directory = Files.createTempDirectory("weights");
        Path path = Files.write(directory.resolve(name), bytes);
        try (WeightFile file = WeightFile.open(path)) {
            for (TensorInfo info : file.tensors().values()) {
                assertThat(info.offset() + info.bytes()).isLessThanOrEqualTo(bytes.length);
                if (info.type().convertible()) {
                    float[] floats = new float[Math.toIntExact(info.elements())];
                    try {
                        file.toFloats(info.name(), MemorySegment.ofArray(floats));
                    } catch (AscribeException e) {
                        assertThat(e).hasMessageContaining(name).hasMessageContaining("at element");
                    }
                }
            }
        } catch (AscribeException e) {
            assertThat(e).hasMessageContaining(name);
        } finally {
            Files.delete(path);
            Files.delete(directory);
        }
    }

    @Provide
    Arbitrary<Mutation> mutations() {
        return Combinators.combine(
                        Arbitraries.of(Kind.values()),
                        Arbitraries.longs(),
                        Arbitraries.integers().between(1, 4))
                .as(Mutation::new);
    }

    enum Kind {
        TRUNCATE,
        FLIP,
        EXTREME_WORD,
        SWAP,
        DUPLICATE,
        DIGIT
    }

    record Mutation(Kind kind, long seed, int times) {
        byte[] of(byte[] valid) {
            Random random = new Random(seed);
            byte[] bytes = valid.clone();
            for (int i = 0; i < times && bytes.length > 0; i++) {
                bytes = once(bytes, random);
            }
            return bytes;
        }

        private byte[] once(byte[] bytes, Random random) {
            int at = random.nextInt(bytes.length);
            switch (kind) {
                case TRUNCATE -> {
                    return Arrays.copyOf(bytes, at);
                }
                case FLIP -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case EXTREME_WORD -> {
                    if (at + Long.BYTES <= bytes.length) {
                        ByteBuffer.wrap(bytes)
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .putLong(at, EXTREMES[random.nextInt(EXTREMES.length)]);
                    }
                }
                case SWAP -> {
                    int other = random.nextInt(bytes.length);
                    byte kept = bytes[at];
                    bytes[at] = bytes[other];
                    bytes[other] = kept;
                }
                case DUPLICATE -> {
                    int length = random.nextInt(1, 64);
                    byte[] longer = Arrays.copyOf(bytes, bytes.length + length);
                    System.arraycopy(bytes, at, longer, Math.min(at + length, bytes.length), bytes.length - at);
                    return longer;
                }
                case DIGIT -> {
                    // Numbers in JSON become other numbers, so that shapes and offsets contradict each other.
                    int digit = at;
                    while (digit < bytes.length && !Character.isDigit(bytes[digit])) {
                        digit++;
                    }
                    if (digit < bytes.length) {
                        bytes[digit] = (byte) "0123456789-.e".charAt(random.nextInt(13));
                    }
                }
            }
            return bytes;
        }
    }

    /** A small file with every part that a header can have, so that mutations hit headers and not only data. */
    private static byte[] gguf() {
        return GgufBytes.header(3, 3, 4)
                .entry("general.architecture", GgufBytes.STRING)
                .string("llama")
                .entry("general.alignment", GgufBytes.U32)
                .u32(16)
                .entry("tokens", GgufBytes.ARRAY)
                .u32(GgufBytes.STRING)
                .u64(3)
                .string("a")
                .string("bc")
                .string("ä")
                .entry("nested", GgufBytes.ARRAY)
                .u32(GgufBytes.ARRAY)
                .u64(1)
                .u32(GgufBytes.U8)
                .u64(2)
                .u8(1, 2)
                .tensor("f", 0, 0, 2, 2)
                .tensor("q4", 2, 16, 32)
                .tensor("h", 1, 48, 4)
                .pad(16)
                .f32(1, 2, 3, 4)
                .u8(new int[18])
                .pad(16)
                .u8(new int[8])
                .bytes();
    }

    private static byte[] golden(String name) throws IOException {
        try (var in = WeightFileFuzzTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }
}
