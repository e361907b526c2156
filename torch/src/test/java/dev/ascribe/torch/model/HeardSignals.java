package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;

/** Keeps all that a pass tells of chosen sites. */
public final class HeardSignals implements SiteListener {
    private final Collection<Linear> sites;
    private final Map<Linear, Tensor> inputs = new HashMap<>();
    private final Map<Linear, Tensor> deltas = new HashMap<>();
    private final LossBatch batch;
    private final double[] losses;

    private HeardSignals(Decoder decoder, Trunk trunk, LossBatch batch, Collection<Linear> sites) {
        this.sites = sites;
        this.batch = batch;
        this.losses = Signals.pass(decoder, trunk, batch, Remade.GATES, this);
    }

    /** What a pass over a batch tells. */
    public static HeardSignals of(Decoder decoder, Trunk trunk, LossBatch batch, Collection<Linear> sites) {
        return new HeardSignals(decoder, trunk, batch, sites);
    }

    @Override
    public boolean wants(Linear site) {
        return sites.contains(site);
    }

    @Override
    public void hear(Linear site, Tensor kept, Tensor delta) {
        inputs.put(site, Tensors.handle(kept));
        deltas.put(site, Tensors.handle(delta));
    }

    /** The input of a site, shape (N, in). */
    public Tensor input(Linear site) {
        return Objects.requireNonNull(inputs.get(site));
    }

    /** The gradient of the batch's loss by a site's pre-activation, shape (N, out). */
    public Tensor delta(Linear site) {
        return Objects.requireNonNull(deltas.get(site));
    }

    /** Tells another listener the same. */
    public void tell(SiteListener listener) {
        sites.forEach(site -> listener.hear(site, listener.keep(site, input(site)), delta(site)));
    }

    /** The batch that was passed through. */
    public LossBatch batch() {
        return batch;
    }

    /** Mean nats a target, one a sequence. */
    public double[] losses() {
        return losses;
    }
}
