package dev.ascribe.torch.train;

import dev.ascribe.FileTrouble;
import dev.ascribe.Progress;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Sequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Trains by a {@link Recipe}: a run with a directory, or a retraining that only answers a question. */
public final class Training {
    private static final String STATE = ".training.safetensors";

    private final Recipe recipe;
    private final List<Sequence> rows; // of the whole corpus
    private final TrainingPlan plan;
    private final Progress progress;
    private final long saveEveryNanos;

    public Training(Recipe recipe, List<Sequence> rows, TrainingPlan plan, Progress progress) {
        this(recipe, rows, plan, progress, Trainer.SAVE_EVERY_NANOS);
    }

    /** One that saves its state as often as a test wants. */
    Training(Recipe recipe, List<Sequence> rows, TrainingPlan plan, Progress progress, long saveEveryNanos) {
        this.recipe = recipe;
        this.rows = List.copyOf(rows);
        this.plan = plan;
        this.progress = progress;
        this.saveEveryNanos = saveEveryNanos;
    }

    /** What a run is made of beside recipe and rows. */
    public record Facts(
            Path model,
            String modelDigest,
            String architecture,
            @Nullable LoraConfig lora,
            Run.TextSettings text,
            Path data,
            String dataDigest,
            Map<String, String> versions,
            @Nullable Recording recording) {

        /** Of a run that no ledger records. */
        public Facts(
                Path model,
                String modelDigest,
                String architecture,
                @Nullable LoraConfig lora,
                Run.TextSettings text,
                Path data,
                String dataDigest,
                Map<String, String> versions) {
            this(model, modelDigest, architecture, lora, text, data, dataDigest, versions, null);
        }

        /** The same, recorded in a ledger where one is given. */
        public Facts recorded(@Nullable Recording where) {
            return new Facts(model, modelDigest, architecture, lora, text, data, dataDigest, versions, where);
        }

        /** What decides the result beside rows and plan. */
        String identity() {
            return modelDigest + ' ' + architecture + ' ' + lora;
        }
    }

    /**
     * What a finished run tells.
     *
     * @param tokens that passed through in this process
     * @param seconds that training took in this process
     */
    public record Finished(Run run, long tokens, double seconds) {}

    /** Trains into a directory; an interrupted run goes on where it stopped, a finished one is returned as it is. */
    public Finished run(Path directory, Facts facts) {
        return run(directory, facts, Journal.NONE);
    }

    /** The same, telling a journal what happens; a finished run has told all. */
    public Finished run(Path directory, Facts facts, Journal journal) {
        Split split = split();
        if (Files.exists(directory.resolve("run.json"))) {
            Run done = Run.open(directory);
            if (!done.plan().equals(plan)
                    || !done.dataDigest().equals(facts.dataDigest())
                    || !done.text().equals(facts.text())
                    || !Objects.equals(done.lora(), facts.lora())
                    || (facts.lora() != null && !done.modelDigest().equals(facts.modelDigest()))
                    || !done.architecture().equals(facts.architecture())) {
                throw new UserInputException(
                        "%s holds a finished run of other data or settings; give another --out".formatted(directory));
            }
            if (facts.recording() != null) {
                Recording.requireSame(directory, Optional.ofNullable(done.recording()), facts.recording(), true);
            }
            return new Finished(done, 0, 0);
        }
        try {
            Files.createDirectories(directory.resolve("checkpoints"));
        } catch (IOException e) {
            throw new UserInputException(
                    "%s cannot be made: %s; check space and permission".formatted(directory, FileTrouble.of(e)), e);
        }
        Learner learner = recipe.start(plan.seed());
        Path state = directory.resolve(STATE);
        Recording.begin(directory, facts.recording(), Files.exists(state));
        Run.Kind kind = facts.lora() == null ? Run.Kind.TRAIN : Run.Kind.FINETUNE;
        Telling keeper = new Telling(directory, kind, split, journal);
        Trainer.Outcome outcome = trainer(learner, split).run(state, facts.identity(), keeper);
        recipe.keep(directory.resolve(recipe.result()));
        keeper.finish();
        Run run = new Run(
                directory,
                kind,
                facts.lora() == null ? directory.resolve(recipe.result()) : facts.model(),
                facts.modelDigest(),
                facts.architecture(),
                facts.lora(),
                facts.text(),
                plan,
                split.train(),
                split.validation(),
                outcome.checkpoints(),
                facts.data(),
                facts.dataDigest(),
                facts.versions(),
                facts.recording());
        Timing.write(directory, outcome.tokens(), outcome.seconds());
        run.write();
        Trainer.forget(state);
        Recording.forget(directory);
        return new Finished(run, outcome.tokens(), outcome.seconds());
    }

    /** Keeps checkpoints in a run's directory, and tells a journal. */
    private final class Telling implements Trainer.Keeper {
        private final Path directory;
        private final Run.Kind kind;
        private final Split split;
        private final Journal journal;
        private final Map<Sequence, Integer> numbers = new HashMap<>();
        private final List<Checkpoint> told = new ArrayList<>();

        Telling(Path directory, Run.Kind kind, Split split, Journal journal) {
            this.directory = directory;
            this.kind = kind;
            this.split = split;
            this.journal = journal;
            for (int row = 0; row < rows.size(); row++) {
                numbers.put(rows.get(row), row);
            }
        }

        @Override
        public Checkpoint keep(int step, int epoch, double rate, @Nullable Double train, @Nullable Double validation) {
            String file = "checkpoints/%06d".formatted(step);
            recipe.keep(directory.resolve(file));
            return new Checkpoint(file, step, epoch, rate, train, validation);
        }

        @Override
        public void learned(int epoch, int step, List<Sequence> batch) {
            journal.step(epoch, step, batch.stream().map(numbers::get).toList());
        }

        @Override
        public void kept(Checkpoint checkpoint) {
            if (told.isEmpty()) { // only now: the saved state, if there is one, was found to be of these rows
                journal.begun(split.train(), split.validation());
            }
            told.add(checkpoint);
            if (told.size() > 1) {
                tell(told.get(told.size() - 2));
            }
        }

        @Override
        public void started(double loss) {
            Checkpoint start = told.getFirst();
            told.set(
                    0,
                    new Checkpoint(
                            start.file(),
                            start.step(),
                            start.epoch(),
                            start.learningRate(),
                            loss,
                            start.validationLoss()));
        }

        /** Whether a checkpoint is selected is known by the one after it. */
        private void tell(Checkpoint checkpoint) {
            journal.checkpoint(checkpoint, Run.selected(kind, told).contains(checkpoint));
        }

        void finish() {
            tell(told.getLast());
            journal.finished(told.getLast());
        }
    }

    /**
     * Trains again on chosen rows, nothing held out and nothing kept, and asks the result.
     *
     * @param chosen row numbers
     * @param question put to the retrained model
     */
    public <T> T retrain(List<Integer> chosen, Function<LanguageModel, T> question) {
        Learner learner = recipe.start(plan.seed());
        trainer(learner, new Split(chosen, List.of()))
                .run(
                        null,
                        "",
                        (step, epoch, rate, train, validation) ->
                                new Checkpoint("", step, epoch, rate, train, validation));
        return question.apply(recipe.model());
    }

    private Trainer trainer(Learner learner, Split split) {
        if (split.train().isEmpty()) {
            throw new UserInputException("no row is left to train on");
        }
        return new Trainer(learner, pick(split.train()), pick(split.validation()), plan, progress, saveEveryNanos);
    }

    /** Which rows are learned and which held out. */
    private record Split(List<Integer> train, List<Integer> validation) {}

    private Split split() {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, rows.size()).boxed().toList());
        Collections.shuffle(order, new Random(plan.seed()));
        int held = (int) Math.round(plan.validation() * rows.size());
        List<Integer> validation = order.subList(0, held).stream().sorted().toList();
        List<Integer> train =
                order.subList(held, order.size()).stream().sorted().toList();
        return new Split(train, validation);
    }

    private List<Sequence> pick(List<Integer> chosen) {
        return chosen.stream().map(rows::get).toList();
    }
}
