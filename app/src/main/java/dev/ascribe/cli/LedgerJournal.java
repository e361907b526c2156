package dev.ascribe.cli;

import dev.ascribe.Corpus;
import dev.ascribe.Digests;
import dev.ascribe.FileTrouble;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.ledger.EventBody;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.Recorder;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.train.Adapter;
import dev.ascribe.torch.train.Checkpoint;
import dev.ascribe.torch.train.Journal;
import dev.ascribe.torch.train.Recording;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.ScratchRecipe;
import dev.ascribe.torch.train.Training;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Records a run in a ledger. In this order: the data file and each row are taken in; each row is tokenised, and divided into those to be
 * learned and those held out, if any are; each batch's rows; each checkpoint; what the held-out rows measured at the end.
 */
final class LedgerJournal implements Journal {
    /** Of an {@code evaluate} event: mean nats a target over the rows that were held out. */
    static final String VALIDATION_LOSS = "validation-loss";

    private final Recorder recorder;
    private final Recording recording;
    private final Path directory;
    private final Run.TextSettings text;
    private final boolean adapted;
    private final Path data;
    private final String dataDigest;
    private final Corpus corpus;
    private final List<Sequence> rows;

    private LedgerJournal(
            Recorder recorder,
            Recording recording,
            Path directory,
            Training.Facts facts,
            String dataDigest,
            Corpus corpus,
            List<Sequence> rows) {
        this.recorder = recorder;
        this.recording = recording;
        this.directory = directory;
        this.text = facts.text();
        this.adapted = facts.lora() != null;
        this.data = facts.data();
        this.dataDigest = dataDigest;
        this.corpus = corpus;
        this.rows = rows;
    }

    /**
     * Trains, and records that in a ledger where one is given.
     *
     * @param rows of the corpus, as they are trained on
     */
    static Training.Finished train(
            Training training,
            Path out,
            Training.Facts facts,
            Corpus corpus,
            List<Sequence> rows,
            @Nullable Path ledger) {
        if (ledger == null) {
            return training.run(out, facts);
        }
        String digest = digest(facts.data());
        try (Recorder recorder = Recorder.open(ledger)) {
            Recording recording = new Recording(
                    Recording.of(out).map(Recording::run).orElseGet(UUID::randomUUID),
                    recorder.verifierKeys().getFirst().toString());
            Journal journal = new LedgerJournal(recorder, recording, out, facts, digest, corpus, rows);
            return training.run(out, facts.recorded(recording), journal);
        }
    }

    @Override
    public void begun(List<Integer> learned, List<Integer> heldOut) {
        UUID run = recording.run();
        recorder.resume(run);
        String name = Objects.toString(data.getFileName());
        SampleId file = SampleId.parse(dataDigest);
        recorder.sampleIngested(run, file, name);
        for (int row = 0; row < rows.size(); row++) {
            recorder.sampleIngested(run, corpus.id(row), name);
        }
        for (int row = 0; row < rows.size(); row++) {
            made(row, "tokenize", file, tokens(rows.get(row)));
        }
        if (!heldOut.isEmpty()) {
            Set<Integer> held = Set.copyOf(heldOut);
            for (int row = 0; row < rows.size(); row++) {
                made(row, "split", file, held.contains(row) ? "held out for validation" : "to be learned");
            }
        }
    }

    /** A row is named as made of its file: the tokens and the part of one row are nothing that has an id of its own. */
    private void made(int row, String kind, SampleId file, String detail) {
        SampleId id = corpus.id(row);
        if (!id.equals(file)) { // a file can be its only row
            recorder.sampleTransformed(recording.run(), id, kind, List.of(file), detail);
        }
    }

    private String tokens(Sequence row) {
        return "%d tokens, %d to be predicted; template %s, loss %s, at most %d tokens"
                .formatted(row.length(), row.targets(), name(text.template()), text.loss(), text.maxTokens());
    }

    /** A template's file is named without its folders. */
    private static String name(String template) {
        return Objects.toString(Path.of(template).getFileName());
    }

    @Override
    public void step(int epoch, int step, List<Integer> batch) {
        for (int position = 0; position < batch.size(); position++) {
            recorder.sampleUsed(recording.run(), corpus.id(batch.get(position)), epoch, step, position);
        }
    }

    @Override
    public void checkpoint(Checkpoint checkpoint, boolean selected) {
        recorder.checkpointReached(
                recording.run(),
                new EventBody.Checkpoint(
                        weights(checkpoint),
                        checkpoint.step(),
                        Objects.requireNonNull(checkpoint.trainLoss()),
                        checkpoint.validationLoss() == null
                                ? OptionalDouble.empty()
                                : OptionalDouble.of(checkpoint.validationLoss()),
                        selected));
    }

    @Override
    public void finished(Checkpoint last) {
        if (last.validationLoss() != null) {
            recorder.modelEvaluated(
                    recording.run(),
                    new EventBody.Evaluate(
                            VALIDATION_LOSS, last.validationLoss(), weights(last), Hash.ofDigest(dataDigest)));
        }
        recorder.flush();
    }

    private Hash weights(Checkpoint checkpoint) {
        Path kept = directory.resolve(checkpoint.file());
        return Hash.ofDigest(digest(adapted ? Adapter.weights(kept) : ScratchRecipe.weights(kept)));
    }

    /** {@code sha256:<hex>} of a file's bytes. */
    static String digest(Path file) {
        try {
            return Digests.ofFile(file);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be read: %s".formatted(file, FileTrouble.of(e)), e);
        }
    }
}
