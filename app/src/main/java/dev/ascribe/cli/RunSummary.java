package dev.ascribe.cli;

import dev.ascribe.torch.train.Checkpoint;
import dev.ascribe.torch.train.Training;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A finished run for people. */
final class RunSummary {
    private RunSummary() {}

    static void print(Training.Finished finished, Console console, Session session) {
        System.out.printf("%8s  %12s  %12s  %12s%n", "step", "learning rate", "train loss", "validation");
        for (Checkpoint checkpoint : finished.run().checkpoints()) {
            System.out.printf(
                    Locale.ROOT,
                    "%8d  %12.2e  %12s  %12s%n",
                    checkpoint.step(),
                    checkpoint.learningRate(),
                    number(checkpoint.trainLoss()),
                    number(checkpoint.validationLoss()));
        }
        System.out.println(
                finished.run().directory() + ": run " + session.settings().get("command") + " finished");
        console.speed(finished.tokens(), finished.seconds());
    }

    private static String number(@Nullable Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, "%.4f", value);
    }
}
