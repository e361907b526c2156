package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A packed batch with what is to be predicted in it. The loss of a sequence is the mean of −ln p over its targets; the loss of
 * the batch is the sum over its sequences, so that no sequence's gradient depends on the company it is in.
 *
 * <p>M targets in all. Only their logits are ever computed.
 */
public final class LossBatch {
    private static final int REDUCTION_NONE = 0;

    private final List<Sequence> sequences;
    private final Packed packed;
    private final int[] targets; // of each sequence
    private final Tensor predictors; // (M): the token before each target
    private final Tensor labels; // (M)

    private LossBatch(List<Sequence> sequences) {
        this.sequences = List.copyOf(sequences);
        this.packed = Packed.of(sequences.stream().map(Sequence::tokens).toList());
        this.targets = sequences.stream().mapToInt(Sequence::targets).toArray();
        int total = 0;
        for (int n : targets) {
            total += n;
        }
        int[] predictors = new int[total];
        int[] labels = new int[total];
        int m = 0;
        int start = 0;
        for (Sequence sequence : sequences) {
            for (int t = sequence.firstTarget(); t < sequence.length(); t++, m++) {
                predictors[m] = start + t - 1;
                labels[m] = sequence.token(t);
            }
            start += sequence.length();
        }
        this.predictors = Tensors.of(predictors);
        this.labels = Tensors.of(labels);
    }

    /** A batch of sequences, in their order. */
    public static LossBatch of(List<Sequence> sequences) {
        return new LossBatch(sequences);
    }

    /** The sequences in their order. */
    public List<Sequence> sequences() {
        return sequences;
    }

    /** The tokens. */
    public Packed packed() {
        return packed;
    }

    /** Whether nothing is to be predicted. */
    public boolean empty() {
        return labels.numel() == 0;
    }

    /**
     * −ln p of every target, sequence by sequence.
     *
     * @param hidden final hidden states, shape (N, C)
     * @return shape (M)
     */
    public Tensor nats(Decoder decoder, Tensor hidden, Tape tape) {
        return nats(decoder, predicting(hidden), 0, tape);
    }

    /**
     * The rows of hidden states that predict a target.
     *
     * @param hidden shape (N, C)
     * @return shape (M, C)
     */
    Tensor predicting(Tensor hidden) {
        return hidden.index_select(0, predictors);
    }

    /**
     * −ln p of some targets.
     *
     * @param predicting their rows, shape (m, C)
     * @param from the first of them
     * @return shape (m)
     */
    Tensor nats(Decoder decoder, Tensor predicting, int from, Tape tape) {
        return torch.cross_entropy_loss(
                decoder.logits(predicting, tape),
                labels.narrow(0, from, predicting.size(0)),
                new TensorOptional(),
                REDUCTION_NONE,
                -100,
                0.0);
    }

    /**
     * Puts rows that stand for targets at the tokens that predict them, zeros elsewhere.
     *
     * @param rows shape (M, c)
     * @return shape (N, c)
     */
    Tensor atPredictors(Tensor rows) {
        return Tensors.zeros(rows.scalar_type(), packed.size(), rows.size(1)).index_copy_(0, predictors, rows);
    }

    /** For each target, 1 over the number of its sequence's targets: shape (M), of another tensor's type. */
    public Tensor weights(Tensor like) {
        double[] weights = new double[(int) labels.numel()];
        int m = 0;
        for (int n : targets) {
            for (int i = 0; i < n; i++) {
                weights[m++] = 1.0 / n;
            }
        }
        return Tensors.of(weights, weights.length).to(like.scalar_type());
    }

    /**
     * The mean of a value over each sequence's targets.
     *
     * @param nats one value a target
     * @return one value a sequence; NaN where it has no target
     */
    public double[] means(double[] nats) {
        double[] means = new double[targets.length];
        int m = 0;
        for (int b = 0; b < targets.length; b++) {
            double sum = 0;
            for (int i = 0; i < targets[b]; i++) {
                sum += nats[m++];
            }
            means[b] = sum / targets[b];
        }
        return means;
    }
}
