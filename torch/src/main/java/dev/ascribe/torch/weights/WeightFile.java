package dev.ascribe.torch.weights;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The tensors of a model, mapped into memory and not read before they are asked for.
 *
 * <p>Any number of threads may read; closing unmaps, and every segment handed out must not be used afterwards. The file
 * must not be shortened while it is open.
 */
public sealed interface WeightFile extends AutoCloseable permits Safetensors, Gguf {
    /**
     * Opens a model's weights, recognised by content.
     *
     * @param path a GGUF file, a safetensors file, a safetensors index, or a directory with {@code model.safetensors} or
     *     {@code model.safetensors.index.json}
     */
    static WeightFile open(Path path) {
        if (Files.isDirectory(path) || path.toString().endsWith(".json")) {
            return Safetensors.open(path);
        }
        byte[] magic = Mapping.firstBytes(path, 4);
        if (Gguf.recognises(magic)) {
            return Gguf.open(path);
        }
        // A zip archive, or what PyTorch wrote before it wrote those.
        if (Mapping.startsWith(magic, 'P', 'K') || Mapping.startsWith(magic, 0x80, 2)) {
            throw new UnsupportedModelException(
                    "%s is a PyTorch pickle; save the model as safetensors (save_pretrained does)".formatted(path));
        }
        if (path.toString().endsWith(".gguf")) {
            throw new CorruptDataException(
                    "%s does not begin with 'GGUF': it is damaged or another kind of file".formatted(path));
        }
        return Safetensors.open(path);
    }

    /** The tensors by name, in the order of the file. */
    Map<String, TensorInfo> tensors();

    /**
     * A tensor's bytes as stored: a read-only slice of the mapping, at a native address of any alignment.
     *
     * @throws CorruptDataException when there is no such tensor
     */
    MemorySegment bytes(String name);

    /**
     * Converts a tensor to 32-bit floats, in row-major order, on the threads of the common pool.
     *
     * @param target exactly 4 bytes an element, accessible from every thread (native of a shared or automatic arena, or
     *     on the heap); its content is undefined when an exception is thrown
     * @throws CorruptDataException when a value is NaN or infinite, or there is no such tensor
     * @throws UnsupportedModelException when the type is not {@linkplain TensorType#convertible() convertible}
     */
    default void toFloats(String name, MemorySegment target) {
        Conversion.toFloats(tensor(name), bytes(name), target);
    }

    /**
     * One tensor of {@link #tensors()}.
     *
     * @throws CorruptDataException when there is no such tensor
     */
    default TensorInfo tensor(String name) {
        TensorInfo info = tensors().get(name);
        if (info == null) {
            throw new CorruptDataException(
                    "%s has no tensor '%s' among its %d; is the file complete, and of this model?"
                            .formatted(path(), name, tensors().size()));
        }
        return info;
    }

    /** The file, or the index of several. */
    Path path();

    /** Unmaps. */
    @Override
    void close();
}
