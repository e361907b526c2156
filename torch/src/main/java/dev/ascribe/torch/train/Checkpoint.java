package dev.ascribe.torch.train;

import org.jspecify.annotations.Nullable;

/**
 * A kept state of a run.
 *
 * @param file where, relative to the run's directory
 * @param step updates done
 * @param epoch passes finished, rounded up
 * @param learningRate in force when it was written
 * @param trainLoss mean over the batches since the checkpoint before, nats a target; null at step 0
 * @param validationLoss mean over the held-out rows; null where none are held out
 */
public record Checkpoint(
        String file,
        int step,
        int epoch,
        double learningRate,
        @Nullable Double trainLoss,
        @Nullable Double validationLoss) {}
