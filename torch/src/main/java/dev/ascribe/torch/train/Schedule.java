package dev.ascribe.torch.train;

import dev.ascribe.UserInputException;
import java.util.Arrays;
import java.util.Locale;

/** How the learning rate goes over a run. */
public enum Schedule {
    /** Falls in a line to zero. */
    LINEAR,
    /** Falls along half a cosine to zero. */
    COSINE,
    /** Stays. */
    CONSTANT;

    /** By name, as the user typed it. */
    public static Schedule parse(String text) {
        return Arrays.stream(values())
                .filter(schedule -> schedule.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new UserInputException(
                        "--schedule '" + text + "' is not known; use linear, cosine or constant"));
    }

    /**
     * The factor of the peak learning rate.
     *
     * @param step zero-based
     * @param steps in all
     * @param warmUp steps in which it rises from zero
     */
    double factor(int step, int steps, int warmUp) {
        if (step < warmUp) {
            return (step + 1.0) / warmUp;
        }
        double done = (double) (step - warmUp) / Math.max(1, steps - warmUp);
        return switch (this) {
            case LINEAR -> 1 - done;
            case COSINE -> (1 + Math.cos(Math.PI * done)) / 2;
            case CONSTANT -> 1;
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
