package dev.ascribe.torch.train;

import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Decoder;
import dev.ascribe.torch.model.LossBatch;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.model.Tape;
import java.util.Collection;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Trains every weight of a decoder, by autograd. */
final class FullLearner implements Learner {
    private final Decoder decoder;
    private final List<Tensor> leaves;
    private final Tensor parameters; // (P), the leaves end to end

    FullLearner(Decoder decoder, Collection<Tensor> leaves) {
        this.decoder = decoder;
        this.leaves = List.copyOf(leaves);
        this.parameters = Tensors.keep(Tensors.cat(
                this.leaves.stream()
                        .map(leaf -> leaf.detach().reshape(leaf.numel()))
                        .toList(),
                0));
    }

    @Override
    public Tensor parameters() {
        return parameters;
    }

    @Override
    public double accumulate(List<Sequence> batch, Tensor gradient) {
        LossBatch losses = LossBatch.of(batch);
        Tensor nats = losses.nats(decoder, decoder.hidden(losses.packed(), Tape.NONE), Tape.NONE);
        Tensor loss = nats.mul(losses.weights(nats)).sum();
        TensorVector gradients = torch.grad(new TensorVector(loss), new TensorVector(leaves.toArray(Tensor[]::new)));
        long start = 0;
        for (int i = 0; i < leaves.size(); i++) {
            long size = leaves.get(i).numel();
            gradient.narrow(0, start, size).add_(gradients.get(i).reshape(size));
            start += size;
        }
        return loss.item_double();
    }

    @Override
    public double[] losses(List<Sequence> batch) {
        try (NoGradGuard guard = new NoGradGuard()) {
            LossBatch losses = LossBatch.of(batch);
            Tensor nats = losses.nats(decoder, decoder.hidden(losses.packed(), Tape.NONE), Tape.NONE);
            return losses.means(Tensors.doubles(nats));
        }
    }

    @Override
    public void changed() {
        try (NoGradGuard guard = new NoGradGuard()) {
            long start = 0;
            for (Tensor leaf : leaves) {
                leaf.copy_(parameters.narrow(0, start, leaf.numel()).view_as(leaf));
                start += leaf.numel();
            }
        }
    }
}
