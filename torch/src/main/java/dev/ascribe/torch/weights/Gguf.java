package dev.ascribe.torch.weights;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file, version 2 or 3, little-endian.
 *
 * <pre>{@code
 * u32 magic "GGUF", u32 version, u64 tensors, u64 entries
 * entries × (string key, u32 type, value)                       string: u64 length, UTF-8
 * tensors × (string name, u32 dimensions, u64 × dimensions, innermost first, u32 type, u64 offset)
 * padding to general.alignment (32 unless given), then the data, from where offsets count
 * }</pre>
 *
 * <p>Metadata values are {@link Long} for every integer type, {@link Double} for both float types, {@link Boolean},
 * {@link String}, or an unmodifiable {@link List} of these.
 */
public final class Gguf implements WeightFile {
    private static final byte[] MAGIC = "GGUF".getBytes(US_ASCII);
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_DIMENSIONS = 4;
    private static final int MAX_DEPTH = 4;

    /** Real vocabularies have some hundred thousand tokens, merges, scores and types. */
    private static final int MAX_ARRAY_ELEMENTS = 1 << 23;

    /** As in safetensors; the largest vocabularies need a tenth of it. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private static final Map<Integer, String> UNSUPPORTED_TYPES = Map.ofEntries(
            Map.entry(4, "Q4_2"),
            Map.entry(5, "Q4_3"),
            Map.entry(9, "Q8_1"),
            Map.entry(15, "Q8_K"),
            Map.entry(16, "IQ2_XXS"),
            Map.entry(17, "IQ2_XS"),
            Map.entry(18, "IQ3_XXS"),
            Map.entry(19, "IQ1_S"),
            Map.entry(20, "IQ4_NL"),
            Map.entry(21, "IQ3_S"),
            Map.entry(22, "IQ2_S"),
            Map.entry(23, "IQ4_XS"),
            Map.entry(29, "IQ1_M"),
            Map.entry(31, "Q4_0_4_4"),
            Map.entry(32, "Q4_0_4_8"),
            Map.entry(33, "Q4_0_8_8"),
            Map.entry(34, "TQ1_0"),
            Map.entry(35, "TQ2_0"),
            Map.entry(36, "IQ4_NL_4_4"),
            Map.entry(37, "IQ4_NL_4_8"),
            Map.entry(38, "IQ4_NL_8_8"),
            Map.entry(39, "MXFP4"),
            Map.entry(40, "NVFP4"),
            Map.entry(41, "Q1_0"));

    private final Path path;
    private final Arena arena;
    private final MemorySegment file;
    private final Map<String, Object> metadata;
    private final Map<String, TensorInfo> tensors;

    private Gguf(Path path, Arena arena, MemorySegment file, Header header) {
        this.path = path;
        this.arena = arena;
        this.file = file;
        this.metadata = Collections.unmodifiableMap(header.metadata);
        this.tensors = Collections.unmodifiableMap(header.tensors);
    }

    /** Maps the file and reads its header; the tensors' data are not touched. */
    public static Gguf open(Path path) {
        Arena arena = Arena.ofShared();
        try {
            MemorySegment file = Mapping.map(path, arena);
            Header header = new Header(path, file);
            header.read();
            return new Gguf(path, arena, file, header);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    static boolean recognises(byte[] magic) {
        return Arrays.equals(magic, MAGIC);
    }

    /** The key-value entries, in the order of the file. */
    public Map<String, Object> metadata() {
        return metadata;
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public MemorySegment bytes(String name) {
        TensorInfo info = tensor(name);
        return file.asSlice(info.offset(), info.bytes());
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public void close() {
        arena.close();
    }

    /** A position in the file; every read is checked against the file's end before anything is allocated. */
    private static final class Header {
        private static final ValueLayout.OfShort SHORT =
                ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfLong LONG =
                ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

        private final Path path;
        private final MemorySegment file;
        private final Map<String, Object> metadata = new LinkedHashMap<>();
        private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        private long position;
        private long arrayElements;

        Header(Path path, MemorySegment file) {
            this.path = path;
            this.file = file;
        }

        void read() {
            readVersion();
            // The smallest tensor: no name, no dimensions; the smallest entry: no key, one byte.
            long tensorCount = count("tensors", 8 + 4 + 4 + 8);
            long entryCount = count("metadata entries", 8 + 4 + 1);
            for (long i = 0; i < entryCount; i++) {
                String key = string("a metadata key");
                long at = position;
                if (metadata.put(key, value(key, u32("a value's type"), 0)) != null) {
                    throw corrupt(at, "metadata key '%s' comes twice".formatted(key));
                }
            }
            List<Declared> declared = new ArrayList<>();
            for (long i = 0; i < tensorCount; i++) {
                declared.add(declaration());
            }
            place(declared);
        }

        private void readVersion() {
            byte[] magic = bytes(MAGIC.length, "the magic");
            if (!recognises(magic)) {
                throw corrupt(0, "a GGUF file begins with 'GGUF', this one does not");
            }
            int version = u32("the version");
            if (version != 0 && (version & 0xffff) == 0) {
                throw new UnsupportedModelException(
                        "%s is a big-endian GGUF file (version bytes %08x); convert it to little-endian"
                                .formatted(path, version));
            }
            if (version != 2 && version != 3) {
                throw new UnsupportedModelException(
                        "%s is GGUF version %s; versions 2 and 3 can be read, convert it again"
                                .formatted(path, Integer.toUnsignedString(version)));
            }
        }

        private Object value(String key, int type, int depth) {
            long at = position;
            return switch (type) {
                case 0 -> (long) Byte.toUnsignedInt(file.get(ValueLayout.JAVA_BYTE, advance(1, key)));
                case 1 -> (long) file.get(ValueLayout.JAVA_BYTE, advance(1, key));
                case 2 -> (long) Short.toUnsignedInt(file.get(SHORT, advance(2, key)));
                case 3 -> (long) file.get(SHORT, advance(2, key));
                case 4 -> Integer.toUnsignedLong(u32(key));
                case 5 -> (long) u32(key);
                case 6 -> (double) Float.intBitsToFloat(u32(key));
                case 7 -> {
                    byte truth = file.get(ValueLayout.JAVA_BYTE, advance(1, key));
                    if (truth != 0 && truth != 1) {
                        throw corrupt(at, "metadata '%s': a truth value is 0 or 1, not %d".formatted(key, truth));
                    }
                    yield truth == 1;
                }
                case 8 -> string(key);
                case 9 -> array(key, depth);
                case 10 -> u64(key);
                case 11 -> file.get(LONG, advance(8, key));
                case 12 -> Double.longBitsToDouble(file.get(LONG, advance(8, key)));
                default ->
                    throw corrupt(
                            at, "metadata '%s' has unknown type %s".formatted(key, Integer.toUnsignedString(type)));
            };
        }

        private List<Object> array(String key, int depth) {
            long at = position;
            int type = u32(key);
            long length = u64(key);
            long smallest = switch (type) {
                case 0, 1, 7 -> 1;
                case 2, 3 -> 2;
                case 4, 5, 6 -> 4;
                case 8, 10, 11, 12 -> 8;
                case 9 -> 12;
                default ->
                    throw corrupt(
                            at,
                            "metadata '%s' is an array of unknown type %s"
                                    .formatted(key, Integer.toUnsignedString(type)));
            };
            requireRoom(length, smallest, "array '" + key + "'", at);
            arrayElements += length;
            if (arrayElements > MAX_ARRAY_ELEMENTS) {
                throw corrupt(
                        at,
                        "metadata arrays have more than %d elements with '%s' (%d)"
                                .formatted(MAX_ARRAY_ELEMENTS, key, length));
            }
            if (depth == MAX_DEPTH) {
                throw corrupt(at, "metadata '%s' nests arrays more than %d deep".formatted(key, MAX_DEPTH));
            }
            Object[] elements = new Object[(int) length];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = value(key, type, depth + 1);
            }
            return Collections.unmodifiableList(Arrays.asList(elements));
        }

        private Declared declaration() {
            String name = string("a tensor's name");
            long at = position;
            int dimensions = u32("the dimensions of " + name);
            if (dimensions < 0 || dimensions > MAX_DIMENSIONS) {
                throw corrupt(
                        at,
                        "tensor '%s' has %s dimensions, at most %d are possible"
                                .formatted(name, Integer.toUnsignedString(dimensions), MAX_DIMENSIONS));
            }
            List<Long> shape = new ArrayList<>();
            for (int i = 0; i < dimensions; i++) {
                shape.addFirst(u64("a dimension of " + name));
            }
            int id = u32("the type of " + name);
            TensorType type = TensorType.ofGgml(id).orElseThrow(() -> unsupported(name, id));
            return new Declared(name, type, shape, u64("the offset of " + name), at);
        }

        private UnsupportedModelException unsupported(String name, int id) {
            return new UnsupportedModelException(
                    "%s: tensor '%s' has type %s (ggml type %s); supported are F32, F16, BF16, Q2_K to Q6_K, Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0, take the model in one of these"
                            .formatted(
                                    path,
                                    name,
                                    UNSUPPORTED_TYPES.getOrDefault(id, "unknown"),
                                    Integer.toUnsignedString(id)));
        }

        /** Gives every declared tensor its place, and none a place that is another's. */
        private void place(List<Declared> declared) {
            long alignment = alignment();
            long start = position + alignment - 1 & -alignment;
            for (Declared tensor : declared) {
                if (tensor.offset % alignment != 0) {
                    throw corrupt(
                            tensor.at,
                            "tensor '%s' at offset %d is not aligned to %d"
                                    .formatted(tensor.name, tensor.offset, alignment));
                }
                long bytes = byteSize(tensor);
                if (start > file.byteSize() || tensor.offset > file.byteSize() - start - bytes) {
                    throw corrupt(
                            tensor.at,
                            "tensor '%s' of %d bytes at %d + %d ends beyond the file's %d bytes: it is truncated, or its header is damaged"
                                    .formatted(tensor.name, bytes, start, tensor.offset, file.byteSize()));
                }
                TensorInfo info =
                        new TensorInfo(tensor.name, tensor.type, tensor.shape, path, start + tensor.offset, bytes);
                if (tensors.put(tensor.name, info) != null) {
                    throw corrupt(tensor.at, "tensor '%s' comes twice".formatted(tensor.name));
                }
            }
            requireApart();
        }

        private long byteSize(Declared tensor) {
            try {
                return TensorInfo.byteSize(tensor.type, tensor.shape);
            } catch (ArithmeticException e) {
                throw new CorruptDataException(
                        "%s: tensor '%s' has shape %s, which is impossible for %s: %s"
                                .formatted(path, tensor.name, tensor.shape, tensor.type, e.getMessage()),
                        e);
            }
        }

        private void requireApart() {
            List<TensorInfo> byOffset = tensors.values().stream()
                    .sorted(Comparator.comparingLong(TensorInfo::offset).thenComparingLong(TensorInfo::bytes))
                    .toList();
            for (int i = 1; i < byOffset.size(); i++) {
                TensorInfo left = byOffset.get(i - 1);
                TensorInfo right = byOffset.get(i);
                if (left.offset() + left.bytes() > right.offset()) {
                    throw corrupt(right.offset(), "tensors '%s' and '%s' overlap".formatted(left.name(), right.name()));
                }
            }
        }

        private long alignment() {
            Object value = metadata.getOrDefault("general.alignment", (long) DEFAULT_ALIGNMENT);
            if (value instanceof Long alignment
                    && alignment > 0
                    && alignment <= 1 << 30
                    && Long.bitCount(alignment) == 1) {
                return alignment;
            }
            throw corrupt(position, "general.alignment is a power of two, not %s".formatted(value));
        }

        private long count(String what, long smallest) {
            long at = position;
            long count = u64("the number of " + what);
            requireRoom(count, smallest, what, at);
            return count;
        }

        private void requireRoom(long count, long smallest, String what, long at) {
            long room = file.byteSize() - position;
            if (count > room / smallest) {
                throw corrupt(
                        at,
                        "%s: %d of at least %d bytes do not fit in the %d left".formatted(what, count, smallest, room));
            }
        }

        private String string(String what) {
            long at = position;
            long length = u64(what);
            requireRoom(length, 1, what, at);
            byte[] utf8 = bytes(length, what);
            String text = new String(utf8, UTF_8);
            // The decoder replaces what is malformed; only then does the text not encode to the same bytes.
            if (text.indexOf('\ufffd') >= 0 && !Arrays.equals(text.getBytes(UTF_8), utf8)) {
                throw corrupt(at, "%s is not UTF-8".formatted(what));
            }
            return text;
        }

        private byte[] bytes(long length, String what) {
            long at = advance(length, what);
            return file.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
        }

        private int u32(String what) {
            return file.get(INT, advance(4, what));
        }

        private long u64(String what) {
            long at = position;
            long value = file.get(LONG, advance(8, what));
            if (value < 0) {
                throw corrupt(at, "%s is %s, beyond 2^63 - 1".formatted(what, Long.toUnsignedString(value)));
            }
            return value;
        }

        /** Moves on, and returns where it was. */
        private long advance(long bytes, String what) {
            long at = position;
            if (bytes > file.byteSize() - at) {
                throw corrupt(at, "ends within %s: it is truncated, or its header is damaged".formatted(what));
            }
            if (at + bytes > MAX_HEADER_BYTES) {
                throw corrupt(at, "the header is longer than %d bytes, at %s".formatted(MAX_HEADER_BYTES, what));
            }
            position = at + bytes;
            return at;
        }

        private CorruptDataException corrupt(long at, String fault) {
            return new CorruptDataException("%s, byte %d: %s".formatted(path, at, fault));
        }

        /** A tensor as the header has it. */
        private record Declared(String name, TensorType type, List<Long> shape, long offset, long at) {}
    }
}
