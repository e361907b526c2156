package dev.ascribe.torch.weights;

import java.nio.file.Path;
import java.util.List;

/**
 * Where one tensor lies in a file, and how.
 *
 * @param name its name in the file
 * @param type how its elements are stored
 * @param shape row-major, outermost dimension first; empty for a scalar
 * @param file the file that holds it, a shard where there are several
 * @param offset of its first byte from the beginning of the file
 * @param bytes its length in the file
 */
public record TensorInfo(String name, TensorType type, List<Long> shape, Path file, long offset, long bytes) {
    /** Checks that the length is what shape and type need. */
    public TensorInfo {
        shape = List.copyOf(shape);
        if (offset < 0 || bytes != byteSize(type, shape)) {
            throw new IllegalArgumentException("tensor '%s' of type %s and shape %s needs %d bytes, not %d at %d"
                    .formatted(name, type, shape, byteSize(type, shape), bytes, offset));
        }
    }

    /** The number of elements, the product of the shape. */
    public long elements() {
        return bytes / type.blockBytes() * type.blockElements();
    }

    /**
     * Bytes of a tensor.
     *
     * @throws ArithmeticException when a dimension is negative, the size is beyond 2^63 - 1, or the innermost dimension
     *     is no multiple of the block
     */
    static long byteSize(TensorType type, List<Long> shape) {
        long elements = 1;
        for (long dimension : shape) {
            if (dimension < 0) {
                throw new ArithmeticException("dimension " + dimension + " is negative");
            }
            elements = Math.multiplyExact(elements, dimension);
        }
        long innermost = shape.isEmpty() ? 1 : shape.getLast();
        if (innermost % type.blockElements() != 0) {
            throw new ArithmeticException("innermost dimension %d is no multiple of %s's block of %d elements"
                    .formatted(innermost, type, type.blockElements()));
        }
        return Math.multiplyExact(elements / type.blockElements(), (long) type.blockBytes());
    }
}
