package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** One forward and one backward pass over a batch, of which a {@link SiteListener} hears. */
public final class Signals {
    /** Targets whose logits are held at once. */
    private static final int LOGIT_ROWS = 64;

    private Signals() {}

    /**
     * Both passes over a batch that has at least one target.
     *
     * @param trunk that knows the blocks below the first site
     * @param remade what is not remembered: memory against time
     * @return mean nats a target, one a sequence; NaN for one without targets
     */
    public static double[] pass(Decoder decoder, Trunk trunk, LossBatch batch, Remade remade, SiteListener listener) {
        int layers = decoder.config().layers();
        int firstBlock = decoder.sites().stream()
                .filter(listener::wants)
                .mapToInt(Linear::block)
                .min()
                .orElseThrow();
        SiteListener aligned = new SiteListener() {
            @Override
            public boolean wants(Linear site) {
                return listener.wants(site);
            }

            @Override
            public Tensor keep(Linear site, Tensor input) {
                return listener.keep(site, input);
            }

            @Override
            public void hear(Linear site, Tensor kept, Tensor delta) {
                if (site.block() == layers) { // the output projection saw the predicting tokens alone
                    listener.hear(site, batch.atPredictors(kept), batch.atPredictors(delta));
                } else {
                    listener.hear(site, kept, delta);
                }
            }
        };
        try (GradientTape tape = new GradientTape(aligned, firstBlock, remade)) {
            Tensor hidden = batch.predicting(trunk.hidden(batch, tape)); // (M, C)
            Tensor weights = batch.weights(hidden); // (M)
            if (listener.wants(decoder.sites().getLast())) {
                Tensor nats = batch.nats(decoder, hidden, 0, tape);
                double[] losses = batch.means(Tensors.doubles(nats));
                tape.backward(nats, weights);
                return losses;
            }
            // logits are by far the largest tensors: some rows of them at a time
            Tensor start = hidden.detach();
            start.set_requires_grad(true);
            int targets = Math.toIntExact(weights.numel());
            double[] all = new double[targets];
            for (int from = 0; from < targets; from += LOGIT_ROWS) {
                int count = Math.min(LOGIT_ROWS, targets - from);
                try (PointerScope scope = new PointerScope()) {
                    Tensor nats = batch.nats(decoder, start.narrow(0, from, count), from, Tape.NONE);
                    System.arraycopy(Tensors.doubles(nats), 0, all, from, count);
                    GradientTape.backwardFrom(nats, weights.narrow(0, from, count));
                }
            }
            tape.backward(hidden, start.grad().detach());
            return batch.means(all);
        }
    }
}
