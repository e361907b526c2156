package dev.ascribe.torch.weights;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

/** Stored blocks become 32-bit floats, piece by piece, each piece decoded and checked while it is in the cache. */
final class Conversion {
    /** Elements decoded at a time: 64 KiB of floats, a fraction of a core's L2 cache. */
    private static final int PIECE = 1 << 14;

    private static final long NONE = Long.MAX_VALUE;

    private final TensorInfo info;
    private final BlockDecoder decoder;
    private final MemorySegment source;
    private final MemorySegment target;

    private Conversion(TensorInfo info, BlockDecoder decoder, MemorySegment source, MemorySegment target) {
        this.info = info;
        this.decoder = decoder;
        this.source = source;
        this.target = target;
    }

    static void toFloats(TensorInfo info, MemorySegment source, MemorySegment target) {
        BlockDecoder decoder = BlockDecoder.of(info.type())
                .orElseThrow(() -> new UnsupportedModelException(
                        "%s: tensor '%s' has type %s, which cannot be used as weights; use a model in floating point"
                                .formatted(info.file(), info.name(), info.type())));
        if (target.byteSize() / Float.BYTES != info.elements() || target.byteSize() % Float.BYTES != 0) {
            throw new IllegalArgumentException("target of %d bytes for the %d floats of tensor '%s'"
                    .formatted(target.byteSize(), info.elements(), info.name()));
        }
        new Conversion(info, decoder, source, target).run();
    }

    private void run() {
        long pieces = Math.ceilDiv(info.elements(), PIECE);
        // A few tasks a thread even out threads of unequal speed.
        int tasks = (int) Math.min(pieces, 4L * (ForkJoinPool.getCommonPoolParallelism() + 1));
        long bad = IntStream.range(0, tasks)
                .parallel()
                .mapToLong(task -> decode(pieces * task / tasks, pieces * (task + 1) / tasks))
                .min()
                .orElse(NONE);
        if (bad != NONE) {
            float value = target.get(ValueLayout.JAVA_FLOAT_UNALIGNED, bad * Float.BYTES);
            throw new CorruptDataException(
                    "%s: tensor '%s' (%s) holds %s at element %d; weights must be finite 32-bit numbers, take an undamaged file"
                            .formatted(info.file(), info.name(), info.type(), value, bad));
        }
    }

    /** Decodes pieces [from, to) up to the first that holds a non-finite value, and returns that value's index. */
    private long decode(long from, long to) {
        TensorType type = info.type();
        float[] floats = new float[PIECE];
        byte[] stored = new byte[PIECE / type.blockElements() * type.blockBytes()];
        for (long piece = from; piece < to; piece++) {
            long first = piece * PIECE;
            int count = (int) Math.min(PIECE, info.elements() - first);
            int blocks = count / type.blockElements();
            long at = first / type.blockElements() * type.blockBytes();
            MemorySegment.copy(source, ValueLayout.JAVA_BYTE, at, stored, 0, blocks * type.blockBytes());
            decoder.decode(stored, blocks, floats);
            MemorySegment.copy(floats, 0, target, ValueLayout.JAVA_FLOAT_UNALIGNED, first * Float.BYTES, count);
            int bad = firstNonFinite(floats, count);
            if (bad < count) {
                return first + bad;
            }
        }
        return NONE;
    }

    /** The index of the first NaN or infinity, or count. */
    private static int firstNonFinite(float[] floats, int count) {
        int signs = 0;
        for (int i = 0; i < count; i++) {
            // An exponent of all ones, and no other, carries into the sign bit.
            signs |= (Float.floatToRawIntBits(floats[i]) & 0x7fff_ffff) + 0x0080_0000;
        }
        int i = 0;
        while (signs < 0 && Float.isFinite(floats[i])) {
            i++;
        }
        return signs < 0 ? i : count;
    }
}
