package dev.ascribe.torch.train;

import dev.ascribe.torch.model.Sequence;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** What is trained: parameters in one flat vector, and the gradient of a batch by them. */
public interface Learner {
    /** All parameters, shape (P), changed in place. */
    Tensor parameters();

    /**
     * Adds the gradient of the sum of the sequences' losses.
     *
     * @param batch sequences that each have a target
     * @param gradient shape (P)
     * @return the sum of the sequences' losses
     */
    double accumulate(List<Sequence> batch, Tensor gradient);

    /** The loss of each sequence, without gradients; NaN for one without targets. */
    double[] losses(List<Sequence> batch);

    /** Called after the parameters changed. */
    void changed();
}
