package dev.ascribe.torch.train;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.train.RunJson.Document;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A run directory: what {@code finetune} and {@code train} leave, and all that is needed to repeat it.
 *
 * <pre>
 * RUN/run.json                  schema ascribe/run/1
 * RUN/adapter/                  the PEFT adapter (finetune)
 * RUN/model/                    the Hugging Face model (train)
 * RUN/checkpoints/NNNNNN/       the same earlier; 000000 is the start
 * </pre>
 *
 * @param directory where it lies
 * @param kind how it was made
 * @param model the base model of a fine-tuning, else the trained model itself
 * @param modelDigest digest of the base model; of the recipe's architecture where there is none
 * @param architecture in the model's own words
 * @param lora null for a training from scratch
 * @param text how rows became tokens
 * @param plan how it was trained
 * @param trainRows row numbers of the data file that were learned
 * @param validationRows row numbers held out
 * @param checkpoints by step, the start first
 * @param data the corpus's file
 * @param dataDigest the corpus's digest
 * @param recording where a ledger has it; null where none does
 */
public record Run(
        Path directory,
        Kind kind,
        Path model,
        String modelDigest,
        String architecture,
        @Nullable LoraConfig lora,
        TextSettings text,
        TrainingPlan plan,
        List<Integer> trainRows,
        List<Integer> validationRows,
        List<Checkpoint> checkpoints,
        Path data,
        String dataDigest,
        Map<String, String> versions,
        @Nullable Recording recording) {
    static final String SCHEMA = "ascribe/run/1";

    /** A checkpoint is selected if the loss falls by at least this share of itself until the next one. */
    private static final double SUBSTANTIAL = 0.05;

    /** How a run was made. */
    public enum Kind {
        FINETUNE,
        TRAIN
    }

    /**
     * How rows became tokens.
     *
     * @param template {@code auto}, {@code alpaca}, {@code chat}, {@code none} or a file
     * @param loss {@code response} or {@code all}
     * @param maxTokens longest sequence
     * @param skipBad whether bad rows were skipped
     */
    public record TextSettings(String template, String loss, int maxTokens, boolean skipBad) {}

    public Run {
        trainRows = List.copyOf(trainRows);
        validationRows = List.copyOf(validationRows);
        checkpoints = List.copyOf(checkpoints);
    }

    /** One that no ledger records. */
    public Run(
            Path directory,
            Kind kind,
            Path model,
            String modelDigest,
            String architecture,
            @Nullable LoraConfig lora,
            TextSettings text,
            TrainingPlan plan,
            List<Integer> trainRows,
            List<Integer> validationRows,
            List<Checkpoint> checkpoints,
            Path data,
            String dataDigest,
            Map<String, String> versions) {
        this(
                directory,
                kind,
                model,
                modelDigest,
                architecture,
                lora,
                text,
                plan,
                trainRows,
                validationRows,
                checkpoints,
                data,
                dataDigest,
                versions,
                null);
    }

    /** Reads a finished run. */
    public static Run open(Path directory) {
        Path file = directory.resolve("run.json");
        Document json = RunJson.read(file);
        try {
            return of(directory, json);
        } catch (UserInputException | IllegalArgumentException e) {
            throw new CorruptDataException("%s is damaged: %s; make the run again".formatted(file, e.getMessage()), e);
        }
    }

    private static Run of(Path directory, Document json) {
        RunJson.Optimizer optimizer = json.optimizer();
        RunJson.Lora lora = json.lora();
        return new Run(
                directory,
                Kind.valueOf(json.kind().toUpperCase(Locale.ROOT)),
                directory.resolve(json.model().path()),
                json.model().digest(),
                json.model().architecture(),
                lora == null
                        ? null
                        : new LoraConfig(
                                lora.rank(),
                                lora.alpha(),
                                lora.rsLora(),
                                LoraConfig.Targets.parse(lora.targets()),
                                Map.of(),
                                Map.of()),
                new TextSettings(
                        json.text().template(),
                        json.text().loss(),
                        json.text().maxTokens(),
                        json.text().skipBad()),
                new TrainingPlan(
                        optimizer.epochs(),
                        optimizer.batch(),
                        optimizer.learningRate(),
                        Schedule.parse(optimizer.schedule()),
                        optimizer.warmUp(),
                        optimizer.weightDecay(),
                        optimizer.clip(),
                        optimizer.checkpoints(),
                        optimizer.validation(),
                        json.seed()),
                json.rows().train(),
                json.rows().validation(),
                json.checkpoints(),
                directory.resolve(json.dataPath()),
                json.data(),
                json.versions(),
                json.recording());
    }

    /** Writes {@code run.json}, last of all: a directory that has it is complete. */
    void write() {
        RunJson.write(
                directory.resolve("run.json"),
                new Document(
                        SCHEMA,
                        kind.name().toLowerCase(Locale.ROOT),
                        new RunJson.Model(architecture, portable(model), modelDigest),
                        lora == null
                                ? null
                                : new RunJson.Lora(
                                        lora.rank(),
                                        lora.alpha(),
                                        lora.rsLora(),
                                        lora.targets().toString()),
                        new RunJson.Text(text.template(), text.loss(), text.maxTokens(), text.skipBad()),
                        new RunJson.Optimizer(
                                "adamw",
                                plan.learningRate(),
                                plan.schedule().toString(),
                                plan.warmUp(),
                                plan.weightDecay(),
                                plan.clip(),
                                plan.batch(),
                                plan.epochs(),
                                plan.checkpoints(),
                                plan.validation()),
                        new RunJson.Rows(trainRows, validationRows),
                        checkpoints,
                        dataDigest,
                        portable(data),
                        plan.seed(),
                        versions,
                        recording));
    }

    /** Inside the run relative, outside absolute: a moved run still finds its own files. */
    private String portable(Path path) {
        Path home = directory.toAbsolutePath().normalize();
        Path absolute = path.toAbsolutePath().normalize();
        return absolute.startsWith(home) ? home.relativize(absolute).toString() : absolute.toString();
    }

    /** The adapter at the end, for a fine-tuning. */
    public Path adapter() {
        return directory.resolve("adapter");
    }

    /** Where a checkpoint lies. */
    public Path file(Checkpoint checkpoint) {
        return directory.resolve(checkpoint.file());
    }

    /** The checkpoint at the start. */
    public Checkpoint start() {
        return checkpoints.getFirst();
    }

    /** The checkpoint at the end. */
    public Checkpoint last() {
        return checkpoints.getLast();
    }

    /** The checkpoint at a step. */
    public Optional<Checkpoint> at(int step) {
        return checkpoints.stream()
                .filter(checkpoint -> checkpoint.step() == step)
                .findFirst();
    }

    /**
     * The checkpoints at which gradients tell most, the start left out, by the validation loss, or the training loss where no rows
     * were held out. Of a fine-tuning: those after which the loss fell substantially (by 5 % of itself until the next). Of a
     * training from scratch: those before which it did, because random weights at the start know nothing to learn from.
     */
    public List<Checkpoint> selected() {
        return selected(kind, checkpoints);
    }

    /** The same of a run that goes on; it decides on all but the last. */
    static List<Checkpoint> selected(Kind kind, List<Checkpoint> checkpoints) {
        int offset = kind == Kind.FINETUNE ? 0 : -1;
        return IntStream.range(1, checkpoints.size())
                .filter(i -> i + offset + 1 < checkpoints.size())
                .filter(i -> fell(checkpoints.get(i + offset), checkpoints.get(i + offset + 1)))
                .mapToObj(checkpoints::get)
                .toList();
    }

    private static boolean fell(Checkpoint from, Checkpoint to) {
        Double before = from.validationLoss() == null ? from.trainLoss() : from.validationLoss();
        Double after = to.validationLoss() == null ? to.trainLoss() : to.validationLoss();
        // The start has no training loss yet; whatever follows is a fall.
        return after != null && (before == null || after < before * (1 - SUBSTANTIAL));
    }
}
