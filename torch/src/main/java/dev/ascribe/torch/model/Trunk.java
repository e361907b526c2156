package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Remembers what the blocks below the first adapted one say of each sequence: they are frozen, so it never changes, and
 * training that touches only the upper blocks need not run the lower ones again. Safe for use by several threads.
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
        Tensor x = Tensors.cat(batch.sequences().stream().map(this::state).toList(), 0);
        int layers = decoder.config().layers();
        return decoder.finish(decoder.run(x, batch.packed(), firstBlock, layers, tape));
    }

    /** Each alone: in company the last bits depend on the company, and a resumed run would end otherwise. */
    private Tensor state(Sequence sequence) {
        synchronized (states) {
            Tensor known = states.get(sequence);
            if (known != null) {
                return known;
            }
        }
        Packed alone = Packed.of(List.of(sequence.tokens()));
        Tensor fresh = decoder.run(decoder.embed(alone), alone, 0, firstBlock, Tape.NONE); // (T, C)
        synchronized (states) {
            if (used + fresh.nbytes() <= budget && !states.containsKey(sequence)) {
                used += fresh.nbytes();
                states.put(sequence, Tensors.keep(fresh));
            }
        }
        return fresh;
    }

    @Override
    public void close() {
        states.values().forEach(Tensor::close);
        states.clear();
    }
}
