package dev.ascribe.torch.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.torch.Engine;
import dev.ascribe.torch.Tensors;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class AdamWTest {
    @Test
    void itIsThePublishedAlgorithmEntryByEntry() {
        Engine.start(1);
        Random random = new Random(1);
        double[] start = random.doubles(7, -1, 1).toArray();
        double decay = 0.1;
        double[] theta = start.clone();
        double[] m = new double[7];
        double[] v = new double[7];
        Tensor parameters = Tensors.of(start, 7);
        AdamW optimizer = new AdamW(parameters, decay);
        for (int t = 1; t <= 25; t++) {
            double[] gradient = random.doubles(7, -2, 2).toArray();
            gradient[6] = 0;
            double rate = 0.02 / t;
            optimizer.step(Tensors.of(gradient, 7), rate, t);
            for (int i = 0; i < 7; i++) {
                theta[i] -= rate * decay * theta[i];
                m[i] = 0.9 * m[i] + 0.1 * gradient[i];
                v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
                double mHat = m[i] / (1 - Math.pow(0.9, t));
                double vHat = v[i] / (1 - Math.pow(0.999, t));
                theta[i] -= rate * mHat / (Math.sqrt(vHat) + 1e-8);
            }
            assertThat(Tensors.doubles(parameters)).containsExactly(theta, within(1e-13));
        }
        assertThat(Tensors.doubles(optimizer.mean())).containsExactly(m, within(1e-13));
        assertThat(Tensors.doubles(optimizer.variance())).containsExactly(v, within(1e-13));
        assertThat(theta[6]).isNotEqualTo(start[6]).isCloseTo(start[6], within(0.02));
    }
}
