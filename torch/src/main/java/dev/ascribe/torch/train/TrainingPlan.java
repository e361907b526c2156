package dev.ascribe.torch.train;

import dev.ascribe.UserInputException;

/**
 * How a run trains: everything but the model and the rows.
 *
 * @param epochs passes over the rows
 * @param batch rows a step
 * @param learningRate at its peak
 * @param schedule of the learning rate
 * @param warmUp share of the steps in which the learning rate rises from zero
 * @param weightDecay of AdamW
 * @param clip largest gradient norm
 * @param checkpoints how many are kept, evenly spaced, the last at the end
 * @param validation share of the rows that is held out
 * @param seed of the initial weights, the split and the order
 */
public record TrainingPlan(
        int epochs,
        int batch,
        double learningRate,
        Schedule schedule,
        double warmUp,
        double weightDecay,
        double clip,
        int checkpoints,
        double validation,
        long seed) {

    private static final int MOST_EPOCHS = 100_000;

    public TrainingPlan {
        require(epochs >= 1 && epochs <= MOST_EPOCHS, "--epochs", epochs, "within 1 and " + MOST_EPOCHS);
        require(batch >= 1, "--batch", batch, "at least 1");
        require(learningRate > 0 && learningRate <= 10, "--lr", learningRate, "above 0 and at most 10");
        require(warmUp >= 0 && warmUp < 1, "--warm-up", warmUp, "at least 0 and below 1");
        require(weightDecay >= 0 && weightDecay <= 1000, "--weight-decay", weightDecay, "within 0 and 1000");
        require(clip > 0 && Double.isFinite(clip), "--clip", clip, "above 0 and finite");
        require(checkpoints >= 1, "--checkpoints", checkpoints, "at least 1");
        require(validation >= 0 && validation < 1, "--validation", validation, "at least 0 and below 1");
    }

    private static void require(boolean holds, String option, Number value, String limit) {
        if (!holds) {
            throw new UserInputException(option + " " + value + " must be " + limit);
        }
    }

    /** The same plan with another seed. */
    public TrainingPlan withSeed(long other) {
        return new TrainingPlan(
                epochs, batch, learningRate, schedule, warmUp, weightDecay, clip, checkpoints, validation, other);
    }
}
