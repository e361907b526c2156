package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * A batch of token sequences laid end to end. Linear layers see no padding; only attention looks at the sequences apart.
 *
 * <p>B sequences, N tokens in all, T the longest.
 */
public final class Packed {
    private final int[] lengths;
    private final int longest;
    private final Tensor tokens; // (N)
    private final Tensor positions; // (N)
    private final @Nullable Tensor padded; // (B·T): which token stands there, any token where none does
    private final @Nullable Tensor slots; // (N): where each token stands among the B·T

    private Packed(int[] lengths, int[] tokens, int from) {
        this.lengths = lengths;
        this.longest = Arrays.stream(lengths).max().orElse(0);
        this.tokens = Tensors.of(tokens);
        int[] positions = new int[tokens.length];
        int[] slots = new int[tokens.length];
        int[] padded = new int[lengths.length * longest];
        int n = 0;
        for (int b = 0; b < lengths.length; b++) {
            for (int t = 0; t < lengths[b]; t++, n++) {
                positions[n] = from + t;
                slots[n] = b * longest + t;
                padded[slots[n]] = n;
            }
        }
        this.positions = Tensors.of(positions);
        boolean ragged = padded.length != tokens.length;
        this.slots = ragged ? Tensors.of(slots) : null;
        this.padded = ragged ? Tensors.of(padded) : null;
    }

    /** Packs sequences in the order given; none may be empty. */
    public static Packed of(List<int[]> sequences) {
        int[] lengths = sequences.stream().mapToInt(s -> s.length).toArray();
        if (sequences.isEmpty() || Arrays.stream(lengths).anyMatch(n -> n == 0)) {
            throw new IllegalArgumentException("a batch needs sequences of at least one token");
        }
        return new Packed(
                lengths, sequences.stream().flatMapToInt(Arrays::stream).toArray(), 0);
    }

    /** One sequence that continues at a position. */
    static Packed continuing(int[] tokens, int position) {
        return new Packed(new int[] {tokens.length}, tokens, position);
    }

    /** Number of sequences. */
    public int sequences() {
        return lengths.length;
    }

    /** Number of tokens in all. */
    public int size() {
        return (int) tokens.numel();
    }

    /** Tokens of the longest sequence. */
    public int longest() {
        return longest;
    }

    /** Token ids, shape (N). */
    Tensor tokens() {
        return tokens;
    }

    /** Position of each token in its sequence, shape (N). */
    Tensor positions() {
        return positions;
    }

    /**
     * Lays rows out a sequence at a time for attention; slots behind a sequence's end hold values that nobody may look at.
     *
     * @param rows shape (N, c)
     * @return shape (B, T, c)
     */
    Tensor spread(Tensor rows) {
        Tensor full = padded == null ? rows : rows.index_select(0, padded);
        return full.view(lengths.length, longest, rows.size(1));
    }

    /**
     * Lays rows out a sequence at a time, zeros behind each sequence's end.
     *
     * @param rows shape (N, c)
     * @return shape (B, T, c)
     */
    public Tensor spreadWithZeros(Tensor rows) {
        long columns = rows.size(1);
        if (slots == null) {
            return rows.view(lengths.length, longest, columns);
        }
        ScalarType type = rows.scalar_type();
        return Tensors.zeros(type, (long) lengths.length * longest, columns)
                .index_copy_(0, slots, rows)
                .view(lengths.length, longest, columns);
    }

    /**
     * The inverse of {@link #spread}.
     *
     * @param full shape (B, T, c)
     * @return shape (N, c)
     */
    Tensor gather(Tensor full) {
        Tensor flat = full.reshape((long) lengths.length * longest, full.size(2));
        return slots == null ? flat : flat.index_select(0, slots);
    }
}
