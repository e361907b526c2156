package dev.ascribe.torch.weights;

import dev.ascribe.Digests;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.Collectors;

/**
 * Prints {@code name type shape sha256} of every tensor, the digest being that of its 32-bit floats, little-endian.
 *
 * <p>{@code bench/peers/gguf_types.py digests} prints the same of gguf-py's floats. The time on stderr is that of the
 * conversions alone.
 */
final class WeightDigests {
    private WeightDigests() {}

    public static void main(String... args) {
        long nanos = 0;
        long elements = 0;
        try (WeightFile file = WeightFile.open(Path.of(args[0]))) {
            for (TensorInfo info : file.tensors().values()) {
                try (Arena arena = Arena.ofShared()) {
                    MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, info.elements());
                    long start = System.nanoTime();
                    file.toFloats(info.name(), floats);
                    nanos += System.nanoTime() - start;
                    elements += info.elements();
                    System.out.println(line(info, floats));
                }
            }
        }
        System.err.printf("%d elements converted in %.3f s%n", elements, nanos / 1e9);
    }

    private static String line(TensorInfo info, MemorySegment floats) {
        MessageDigest digest = Digests.sha256();
        for (long at = 0; at < floats.byteSize(); at += 1 << 20) {
            ByteBuffer piece = floats.asSlice(at, Math.min(1 << 20, floats.byteSize() - at))
                    .asByteBuffer();
            digest.update(piece);
        }
        String shape = info.shape().stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]"));
        return "%s %s %s %s"
                .formatted(info.name(), info.type(), shape, HexFormat.of().formatHex(digest.digest()));
    }
}
