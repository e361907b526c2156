package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Rotary position embedding in the rotate-half form (Su and others, 2021). */
final class Rotary {
    private final Tensor frequencies; // (headWidth), radians a position, the half once more
    private final int half;
    private final ScalarType type;

    Rotary(DecoderConfig.Rope rope, int headWidth, ScalarType type) {
        this.half = headWidth / 2;
        this.type = type;
        float[] twice = new float[headWidth];
        for (int i = 0; i < headWidth; i++) {
            twice[i] = (float) rope.scaling().scaled(i % half, Math.pow(rope.theta(), -2.0 * (i % half) / headWidth));
        }
        this.frequencies = Tensors.keep(Tensors.of(twice, headWidth));
    }

    /** The cosines and sines of a batch's positions. The angle is a float32 product, as where the models were trained. */
    Angles at(Packed batch) {
        Tensor angles = batch.positions().to(ScalarType.Float).unsqueeze(1).mul(frequencies);
        Tensor exact = angles.to(ScalarType.Double).unsqueeze(1);
        return new Angles(exact.cos().to(type), exact.sin().to(type));
    }

    /**
     * Rotates heads.
     *
     * @param x shape (N, heads, headWidth)
     */
    Tensor rotate(Tensor x, Angles angles) {
        Tensor turned = Tensors.cat(List.of(x.narrow(2, half, half).neg(), x.narrow(2, 0, half)), 2);
        return x.mul(angles.cos()).add(turned.mul(angles.sin()));
    }

    /** Cosines and sines, each of shape (N, 1, headWidth). */
    record Angles(Tensor cos, Tensor sin) {}
}
