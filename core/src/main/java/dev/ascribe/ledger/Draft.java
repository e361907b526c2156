package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * An event before it is logged: it speaks of samples by their ids, which the ledger turns into commitments.
 *
 * @param time milliseconds since 1970
 * @param run {@link Event#NO_RUN} for none
 * @param sample what it is about; empty: the run
 */
public record Draft(long time, UUID run, Optional<SampleId> sample, Content content) {
    /** The body, given how ids become commitments. */
    @FunctionalInterface
    public interface Content {
        EventBody body(Function<SampleId, Hash> commitment);
    }

    /** A sample was taken in. */
    public static Draft ingest(long time, UUID run, SampleId sample, String source) {
        return new Draft(time, run, Optional.of(sample), commit -> new EventBody.Ingest(source));
    }

    /** A sample was made of others. */
    public static Draft transform(
            long time, UUID run, SampleId sample, String kind, List<SampleId> parents, String detail) {
        return new Draft(
                time,
                run,
                Optional.of(sample),
                commit -> new EventBody.Transform(
                        kind, parents.stream().map(commit).toList(), detail));
    }

    /** A sample was in a training batch. */
    public static Draft batch(long time, UUID run, SampleId sample, long epoch, long step, long position) {
        return new Draft(time, run, Optional.of(sample), commit -> new EventBody.Batch(epoch, step, position));
    }

    /** What a sample contributed to an answer. */
    public static Draft contribution(
            long time, UUID run, SampleId sample, String method, SampleId query, double score, List<Hash> checkpoints) {
        return new Draft(
                time,
                run,
                Optional.of(sample),
                commit -> new EventBody.Contribution(method, commit.apply(query), score, checkpoints));
    }

    /** Something about a run: a checkpoint or a measurement. */
    public static Draft ofRun(long time, UUID run, EventBody body) {
        return new Draft(time, run, Optional.empty(), commit -> body);
    }
}
