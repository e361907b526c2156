package dev.ascribe.torch.train;

import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Decoder;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.model.LossBatch;
import dev.ascribe.torch.model.Remade;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.model.Signals;
import dev.ascribe.torch.model.SiteListener;
import dev.ascribe.torch.model.Tape;
import dev.ascribe.torch.model.Trunk;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    private final Map<Linear, Adapter.Site> sites = new HashMap<>();

    LoraLearner(Decoder decoder, Adapter adapter, Trunk trunk) {
        this.decoder = decoder;
        this.adapter = adapter;
        this.trunk = trunk;
        adapter.sites().forEach(site -> sites.put(site.linear(), site));
        adapter.merge();
    }

    @Override
    public Tensor parameters() {
        return adapter.parameters();
    }

    @Override
    public double accumulate(List<Sequence> batch, Tensor gradient) {
        double[] losses = Signals.pass(decoder, trunk, LossBatch.of(batch), Remade.GATES, new SiteListener() {
            @Override
            public boolean wants(Linear layer) {
                return sites.containsKey(layer);
            }

            @Override
            public void hear(Linear layer, Tensor input, Tensor delta) {
                add(Objects.requireNonNull(sites.get(layer)), input, delta, gradient);
            }
        });
        return DoubleStream.of(losses).sum();
    }

    /** ∂/∂A = s · Bᵀδ aᵀ and ∂/∂B = s · δ (A a)ᵀ, summed over tokens. */
    private static void add(Adapter.Site site, Tensor input, Tensor delta, Tensor gradient) {
        Linear linear = site.linear();
        Tensor a = gradient.narrow(0, site.start(), (long) site.rank() * linear.in())
                .view(site.rank(), linear.in());
        Tensor b = gradient.narrow(0, site.startOfB(), (long) site.rank() * linear.out())
                .view(linear.out(), site.rank());
        Tensor back = delta.matmul(site.b()); // (N, r)
        Tensor down = input.matmul(site.a().t()); // (N, r)
        a.addmm_(back.t(), input, Tensors.scalar(1), Tensors.scalar(site.scale()));
        b.addmm_(delta.t(), down, Tensors.scalar(1), Tensors.scalar(site.scale()));
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
