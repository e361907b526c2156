package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;

/**
 * Remembers what the blocks below the first adapted one say of each sequence: they are frozen, so it never changes, and
 * training that touches only the upper blocks need not run the lower ones again.
 */
public final class Trunk implements AutoCloseable {
    private final Decoder decoder;
    private final int firstBlock;
    private final long budget;
    private final Map<Sequence, Tensor> states = new HashMap<>(); // (T, C) each
    private long used;

    /**
     * @param firstBlock the lowest block that is listened to or adapted
     * @param budget bytes that may be kept; sequences beyond it are computed each time
     */
    public Trunk(Decoder decoder, int firstBlock, long budget) {
        this.decoder = decoder;
        this.firstBlock = Math.min(firstBlock, decoder.config().layers());
        this.budget = budget;
    }

    /** The final hidden states of a batch, shape (N, C). */
    public Tensor hidden(LossBatch batch, Tape tape) {
        if (firstBlock == 0) {
            return decoder.hidden(batch.packed(), tape);
        }
        compute(batch.sequences());
        Tensor x;
        if (states.keySet().containsAll(batch.sequences())) {
            x = Tensors.cat(
                    batch.sequences().stream()
                            .map(states::get)
                            .map(Objects::requireNonNull)
                            .toList(),
                    0);
        } else {
            x = below(batch.packed());
        }
        int layers = decoder.config().layers();
        return decoder.finish(decoder.run(x, batch.packed(), firstBlock, layers, tape));
    }

    private void compute(List<Sequence> sequences) {
        List<Sequence> missing = new ArrayList<>();
        for (Sequence sequence : sequences) {
            long bytes = (long) sequence.length() * decoder.config().width() * Double.BYTES;
            if (!states.containsKey(sequence) && used + bytes <= budget) {
                missing.add(sequence);
                used += bytes;
            }
        }
        if (missing.isEmpty()) {
            return;
        }
        Tensor x = below(Packed.of(missing.stream().map(Sequence::tokens).toList()));
        long start = 0;
        for (Sequence sequence : missing) {
            states.put(
                    sequence, Tensors.keep(x.narrow(0, start, sequence.length()).clone()));
            start += sequence.length();
        }
    }

    private Tensor below(Packed packed) {
        return decoder.run(decoder.embed(packed), packed, 0, firstBlock, Tape.NONE);
    }

    @Override
    public void close() {
        states.values().forEach(Tensor::close);
        states.clear();
    }
}
