package dev.ascribe.cli;

import dev.ascribe.torch.train.Schedule;
import dev.ascribe.torch.train.TrainingPlan;
import picocli.CommandLine.Option;

/** How training goes, where finetune and train agree. Defaults that differ are set by the command. */
final class PlanOptions {
    @Option(
            names = "--schedule",
            defaultValue = "linear",
            description = "Of the learning rate: linear, cosine, constant. Default: ${DEFAULT-VALUE}.")
    private String schedule = "linear";

    @Option(
            names = "--warm-up",
            defaultValue = "0",
            paramLabel = "SHARE",
            description = "Share of the steps in which the learning rate rises. Default: ${DEFAULT-VALUE}.")
    private double warmUp;

    @Option(names = "--weight-decay", defaultValue = "0", description = "Of AdamW. Default: ${DEFAULT-VALUE}.")
    private double weightDecay;

    @Option(names = "--clip", defaultValue = "1", description = "Largest gradient norm. Default: ${DEFAULT-VALUE}.")
    private double clip = 1;

    @Option(
            names = "--validation",
            defaultValue = "0.1",
            paramLabel = "SHARE",
            description = "Share of the rows held out. Default: ${DEFAULT-VALUE}.")
    private double validation = 0.1;

    @Option(
            names = "--checkpoints",
            defaultValue = "4",
            paramLabel = "N",
            description = "Checkpoints kept beside the start. Default: ${DEFAULT-VALUE}.")
    private int checkpoints = 4;

    @Option(
            names = "--seed",
            defaultValue = "0",
            description = "Of initial weights, split and order. Default: ${DEFAULT-VALUE}.")
    private long seed;

    TrainingPlan plan(int epochs, int batch, double learningRate) {
        return new TrainingPlan(
                epochs,
                batch,
                learningRate,
                Schedule.parse(schedule),
                warmUp,
                weightDecay,
                clip,
                checkpoints,
                validation,
                seed);
    }
}
