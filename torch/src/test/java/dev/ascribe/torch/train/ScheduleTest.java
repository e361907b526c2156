package dev.ascribe.torch.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.UserInputException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    @Test
    void linearFallsInALine() {
        assertThat(factors(Schedule.LINEAR, 4, 0)).containsExactly(1, 0.75, 0.5, 0.25);
    }

    @Test
    void cosineFallsAlongHalfACosine() {
        assertThat(factors(Schedule.COSINE, 4, 0))
                .containsExactly(
                        new double[] {1, 0.5 + Math.sqrt(0.5) / 2, 0.5, 0.5 - Math.sqrt(0.5) / 2}, within(1e-15));
    }

    @Test
    void constantStays() {
        assertThat(factors(Schedule.CONSTANT, 3, 0)).containsExactly(1, 1, 1);
    }

    @Test
    void itRisesToThePeakInTheWarmUpAndFallsFromThere() {
        assertThat(factors(Schedule.LINEAR, 8, 4)).containsExactly(0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25);
        assertThat(factors(Schedule.CONSTANT, 3, 2)).containsExactly(0.5, 1, 1);
    }

    @Test
    void namesAreReadAndRefused() {
        for (Schedule schedule : Schedule.values()) {
            assertThat(Schedule.parse(schedule.toString())).isEqualTo(schedule);
        }
        assertThatThrownBy(() -> Schedule.parse("Linear"))
                .isInstanceOf(UserInputException.class)
                .hasMessage("--schedule 'Linear' is not known; use linear, cosine or constant");
    }

    private static double[] factors(Schedule schedule, int steps, int warmUp) {
        return IntStream.range(0, steps)
                .mapToDouble(step -> schedule.factor(step, steps, warmUp))
                .toArray();
    }
}
