package dev.ascribe.torch.weights;

import java.util.Arrays;
import java.util.Optional;

/**
 * How a tensor's elements are stored. The names are those of safetensors and of ggml.
 *
 * <p>Elements are stored in blocks of {@link #blockElements()} neighbours of the innermost dimension, each block {@link
 * #blockBytes()} long; plain types have one element a block. Their order is that in which safetensors files hold them.
 */
public enum TensorType {
    U64(TensorType.NOT_IN_GGML, 1, 8),
    I64(27, 1, 8),
    F64(28, 1, 8),
    F32(0, 1, 4),
    U32(TensorType.NOT_IN_GGML, 1, 4),
    I32(26, 1, 4),
    BF16(30, 1, 2),
    F16(1, 1, 2),
    U16(TensorType.NOT_IN_GGML, 1, 2),
    I16(25, 1, 2),
    F8_E4M3(TensorType.NOT_IN_GGML, 1, 1),
    F8_E5M2(TensorType.NOT_IN_GGML, 1, 1),
    I8(24, 1, 1),
    U8(TensorType.NOT_IN_GGML, 1, 1),
    BOOL(TensorType.NOT_IN_GGML, 1, 1),
    Q4_0(2, 32, 2 + 16),
    Q4_1(3, 32, 2 + 2 + 16),
    Q5_0(6, 32, 2 + 4 + 16),
    Q5_1(7, 32, 2 + 2 + 4 + 16),
    Q8_0(8, 32, 2 + 32),
    Q2_K(10, 256, 16 + 64 + 2 + 2),
    Q3_K(11, 256, 32 + 64 + 12 + 2),
    Q4_K(12, 256, 2 + 2 + 12 + 128),
    Q5_K(13, 256, 2 + 2 + 12 + 32 + 128),
    Q6_K(14, 256, 128 + 64 + 16 + 2);

    private static final int NOT_IN_GGML = -1;

    private final int ggmlId;
    private final int blockElements;
    private final int blockBytes;

    TensorType(int ggmlId, int blockElements, int blockBytes) {
        this.ggmlId = ggmlId;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /** Elements of one block: 1, 32 or 256. */
    public int blockElements() {
        return blockElements;
    }

    /** Bytes of one block. */
    public int blockBytes() {
        return blockBytes;
    }

    /** Whether {@link WeightFile#toFloats} converts it; integers and 8-bit floats are only named. */
    public boolean convertible() {
        return BlockDecoder.of(this).isPresent();
    }

    static Optional<TensorType> ofGgml(int id) {
        return Arrays.stream(values())
                .filter(type -> type.ggmlId == id && id != NOT_IN_GGML)
                .findFirst();
    }

    static Optional<TensorType> ofSafetensors(String dtype) {
        return Arrays.stream(values())
                .filter(type -> type.blockElements == 1 && type.name().equals(dtype))
                .findFirst();
    }
}
