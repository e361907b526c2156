package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecorderTest {
    private static final UUID RUN = new UUID(1, 2);
    private static final UUID OTHER = new UUID(3, 4);
    private static final int ROWS = 5;
    private static final int STEPS = 8;

    @TempDir
    private Path folder;

    private Path home;

    @BeforeEach
    void makeALedger() {
        home = folder.resolve("ledger");
        Ledger.init(home, "example.com/test", List.of(), Optional.of(folder.resolve("guard")));
    }

    private static SampleId sample(int number) {
        return SampleId.of(("sample " + number).getBytes(UTF_8));
    }

    private static Hash model(int step) {
        return Hash.sha256(("model " + step).getBytes(UTF_8));
    }

    /** The calls that a loop makes, as functions of nothing but the loop. */
    private static List<Runnable> calls(Recorder recorder, UUID run) {
        List<Runnable> calls = new ArrayList<>();
        for (int row = 0; row < ROWS; row++) {
            SampleId id = sample(row);
            calls.add(() -> recorder.sampleIngested(run, id, "rows.jsonl"));
        }
        for (int step = 1; step <= STEPS; step++) {
            int now = step;
            for (int position = 0; position < 2; position++) {
                int at = position;
                calls.add(() -> recorder.sampleUsed(run, sample((now + at) % ROWS), 1, now, at));
            }
            if (step % 4 == 0) {
                calls.add(() -> recorder.checkpointReached(
                        run, new EventBody.Checkpoint(model(now), now, 1.0 / now, OptionalDouble.of(2), now == 4)));
            }
        }
        calls.add(() ->
                recorder.modelEvaluated(run, new EventBody.Evaluate("validation-loss", 0.5, model(STEPS), Hash.ZERO)));
        return calls;
    }

    private List<EventBody> recorded(UUID run) {
        LedgerReader reader = LedgerReader.open(home);
        List<EventBody> bodies = new ArrayList<>();
        for (long index : reader.recorded(run)) {
            bodies.add(reader.event(index).body());
        }
        return bodies;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 5, 6, 13, 14, 23})
    void whereverALoopStoppedItsRepeatedCallsAreLoggedOnceEach(int lasted) {
        try (Recorder recorder = Recorder.open(home)) {
            assertThat(recorder.resume(RUN)).isZero();
            calls(recorder, RUN).forEach(Runnable::run);
        }
        List<EventBody> whole = recorded(RUN);
        try (Recorder recorder = Recorder.open(home)) {
            recorder.resume(OTHER);
            calls(recorder, OTHER).subList(0, lasted).forEach(Runnable::run);
            // what somebody asks in between is no part of the run's order
            recorder.sampleIngested(Event.NO_RUN, sample(0), "elsewhere");
            recorder.sampleContributed(OTHER, sample(0), "bm25", sample(99), 1, List.of(Hash.ZERO));
        }
        assertThat(recorded(OTHER)).hasSize(lasted);
        try (Recorder recorder = Recorder.open(home)) {
            assertThat(recorder.resume(OTHER)).isEqualTo(lasted);
            calls(recorder, OTHER).forEach(Runnable::run);
            recorder.flush();
        }
        assertThat(recorded(OTHER)).isEqualTo(whole);
        assertThat(recorded(RUN)).isEqualTo(whole);
    }

    @Test
    void aRunThatSaysSomethingElseThanBeforeIsRefused() {
        try (Recorder recorder = Recorder.open(home)) {
            calls(recorder, RUN).subList(0, 8).forEach(Runnable::run);
        }
        Recorder recorder = Recorder.open(home);
        recorder.resume(RUN);
        recorder.sampleIngested(RUN, sample(0), "rows.jsonl");
        recorder.sampleIngested(RUN, sample(4), "rows.jsonl");
        assertThatThrownBy(recorder::flush)
                .isInstanceOf(UserInputException.class)
                .hasMessage(
                        home + " has event 2 of run " + RUN
                                + " at index 3, and it is not what the run says now: its data or settings changed; begin a new run");
        assertThatThrownBy(recorder::close).isInstanceOf(UserInputException.class);
        recorder.close();
        assertThat(recorded(RUN)).hasSize(8);
        Recorder.open(home).close(); // the lock is gone
    }

    @Test
    void anEventThatARuleForbidsIsToldByTheNextCall() {
        Recorder recorder = Recorder.open(home);
        recorder.sampleUsed(RUN, sample(1), 1, 1, 0);
        assertThatThrownBy(recorder::flush)
                .isInstanceOf(UserInputException.class)
                .hasMessage(
                        home
                                + " refuses an event: a sample's first event must be 'ingest' or 'transform'; nothing after it was logged");
        assertThatThrownBy(() -> recorder.sampleIngested(RUN, sample(1), "a")).isInstanceOf(UserInputException.class);
        assertThatThrownBy(recorder::close).isInstanceOf(UserInputException.class);
        assertThat(recorded(RUN)).isEmpty();
    }

    @Test
    void whatWasFlushedIsDurableAndOneProcessRecordsAtATime() {
        try (Recorder recorder = Recorder.open(home)) {
            recorder.sampleIngested(RUN, sample(1), "a");
            recorder.flush();
            assertThatThrownBy(() -> Recorder.open(home))
                    .isInstanceOf(LedgerUnavailableException.class)
                    .hasMessageContaining("is locked");
            assertThat(recorder.verifierKeys()).hasSize(2);
        }
        assertThat(recorded(RUN)).containsExactly(new EventBody.Ingest("a"));
    }
}
