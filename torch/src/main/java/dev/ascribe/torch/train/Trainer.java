package dev.ascribe.torch.train;

import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.Progress;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.weights.Safetensors;
import dev.ascribe.torch.weights.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link TrainingPlan}: AdamW on the mean loss of each batch's rows. It saves its whole state at each
 * checkpoint and every half minute; a killed run that is started again goes on from there and ends exactly as an uninterrupted one.
 */
final class Trainer {
    /** Tokens up to which a batch passes through the model as one. */
    private static final int WHOLE_TOKENS = 1024;

    /** Tokens of a part of a larger batch. */
    private static final int PART_TOKENS = 256;

    /** Parts whose gradients are held at once. */
    private static final int AT_ONCE = 4;

    /** How often the state is saved. */
    static final long SAVE_EVERY_NANOS = 30_000_000_000L;

    private final Learner learner;
    private final List<Sequence> rows;
    private final List<Sequence> heldOut;
    private final TrainingPlan plan;
    private final Progress progress;
    private final long saveEveryNanos;
    private final List<Tensor> partSums = new ArrayList<>();

    /**
     * Is given each checkpoint when it is reached, to keep what belongs to it, and told what happens. A resumed training first tells
     * again all that happened before.
     */
    interface Keeper {
        /** Called with the learner's parameters in the state of the checkpoint. */
        Checkpoint keep(int step, int epoch, double learningRate, @Nullable Double train, @Nullable Double validation);

        /** A checkpoint is kept. */
        default void kept(Checkpoint checkpoint) {}

        /** An update was made with a batch; epochs and steps count from 1. */
        default void learned(int epoch, int step, List<Sequence> batch) {}

        /** The mean loss of the first batch before the first update, nats a target: the training loss at the start. */
        default void started(double loss) {}
    }

    /**
     * What a finished training tells.
     *
     * @param tokens that passed through in this process
     * @param seconds of this process
     */
    record Outcome(List<Checkpoint> checkpoints, long tokens, double seconds) {}

    Trainer(
            Learner learner,
            List<Sequence> rows,
            List<Sequence> heldOut,
            TrainingPlan plan,
            Progress progress,
            long saveEveryNanos) {
        this.learner = learner;
        this.rows = rows.stream().filter(row -> row.targets() > 0).toList();
        this.heldOut = heldOut.stream().filter(row -> row.targets() > 0).toList();
        if (this.rows.isEmpty()) {
            throw new UserInputException(
                    "no row is left to train on: none has a token to be predicted; give longer responses, or more --max-tokens");
        }
        this.plan = plan;
        this.progress = progress;
        if ((long) plan.epochs() * this.rows.size() > Integer.MAX_VALUE) {
            throw new UserInputException("--epochs %d over %d rows are more steps than can be counted; use fewer"
                    .formatted(plan.epochs(), this.rows.size()));
        }
        this.saveEveryNanos = saveEveryNanos;
    }

    /**
     * Trains to the end.
     *
     * @param state the file in which the state is saved; null to save none
     * @param identity what is trained, beside plan and rows: no state of another is taken up
     */
    Outcome run(@Nullable Path state, String identity, Keeper keeper) {
        String fingerprint = fingerprint(identity);
        int stepsAnEpoch = (rows.size() + plan.batch() - 1) / plan.batch();
        int steps = Math.multiplyExact(stepsAnEpoch, plan.epochs());
        List<Integer> keepAt = keepAt(steps);
        List<Checkpoint> kept = new ArrayList<>();
        AdamW optimizer = new AdamW(learner.parameters(), plan.weightDecay());
        Tensor gradient = Tensors.keep(torch.zeros_like(learner.parameters()));
        int step = 0;
        double lossSum = 0;
        int lossCount = 0;
        double firstLoss = 0;
        if (state != null && Files.exists(state)) {
            Restored restored = restore(state, fingerprint, optimizer);
            step = restored.step();
            lossSum = restored.lossSum();
            lossCount = restored.lossCount();
            firstLoss = restored.firstLoss();
            kept.addAll(restored.checkpoints());
        }
        if (step == 0) {
            kept.clear();
            kept.add(keeper.keep(0, 0, rate(0, steps), null, validationLoss()));
            keeper.kept(kept.getFirst());
        } else {
            tellAgain(keeper, kept, firstLoss, step, stepsAnEpoch);
        }
        long started = System.nanoTime();
        long saved = started;
        long tokens = 0;
        List<List<Sequence>> batches = List.of();
        int epochOfBatches = -1;
        while (step < steps) {
            int epoch = step / stepsAnEpoch;
            if (epoch != epochOfBatches) {
                batches = BatchOrder.of(rows, plan.batch(), plan.seed(), epoch);
                epochOfBatches = epoch;
            }
            List<Sequence> batch = batches.get(step % stepsAnEpoch);
            double rate = rate(step, steps);
            double loss = update(batch, optimizer, gradient, rate, step + 1);
            lossSum += loss;
            lossCount++;
            tokens += batch.stream().mapToInt(Sequence::length).sum();
            step++;
            if (step == 1) {
                firstLoss = loss;
                keeper.started(loss);
            }
            keeper.learned(epoch + 1, step, batch);
            progress.at("training", step, steps);
            boolean keep = keepAt.contains(step);
            if (keep) {
                int epochs = (step + stepsAnEpoch - 1) / stepsAnEpoch;
                kept.add(keeper.keep(step, epochs, rate, lossSum / lossCount, validationLoss()));
                keeper.kept(kept.getLast());
                lossSum = 0;
                lossCount = 0;
            }
            if (state != null && (keep || System.nanoTime() - saved > saveEveryNanos)) {
                save(state, fingerprint, optimizer, new Restored(step, lossSum, lossCount, firstLoss, kept));
                saved = System.nanoTime();
            }
        }
        gradient.close();
        partSums.forEach(Tensor::close);
        partSums.clear();
        return new Outcome(kept, tokens, (System.nanoTime() - started) / 1e9);
    }

    /** What was done before the training was interrupted, as it was told then. */
    private void tellAgain(Keeper keeper, List<Checkpoint> kept, double firstLoss, int steps, int stepsAnEpoch) {
        keeper.kept(kept.getFirst());
        keeper.started(firstLoss);
        List<List<Sequence>> batches = List.of();
        for (int step = 1; step <= steps; step++) {
            int epoch = (step - 1) / stepsAnEpoch;
            int position = (step - 1) % stepsAnEpoch;
            if (position == 0) {
                batches = BatchOrder.of(rows, plan.batch(), plan.seed(), epoch);
            }
            keeper.learned(epoch + 1, step, batches.get(position));
            for (Checkpoint checkpoint : kept) {
                if (checkpoint.step() == step) {
                    keeper.kept(checkpoint);
                }
            }
        }
    }

    private double rate(int step, int steps) {
        int warmUp = (int) Math.round(plan.warmUp() * steps);
        return plan.learningRate() * plan.schedule().factor(step, steps, warmUp);
    }

    private List<Integer> keepAt(int steps) {
        List<Integer> at = new ArrayList<>();
        for (int i = 1; i <= plan.checkpoints(); i++) {
            int step = (int) Math.round((double) steps * i / plan.checkpoints());
            if (step > 0 && !at.contains(step)) {
                at.add(step);
            }
        }
        return at;
    }

    /** One step; returns the batch's mean loss before it. */
    private double update(List<Sequence> batch, AdamW optimizer, Tensor gradient, double rate, int step) {
        gradient.zero_();
        double loss = accumulate(split(batch), gradient);
        try (PointerScope scope = new PointerScope()) {
            gradient.mul_(Tensors.scalar(1.0 / batch.size()));
            double norm = gradient.norm().item_double();
            if (!Double.isFinite(norm)) {
                throw new CorruptDataException(
                        "the gradient of step %d is not finite; lower --lr, or check the model and the rows"
                                .formatted(step));
            }
            if (norm > plan.clip()) {
                gradient.mul_(Tensors.scalar(plan.clip() / norm));
            }
            optimizer.step(gradient, rate, step);
            learner.changed();
        }
        return loss / batch.size();
    }

    /** Adds the parts' gradients in their order, so that the sum does not depend on the machine. */
    private double accumulate(List<List<Sequence>> parts, Tensor gradient) {
        if (parts.size() == 1) {
            try (PointerScope scope = new PointerScope()) {
                return learner.accumulate(parts.getFirst(), gradient);
            }
        }
        double loss = 0;
        for (int from = 0; from < parts.size(); from += AT_ONCE) {
            List<List<Sequence>> some = parts.subList(from, Math.min(parts.size(), from + AT_ONCE));
            List<Supplier<Double>> jobs = new ArrayList<>();
            for (int i = 0; i < some.size(); i++) {
                List<Sequence> part = some.get(i);
                Tensor sum = partSum(i, gradient);
                jobs.add(() -> {
                    try (PointerScope scope = new PointerScope()) {
                        return learner.accumulate(part, sum.zero_());
                    }
                });
            }
            List<Double> losses = Engine.sideBySide(jobs);
            for (int i = 0; i < some.size(); i++) {
                gradient.add_(partSums.get(i));
                loss += losses.get(i);
            }
        }
        return loss;
    }

    private Tensor partSum(int part, Tensor like) {
        if (part == partSums.size()) {
            partSums.add(Tensors.keep(torch.zeros_like(like)));
        }
        return partSums.get(part);
    }

    private @Nullable Double validationLoss() {
        if (heldOut.isEmpty()) {
            return null;
        }
        double sum = 0;
        for (List<Sequence> part : split(heldOut)) {
            try (PointerScope scope = new PointerScope()) {
                sum += Arrays.stream(learner.losses(part)).sum();
            }
        }
        return sum / heldOut.size();
    }

    /** The whole of a batch of few tokens; parts of at most so many tokens, and at least one row, of a larger one. */
    static List<List<Sequence>> split(List<Sequence> rows) {
        if (rows.stream().mapToInt(Sequence::length).sum() <= WHOLE_TOKENS) {
            return List.of(rows);
        }
        List<List<Sequence>> parts = new ArrayList<>();
        List<Sequence> part = new ArrayList<>();
        int tokens = 0;
        for (Sequence row : rows) {
            if (!part.isEmpty() && tokens + row.length() > PART_TOKENS) {
                parts.add(part);
                part = new ArrayList<>();
                tokens = 0;
            }
            part.add(row);
            tokens += row.length();
        }
        parts.add(part);
        return parts;
    }

    /** What a resumed run needs beside the parameters and the optimiser's moments. */
    private record Restored(int step, double lossSum, int lossCount, double firstLoss, List<Checkpoint> checkpoints) {}

    private void save(Path file, String fingerprint, AdamW optimizer, Restored state) {
        List<Long> shape = List.of(learner.parameters().numel());
        SafetensorsWriter.create()
                .metadata("fingerprint", fingerprint)
                .metadata("step", Integer.toString(state.step()))
                .metadata("lossSum", Double.toHexString(state.lossSum()))
                .metadata("lossCount", Integer.toString(state.lossCount()))
                .metadata("firstLoss", Double.toHexString(state.firstLoss()))
                .metadata("checkpoints", RunJson.write(state.checkpoints()))
                .add("parameters", shape, Tensors.floats(learner.parameters()))
                .add("mean", shape, Tensors.floats(optimizer.mean()))
                .add("variance", shape, Tensors.floats(optimizer.variance()))
                .write(file);
    }

    private Restored restore(Path file, String fingerprint, AdamW optimizer) {
        try (Safetensors saved = Safetensors.open(file)) {
            Map<String, String> metadata = saved.metadata();
            if (!fingerprint.equals(metadata.get("fingerprint"))) {
                throw new UserInputException(
                        "%s belongs to a run with other rows or settings; remove it to start again, or repeat the same command"
                                .formatted(file));
            }
            fill(saved, "parameters", learner.parameters());
            fill(saved, "mean", optimizer.mean());
            fill(saved, "variance", optimizer.variance());
            learner.changed();
            return new Restored(
                    Integer.parseInt(metadata.getOrDefault("step", "0")),
                    Double.parseDouble(metadata.getOrDefault("lossSum", "0")),
                    Integer.parseInt(metadata.getOrDefault("lossCount", "0")),
                    Double.parseDouble(metadata.getOrDefault("firstLoss", "0")),
                    RunJson.checkpoints(metadata.getOrDefault("checkpoints", "[]")));
        }
    }

    private static void fill(Safetensors saved, String name, Tensor into) {
        Tensor values = Tensors.empty(ScalarType.Float, into.numel());
        saved.toFloats(name, Tensors.memory(values));
        into.copy_(values);
    }

    /** Names what is trained, the plan and the rows, so that no run goes on with another's state. */
    private String fingerprint(String identity) {
        StringBuilder text = new StringBuilder(identity).append('\n').append(plan);
        for (Sequence row : rows) {
            text.append('\n').append(row.firstTarget()).append(Arrays.toString(row.tokens()));
        }
        return Digests.name(Digests.sha256(text.toString().getBytes(StandardCharsets.UTF_8)));
    }

    /** Removes the state of a finished run. */
    static void forget(Path state) {
        try {
            Files.deleteIfExists(state);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
