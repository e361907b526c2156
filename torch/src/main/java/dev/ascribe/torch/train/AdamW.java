package dev.ascribe.torch.train;

import dev.ascribe.torch.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Adam with decoupled weight decay (Loshchilov and Hutter, 2019) over one flat vector of parameters. */
final class AdamW {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final Tensor parameters; // (P)
    private final double weightDecay;
    private final Tensor mean; // (P)
    private final Tensor variance; // (P)

    AdamW(Tensor parameters, double weightDecay) {
        this.parameters = parameters;
        this.weightDecay = weightDecay;
        this.mean = Tensors.keep(torch.zeros_like(parameters));
        this.variance = Tensors.keep(torch.zeros_like(parameters));
    }

    /** First moments, shape (P): part of what a resumed run needs. */
    Tensor mean() {
        return mean;
    }

    /** Second moments, shape (P). */
    Tensor variance() {
        return variance;
    }

    /**
     * One update in place.
     *
     * @param gradient shape (P)
     * @param step 1 for the first
     */
    void step(Tensor gradient, double learningRate, int step) {
        mean.mul_(Tensors.scalar(BETA1)).add_(gradient, Tensors.scalar(1 - BETA1));
        variance.mul_(Tensors.scalar(BETA2)).addcmul_(gradient, gradient, Tensors.scalar(1 - BETA2));
        double bias1 = 1 - Math.pow(BETA1, step);
        double bias2 = 1 - Math.pow(BETA2, step);
        Tensor denominator =
                variance.sqrt().mul_(Tensors.scalar(1 / Math.sqrt(bias2))).add_(Tensors.scalar(EPSILON));
        parameters.mul_(Tensors.scalar(1 - learningRate * weightDecay));
        parameters.addcdiv_(mean, denominator, Tensors.scalar(-learningRate / bias1));
    }
}
