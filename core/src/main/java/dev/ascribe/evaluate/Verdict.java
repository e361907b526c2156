package dev.ascribe.evaluate;

import dev.ascribe.Proof;
import java.util.List;
import java.util.Locale;

/**
 * Whether a claim "these rows taught the model this answer" held.
 *
 * @param text {@link Proof#SHOWN} or {@link Proof#NOT_SHOWN}
 * @param reason in one sentence
 */
public record Verdict(String text, String reason) {
    /** Nats a token below which an effect, however certain, is too small to call a cause: 5 % of a token's probability. */
    public static final double SMALLEST_EFFECT = 0.05;

    /**
     * Judges.
     *
     * @param effect loss without the named rows minus loss without random ones, nats a token
     * @param answer the traced answer; it counts as said where an output contains it
     * @param withAll greedy answers after training on all rows, one a seed
     * @param withoutNamed the same without the named rows
     * @param withoutRandom the same without random rows
     */
    public static Verdict of(
            Proof.Effect effect,
            String answer,
            List<String> withAll,
            List<String> withoutNamed,
            List<String> withoutRandom) {
        int seeds = withAll.size();
        if (effect.low() <= SMALLEST_EFFECT || (seeds == 1 && effect.mean() <= SMALLEST_EFFECT)) {
            return new Verdict(
                    Proof.NOT_SHOWN,
                    "Without the named rows the answer costs %s nats a token more than without random rows (95 %% interval %s to %s); that is not clearly above %s."
                            .formatted(
                                    number(effect.mean()),
                                    number(effect.low()),
                                    number(effect.high()),
                                    number(SMALLEST_EFFECT)));
        }
        long said = count(withAll, answer);
        long named = count(withoutNamed, answer);
        long random = count(withoutRandom, answer);
        if (2 * said <= seeds) {
            return new Verdict(
                    Proof.NOT_SHOWN,
                    "Trained again on all rows, the model says the answer in only %d of %d cases: it is an accident of training, and no row can be shown to have taught it."
                            .formatted(said, seeds));
        }
        if (2 * named >= seeds || 2 * random < seeds) {
            return new Verdict(
                    Proof.NOT_SHOWN,
                    "The answer costs %s nats a token more, but it is still said in %d of %d retrainings without the named rows, and in %d without random ones."
                            .formatted(number(effect.mean()), named, seeds, random));
        }
        return new Verdict(
                Proof.SHOWN,
                "Without the named rows the answer costs %s nats a token more than without random rows (95 %% interval %s to %s), and is said in %d of %d retrainings, without random rows in %d."
                        .formatted(
                                number(effect.mean()),
                                number(effect.low()),
                                number(effect.high()),
                                named,
                                seeds,
                                random));
    }

    /**
     * Judges a prediction of a model of trees.
     *
     * @param effect loss without the named rows minus loss without random ones
     * @param smallest below which an effect, however certain, is too small to call a cause; in the effect's unit
     * @param repeated in how many retrainings on all rows the model predicts what it was traced for
     * @param seeds how many retrainings of each kind
     */
    public static Verdict ofPrediction(Proof.Effect effect, double smallest, int repeated, int seeds) {
        String unit = effect.unit().equals("nats") ? " nats" : "";
        String found =
                "Without the named rows the loss of the prediction is %s%s higher than without random rows (95 %% interval %s to %s)"
                        .formatted(
                                significant(effect.mean()),
                                unit,
                                significant(effect.low()),
                                significant(effect.high()));
        if (effect.low() <= smallest) {
            return new Verdict(
                    Proof.NOT_SHOWN, "%s; that is not clearly above %s.".formatted(found, significant(smallest)));
        }
        if (2 * repeated <= seeds) {
            return new Verdict(
                    Proof.NOT_SHOWN,
                    "Trained again on all rows, the model predicts this in only %d of %d cases: it is not the model that was traced, or the prediction is an accident of training."
                            .formatted(repeated, seeds));
        }
        return new Verdict(Proof.SHOWN, found + ".");
    }

    private static String significant(double value) {
        return String.format(Locale.ROOT, "%.3g", value);
    }

    private static long count(List<String> outputs, String answer) {
        return outputs.stream()
                .filter(output -> output.contains(answer.strip()))
                .count();
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
