package dev.ascribe.torch.train;

import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Decoder;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.model.LossBatch;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.model.Signals;
import dev.ascribe.torch.model.Tape;
import dev.ascribe.torch.model.Trunk;
import java.util.List;
import java.util.stream.DoubleStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains an adapter. The adapter is merged into the weights, so both passes cost what the bare model costs; its gradients come
 * from the same {@link Signals} as an index's.
 */
final class LoraLearner implements Learner {
    private final Decoder decoder;
    private final Adapter adapter;
    private final Trunk trunk;
    private final List<Linear> sites;

    LoraLearner(Decoder decoder, Adapter adapter, Trunk trunk) {
        this.decoder = decoder;
        this.adapter = adapter;
        this.trunk = trunk;
        this.sites = adapter.sites().stream().map(Adapter.Site::linear).toList();
        adapter.merge();
    }

    @Override
    public Tensor parameters() {
        return adapter.parameters();
    }

    @Override
    public double accumulate(List<Sequence> batch, Tensor gradient) {
        Signals signals = Signals.of(decoder, trunk, LossBatch.of(batch), sites);
        for (Adapter.Site site : adapter.sites()) {
            Linear linear = site.linear();
            Tensor input = signals.input(linear);
            Tensor delta = signals.delta(linear);
            Tensor a = gradient.narrow(0, site.start(), (long) site.rank() * linear.in())
                    .view(site.rank(), linear.in());
            Tensor b = gradient.narrow(0, site.startOfB(), (long) site.rank() * linear.out())
                    .view(linear.out(), site.rank());
            Tensor back = delta.matmul(site.b()); // (N, r)
            Tensor down = input.matmul(site.a().t()); // (N, r)
            a.addmm_(back.t(), input, Tensors.scalar(1), Tensors.scalar(site.scale()));
            b.addmm_(delta.t(), down, Tensors.scalar(1), Tensors.scalar(site.scale()));
        }
        return DoubleStream.of(signals.losses()).sum();
    }

    @Override
    public double[] losses(List<Sequence> batch) {
        LossBatch losses = LossBatch.of(batch);
        return losses.means(Tensors.doubles(losses.nats(decoder, trunk.hidden(losses, Tape.NONE), Tape.NONE)));
    }

    @Override
    public void changed() {
        adapter.merge();
    }
}
