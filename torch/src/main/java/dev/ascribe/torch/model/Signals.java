package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * What one forward and one backward pass tell of each site: the input a, shape (N, in), and δ = ∂loss/∂z of the pre-activation
 * z, shape (N, out). A sequence's gradient at the site is Σ_t δ_t a_tᵀ over its tokens and is never formed here; with frozen
 * weights autograd computes no weight gradient at all.
 */
public final class Signals {
    private final LossBatch batch;
    private final Map<Linear, Tensor> inputs;
    private final Map<Linear, Tensor> deltas;
    private final double[] losses;

    private Signals(LossBatch batch, Map<Linear, Tensor> inputs, Map<Linear, Tensor> deltas, double[] losses) {
        this.batch = batch;
        this.inputs = inputs;
        this.deltas = deltas;
        this.losses = losses;
    }

    /** Both passes over a batch that has at least one target. */
    public static Signals of(Decoder decoder, Trunk trunk, LossBatch batch, Collection<Linear> sites) {
        Recorder recorder = new Recorder(sites);
        Tensor nats = batch.nats(decoder, trunk.hidden(batch, recorder), recorder);
        Tensor loss = nats.mul(batch.weights(nats)).sum();
        List<Linear> order = new ArrayList<>(recorder.outputs.keySet());
        TensorVector outputs =
                new TensorVector(order.stream().map(recorder.outputs::get).toArray(Tensor[]::new));
        TensorVector gradients = torch.grad(new TensorVector(loss), outputs);
        Map<Linear, Tensor> deltas = new HashMap<>();
        for (int i = 0; i < order.size(); i++) {
            deltas.put(order.get(i), gradients.get(i));
        }
        for (Linear site : order) {
            if (site.block() == decoder.config().layers()) { // the output projection saw the predicting tokens alone
                deltas.computeIfPresent(site, (s, delta) -> batch.atPredictors(delta));
                recorder.inputs.computeIfPresent(site, (s, input) -> batch.atPredictors(input));
            }
        }
        return new Signals(batch, recorder.inputs, deltas, batch.means(Tensors.doubles(nats)));
    }

    /** The batch that was passed through. */
    public LossBatch batch() {
        return batch;
    }

    /** The input of a site, shape (N, in). */
    public Tensor input(Linear site) {
        return get(inputs, site);
    }

    /** The gradient of the batch's loss by a site's pre-activation, shape (N, out). */
    public Tensor delta(Linear site) {
        return get(deltas, site);
    }

    /** Mean nats a target, one a sequence; NaN for one without targets. */
    public double[] losses() {
        return losses;
    }

    private static Tensor get(Map<Linear, Tensor> tensors, Linear site) {
        Tensor tensor = tensors.get(site);
        if (tensor == null) {
            throw new IllegalArgumentException("site " + site.name() + " was not listened to");
        }
        return tensor;
    }

    private static final class Recorder implements Tape {
        private final Set<Linear> sites;
        private final int firstBlock;
        private final Map<Linear, Tensor> inputs = new HashMap<>();
        private final Map<Linear, Tensor> outputs = new HashMap<>();

        Recorder(Collection<Linear> sites) {
            this.sites = new HashSet<>(sites);
            this.firstBlock = sites.stream().mapToInt(Linear::block).min().orElseThrow();
        }

        @Override
        public void record(Linear site, Tensor input, Tensor output) {
            if (sites.contains(site)) {
                inputs.put(site, input.detach());
                outputs.put(site, output);
            }
        }

        @Override
        public int firstBlock() {
            return firstBlock;
        }
    }
}
