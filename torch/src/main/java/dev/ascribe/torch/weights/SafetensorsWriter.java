package dev.ascribe.torch.weights;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.ascribe.UserInputException;
import dev.ascribe.WholeFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes a safetensors file.
 *
 * <p>The same tensors and metadata give the same bytes: widest type first, then by name, the header padded to 8 bytes, as
 * the reference implementation does. The file appears under its name only when it is complete and on the disk.
 */
public final class SafetensorsWriter {
    private static final int BUFFER = 1 << 20;

    private final SortedMap<String, Tensor> tensors = new TreeMap<>();
    private final SortedMap<String, String> metadata = new TreeMap<>();

    /** A writer without tensors. */
    public static SafetensorsWriter create() {
        return new SafetensorsWriter();
    }

    private SafetensorsWriter() {}

    /** Adds an entry of the file's metadata. */
    public SafetensorsWriter metadata(String key, String value) {
        if (metadata.putIfAbsent(key, value) != null) {
            throw new IllegalArgumentException("metadata key '" + key + "' comes twice");
        }
        return this;
    }

    /**
     * Adds a tensor of 32-bit floats.
     *
     * @param shape row-major, outermost dimension first
     * @param values as many as the shape says; they must not change before {@link #write}
     */
    public SafetensorsWriter add(String name, List<Long> shape, float... values) {
        return add(name, TensorType.F32, shape, MemorySegment.ofArray(values));
    }

    /**
     * Adds a tensor.
     *
     * @param type a plain type, in the machine's (little-endian) byte order
     * @param shape row-major, outermost dimension first
     * @param data exactly the bytes that type and shape need; they must not change before {@link #write}
     */
    public SafetensorsWriter add(String name, TensorType type, List<Long> shape, MemorySegment data) {
        if (type.blockElements() != 1) {
            throw new IllegalArgumentException("safetensors has no type " + type);
        }
        if (data.byteSize() != TensorInfo.byteSize(type, shape)) {
            throw new IllegalArgumentException(
                    "tensor '%s' of type %s and shape %s has %d bytes".formatted(name, type, shape, data.byteSize()));
        }
        if (name.equals(Safetensors.METADATA)
                || tensors.putIfAbsent(name, new Tensor(name, type, List.copyOf(shape), data)) != null) {
            throw new IllegalArgumentException("tensor name '" + name + "' comes twice, or is reserved");
        }
        return this;
    }

    /**
     * Writes the file, replacing one of the same name.
     *
     * @throws UserInputException when the disk is full or the place cannot be written to; then there is nothing new
     */
    public void write(Path file) {
        WholeFile.write(file, this::writeTo);
    }

    private void writeTo(Path partial) throws IOException {
        List<Tensor> ordered = tensors.values().stream()
                .sorted(Comparator.comparing(Tensor::type))
                .toList();
        try (FileChannel channel = FileChannel.open(
                partial, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            byte[] header = header(ordered);
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            writeFully(channel, length.putLong(0, header.length));
            writeFully(channel, ByteBuffer.wrap(header));
            ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
            for (Tensor tensor : ordered) {
                for (long at = 0; at < tensor.data.byteSize(); at += BUFFER) {
                    int count = (int) Math.min(BUFFER, tensor.data.byteSize() - at);
                    MemorySegment.copy(tensor.data, at, MemorySegment.ofBuffer(buffer.clear()), 0, count);
                    writeFully(channel, buffer.limit(count));
                }
            }
            channel.force(true);
        }
    }

    private byte[] header(List<Tensor> ordered) throws IOException {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator generator = new JsonFactory().createGenerator(json)) {
            generator.writeStartObject();
            if (!metadata.isEmpty()) {
                generator.writeObjectFieldStart(Safetensors.METADATA);
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    generator.writeStringField(entry.getKey(), entry.getValue());
                }
                generator.writeEndObject();
            }
            long from = 0;
            for (Tensor tensor : ordered) {
                long to = from + tensor.data.byteSize();
                generator.writeObjectFieldStart(tensor.name);
                generator.writeStringField("dtype", tensor.type.name());
                writeLongs(generator, "shape", tensor.shape);
                writeLongs(generator, "data_offsets", List.of(from, to));
                generator.writeEndObject();
                from = to;
            }
            generator.writeEndObject();
        }
        // Data begin at a multiple of 8, so that mapped floats are aligned.
        json.write(" ".repeat(-json.size() & 7).getBytes(UTF_8));
        return json.toByteArray();
    }

    private static void writeLongs(JsonGenerator generator, String key, List<Long> values) throws IOException {
        generator.writeArrayFieldStart(key);
        for (long value : values) {
            generator.writeNumber(value);
        }
        generator.writeEndArray();
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private record Tensor(String name, TensorType type, List<Long> shape, MemorySegment data) {}
}
