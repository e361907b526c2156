package dev.ascribe.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.Proof;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PairedEffectTest {
    /** Differences 1, 2, 3, 4, 5: mean 3, deviation √2.5, t(4) = 2.776; half = 2.776 · √(2.5 / 5). */
    @Test
    void fivePairsHaveTheIntervalComputedByHand() {
        Proof.Effect effect = PairedEffect.of(new double[] {2, 4, 6, 8, 10}, new double[] {1, 2, 3, 4, 5}, "nats");
        assertThat(effect.mean()).isCloseTo(3, within(1e-12));
        assertThat(effect.low()).isCloseTo(3 - 1.962928, within(1e-6));
        assertThat(effect.high()).isCloseTo(3 + 1.962928, within(1e-6));
        assertThat(effect.unit()).isEqualTo("nats");
    }

    /** Differences 0 and 1: mean ½, deviation √½, t(1) = 12.706; half = 12.706 · √(½ / 2). */
    @Test
    void twoPairsHaveAWideInterval() {
        Proof.Effect effect = PairedEffect.of(new double[] {5, 3}, new double[] {5, 2}, "nats");
        assertThat(effect.low()).isCloseTo(0.5 - 6.353, within(1e-9));
        assertThat(effect.high()).isCloseTo(0.5 + 6.353, within(1e-9));
    }

    @Test
    void pairsThatAgreeHaveNoWidthAndOnePairIsItself() {
        assertThat(PairedEffect.of(new double[] {2, 3, 4}, new double[] {1, 2, 3}, "nats"))
                .isEqualTo(new Proof.Effect(1, 1, 1, "nats"));
        assertThat(PairedEffect.of(new double[] {2.5}, new double[] {1}, "nats"))
                .isEqualTo(new Proof.Effect(1.5, 1.5, 1.5, "nats"));
    }

    @Test
    void whatPairsShareDoesNotWiden() {
        double[] treated = {101, 1002, 13};
        double[] control = {100, 1000, 10};
        Proof.Effect effect = PairedEffect.of(treated, control, "nats");
        assertThat(effect.high() - effect.low()).isLessThan(6);
    }

    /** The published quantiles hold 95 % of the time: simulated, for few and for many pairs. */
    @Test
    void theIntervalHoldsTheTruthNineteenTimesOfTwenty() {
        Random random = new Random(4);
        for (int n : new int[] {2, 5, 30, 31, 40}) {
            int held = 0;
            int trials = 20_000;
            for (int trial = 0; trial < trials; trial++) {
                double[] treated = new double[n];
                for (int i = 0; i < n; i++) {
                    treated[i] = 2 + random.nextGaussian();
                }
                Proof.Effect effect = PairedEffect.of(treated, new double[n], "nats");
                held += effect.low() <= 2 && 2 <= effect.high() ? 1 : 0;
            }
            assertThat(held / (double) trials).as("%d pairs", n).isCloseTo(0.95, within(0.005));
        }
    }

    @Test
    void unequalOrNoPairsAreAMistake() {
        assertThatThrownBy(() -> PairedEffect.of(new double[2], new double[1], "nats"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("2 and 1 values are no pairs");
        assertThatThrownBy(() -> PairedEffect.of(new double[0], new double[0], "nats"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("0 and 0 values are no pairs");
    }
}
