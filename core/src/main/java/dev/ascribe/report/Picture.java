package dev.ascribe.report;

import dev.ascribe.Proof;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where things are drawn: across in percent of the width, so that a picture fits a phone with its letters unscaled; down
 * in pixels.
 */
record Picture(List<Strip> strips, List<Tick> ticks, String zero, int height, String spoken) {
    private static final int STRIP = 54;
    private static final int AXIS = 30;
    /** Percent left free at both ends, for half a dot. */
    private static final double MARGIN = 1;

    /**
     * One line of dots.
     *
     * @param y of its line
     * @param low left end of the interval; equal to {@code high} where there is none
     */
    record Strip(
            String name, String value, boolean named, int y, List<String> dots, String mean, String low, String high) {
        /** Whether there is an interval to draw. */
        boolean interval() {
            return !low.equals(high);
        }
    }

    /** A value of the axis. */
    record Tick(String x, String label, String anchor) {}

    /** The loss of every retraining, a line an arm, on one axis from 0. */
    static Picture losses(Proof proof) {
        List<Wording.Arm> arms = Wording.arms(proof);
        List<Double> all = arms.stream().flatMap(arm -> arm.losses().stream()).toList();
        Scale scale = Scale.around(all);
        Decimals decimals = Decimals.of(all);
        List<Strip> strips = new ArrayList<>();
        List<String> spoken = new ArrayList<>();
        for (Wording.Arm arm : arms) {
            String mean = scale.x(arm.mean());
            String value = "mean " + decimals.plain(arm.mean());
            List<String> dots = arm.losses().stream().map(scale::x).toList();
            strips.add(new Strip(arm.name(), value, arm.named(), lineOf(strips.size()), dots, mean, mean, mean));
            spoken.add(arm.name() + ": " + value);
        }
        return new Picture(
                List.copyOf(strips),
                scale.ticks(),
                scale.x(0),
                strips.size() * STRIP + AXIS,
                "Loss of the %s after retraining, %s. ".formatted(Wording.subject(proof), Wording.unit(proof))
                        + String.join("; ", spoken) + ".");
    }

    /** The effect with its interval against 0; the dots are the seeds' differences. */
    static Picture effect(Proof proof) {
        Proof.Effect effect = proof.effect();
        List<Double> differences = new ArrayList<>();
        for (int i = 0;
                i
                        < Math.min(
                                proof.lossWithoutNamed().size(),
                                proof.lossWithoutRandom().size());
                i++) {
            differences.add(
                    proof.lossWithoutNamed().get(i) - proof.lossWithoutRandom().get(i));
        }
        List<Double> all = new ArrayList<>(differences);
        all.addAll(List.of(effect.mean(), effect.low(), effect.high()));
        Scale scale = Scale.around(all);
        Decimals decimals = Decimals.of(List.of(effect.mean(), effect.low(), effect.high()));
        String value = "%s, 95 %% interval %s to %s"
                .formatted(
                        decimals.signed(effect.mean()), decimals.signed(effect.low()), decimals.signed(effect.high()));
        Strip strip = new Strip(
                "Difference",
                "mean " + decimals.signed(effect.mean()),
                true,
                lineOf(0),
                differences.stream().map(scale::x).toList(),
                scale.x(effect.mean()),
                scale.x(effect.low()),
                scale.x(effect.high()));
        return new Picture(
                List.of(strip),
                scale.ticks(),
                scale.x(0),
                STRIP + AXIS,
                "Loss without the named rows minus loss without random rows, " + effect.unit() + ": " + value + ".");
    }

    /** Where the axis is. */
    int axis() {
        return height - AXIS;
    }

    private static int lineOf(int strip) {
        return strip * STRIP + 35;
    }

    /** Values to percent of the width, with 0 in sight. */
    private record Scale(double low, double high, double step) {
        private static final int TICKS = 4;

        static Scale around(List<Double> values) {
            double low = Math.min(0, values.stream().mapToDouble(v -> v).min().orElse(0));
            double high = Math.max(0, values.stream().mapToDouble(v -> v).max().orElse(0));
            double span = high > low ? high - low : 1;
            double power = Math.pow(10, Math.floor(Math.log10(span / TICKS)));
            double step = power;
            for (int factor : new int[] {1, 2, 5, 10}) {
                step = factor * power;
                if (span / step <= TICKS) {
                    break;
                }
            }
            return new Scale(Math.floor(low / step) * step, Math.max(Math.ceil(high / step), 1) * step, step);
        }

        String x(double value) {
            return String.format(Locale.ROOT, "%.2f%%", MARGIN + (100 - 2 * MARGIN) * (value - low) / (high - low));
        }

        List<Tick> ticks() {
            int first = (int) Math.round(low / step);
            int last = (int) Math.round(high / step);
            int places = Math.max(0, (int) -Math.floor(Math.log10(step) + 1e-9));
            List<Tick> ticks = new ArrayList<>();
            for (int i = first; i <= last; i++) {
                String anchor = i == first ? "start" : i == last ? "end" : "middle";
                ticks.add(new Tick(x(i * step), new Decimals(Math.min(places, 9)).plain(i * step), anchor));
            }
            return ticks;
        }
    }
}
