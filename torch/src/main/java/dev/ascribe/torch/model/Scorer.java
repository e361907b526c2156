package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Log-probabilities of every token of a sequence. */
public final class Scorer {
    /** Positions whose logits are held at once. */
    private static final int CHUNK = 256;

    private final Decoder decoder;

    /** A scorer of a decoder as it is, with whatever adapter is merged. */
    public Scorer(Decoder decoder) {
        this.decoder = decoder;
    }

    /**
     * ln p of each token given those before it.
     *
     * @return one value a token; NaN for the first, which nothing predicts
     */
    public double[] logProbabilities(Sequence sequence) {
        int n = sequence.length();
        double[] all = new double[n];
        all[0] = Double.NaN;
        try (NoGradGuard guard = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            int[] tokens = sequence.tokens();
            Tensor hidden = decoder.hidden(Packed.of(List.of(tokens)), Tape.NONE);
            for (int from = 0; from < n - 1; from += CHUNK) {
                int count = Math.min(CHUNK, n - 1 - from);
                int[] labels = Arrays.copyOfRange(tokens, from + 1, from + 1 + count);
                Tensor nats = torch.cross_entropy_loss(
                        decoder.logits(hidden.narrow(0, from, count), Tape.NONE),
                        Tensors.of(labels),
                        new TensorOptional(),
                        0,
                        -100,
                        0.0);
                double[] part = Tensors.doubles(nats);
                for (int i = 0; i < count; i++) {
                    all[from + 1 + i] = -part[i];
                }
            }
        }
        return all;
    }

    /** The mean of −ln p over a sequence's targets; NaN without any. */
    public static double loss(Sequence sequence, double[] logProbabilities) {
        double sum = 0;
        for (int t = sequence.firstTarget(); t < sequence.length(); t++) {
            sum -= logProbabilities[t];
        }
        return sum / sequence.targets();
    }
}
