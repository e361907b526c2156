package dev.ascribe.torch.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path directory;

    @Test
    void whatIsWrittenIsRead() {
        for (Run.Kind kind : Run.Kind.values()) {
            Run run = run(kind, losses(3, 2.0, 1.0));
            run.write();
            assertThat(Run.open(directory)).isEqualTo(run);
        }
    }

    @Test
    void aMovedRunFindsItsOwnFiles() throws IOException {
        run(Run.Kind.TRAIN, losses(3, 2.0)).write();
        Path moved = Files.createDirectory(directory.resolve("moved"));
        Files.move(directory.resolve("run.json"), moved.resolve("run.json"));
        assertThat(Run.open(moved).model()).isEqualTo(moved.resolve("model"));
        assertThat(Run.open(moved).data()).isEqualTo(Path.of("/somewhere/data.jsonl"));
    }

    /** After 3, 2 and 1.9 nats the loss fell substantially only at the first two. */
    @Test
    void ofAFineTuningTheCheckpointsAfterWhichTheLossFellAreSelected() {
        Run run = run(Run.Kind.FINETUNE, losses(4, 3, 2, 1.95, 1.2, 1.19));
        assertThat(run.selected()).extracting(Checkpoint::step).containsExactly(10, 30);
        assertThat(run.start().step()).isZero();
        assertThat(run.last().step()).isEqualTo(50);
        assertThat(run.at(30)).contains(run.checkpoints().get(3));
        assertThat(run.at(31)).isEmpty();
    }

    @Test
    void ofATrainingFromScratchTheCheckpointsBeforeWhichTheLossFellAreSelected() {
        Run run = run(Run.Kind.TRAIN, losses(4, 3, 2, 1.95, 1.2, 1.19));
        assertThat(run.selected()).extracting(Checkpoint::step).containsExactly(10, 20, 40);
    }

    @Test
    void withoutHeldOutRowsTheTrainingLossDecides() {
        List<Checkpoint> checkpoints = new ArrayList<>();
        checkpoints.add(checkpoint(0, null, null));
        checkpoints.add(checkpoint(10, 4.0, null));
        checkpoints.add(checkpoint(20, 3.0, null));
        checkpoints.add(checkpoint(30, 2.99, null));
        assertThat(run(Run.Kind.FINETUNE, checkpoints).selected())
                .extracting(Checkpoint::step)
                .containsExactly(10);
        assertThat(run(Run.Kind.TRAIN, checkpoints).selected())
                .extracting(Checkpoint::step)
                .containsExactly(10, 20);
    }

    @Test
    void aFallOfLessThanATwentiethSelectsNothing() {
        assertThat(run(Run.Kind.FINETUNE, losses(2, 1.9, 1.81, 1.73)).selected())
                .isEmpty();
        assertThat(run(Run.Kind.FINETUNE, losses(2, 2, 1.899)).selected()).hasSize(1);
    }

    @Test
    void aMissingRunIsTheUsersMistake() {
        assertThatThrownBy(() -> Run.open(directory))
                .isInstanceOf(UserInputException.class)
                .hasMessage(directory.resolve("run.json")
                        + " does not exist: give a directory that finetune or train made, and let it finish");
    }

    @Test
    void anotherSchemaIsRefused() {
        damage(json -> json.put("schema", "ascribe/run/2"));
        assertThatThrownBy(() -> Run.open(directory))
                .isInstanceOf(UserInputException.class)
                .hasMessage(directory.resolve("run.json")
                        + " has the schema 'ascribe/run/2', but this version reads ascribe/run/1");
    }

    @Test
    void unknownKeysAreRefusedByName() {
        refused(json -> json.put("sead", 4), "sead");
        refused(json -> ((ObjectNode) json.get("optimizer")).put("momentum", 4), "momentum");
    }

    @Test
    void whatIsMissingOrOfTheWrongKindIsRefusedByName() {
        for (String key : List.of(
                "kind", "model", "text", "optimizer", "rows", "checkpoints", "data", "dataPath", "seed", "versions")) {
            refused(json -> json.remove(key), key);
        }
        refused(json -> ((ObjectNode) json.get("model")).remove("digest"), "digest");
        refused(json -> ((ObjectNode) json.get("rows")).remove("train"), "train");
        refused(json -> ((ObjectNode) json.get("optimizer")).remove("epochs"), "epochs");
        refused(json -> json.put("kind", "foo"), "foo");
        refused(json -> json.put("seed", "many"), "many");
        refused(json -> json.putArray("checkpoints"), "checkpoints");
    }

    @Test
    void aCutFileIsDamaged() throws IOException {
        run(Run.Kind.FINETUNE, losses(3, 2)).write();
        Path file = directory.resolve("run.json");
        Files.writeString(file, Files.readString(file).substring(0, 300));
        assertThatThrownBy(() -> Run.open(directory))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageStartingWith(file + " is damaged: ");
    }

    private void refused(Consumer<ObjectNode> change, String name) {
        damage(change);
        assertThatThrownBy(() -> Run.open(directory))
                .as(name)
                .isInstanceOf(CorruptDataException.class)
                .hasMessageStartingWith(directory.resolve("run.json") + " is damaged: ")
                .hasMessageContaining(name);
    }

    private void damage(Consumer<ObjectNode> change) {
        run(Run.Kind.FINETUNE, losses(3, 2)).write();
        try {
            Path file = directory.resolve("run.json");
            ObjectNode json = (ObjectNode) JSON.readTree(Files.readAllBytes(file));
            change.accept(json);
            Files.write(file, JSON.writeValueAsBytes(json));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Checkpoint> losses(double... validation) {
        List<Checkpoint> checkpoints = new ArrayList<>();
        for (int i = 0; i < validation.length; i++) {
            checkpoints.add(checkpoint(10 * i, i == 0 ? null : 99.0 - i, validation[i]));
        }
        return checkpoints;
    }

    private static Checkpoint checkpoint(int step, @Nullable Double train, @Nullable Double validation) {
        return new Checkpoint("checkpoints/%06d".formatted(step), step, step / 10, 0.001, train, validation);
    }

    private Run run(Run.Kind kind, List<Checkpoint> checkpoints) {
        boolean adapted = kind == Run.Kind.FINETUNE;
        return new Run(
                directory,
                kind,
                adapted ? Path.of("/somewhere/base") : directory.resolve("model"),
                "sha256:aa",
                "llama",
                adapted ? LoraConfig.of(8, 16, LoraConfig.Targets.parse("q_proj,v_proj")) : null,
                new Run.TextSettings("auto", "response", 512, true),
                new TrainingPlan(3, 8, 1e-3, Schedule.COSINE, 0.1, 0.01, 1, 4, 0.1, 77),
                List.of(0, 2, 3),
                List.of(1),
                checkpoints,
                Path.of("/somewhere/data.jsonl"),
                "sha256:bb",
                Map.of("java", "25"));
    }
}
