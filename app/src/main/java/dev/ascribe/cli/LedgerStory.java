package dev.ascribe.cli;

import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.EventBody;
import dev.ascribe.ledger.Evidence;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.LedgerReader.Logged;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A history as people read it: what happened, in order, batches gathered. */
final class LedgerStory {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

    private LedgerStory() {}

    static String tell(Hash subject, List<Logged> events, Checkpoint checkpoint) {
        StringBuilder story = new StringBuilder();
        if (events.isEmpty()) {
            return "%s has no event in the first %,d entries of %s%n%s%n"
                    .formatted(subject, checkpoint.size(), checkpoint.origin(), Evidence.unsaid("history"));
        }
        story.append("%s: all %d events in the first %,d entries of %s%n"
                .formatted(subject, events.size(), checkpoint.size(), checkpoint.origin()));
        for (int i = 0; i < events.size(); ) {
            List<Logged> alike = new ArrayList<>(List.of(events.get(i)));
            while (i + alike.size() < events.size() && sameEpoch(events.get(i), events.get(i + alike.size()))) {
                alike.add(events.get(i + alike.size()));
            }
            story.append("%s  %s%n"
                    .formatted(
                            TIME.format(
                                    Instant.ofEpochMilli(events.get(i).event().time())),
                            line(alike)));
            i += alike.size();
        }
        return story.append(Evidence.unsaid("history"))
                .append(System.lineSeparator())
                .toString();
    }

    private static boolean sameEpoch(Logged one, Logged other) {
        return one.event().body() instanceof EventBody.Batch a
                && other.event().body() instanceof EventBody.Batch b
                && a.epoch() == b.epoch()
                && one.event().run().equals(other.event().run());
    }

    private static String line(List<Logged> alike) {
        Event event = alike.getFirst().event();
        return switch (event.body()) {
            case EventBody.Ledger body -> "the ledger " + body.origin() + " began";
            case EventBody.Map body -> "a map over " + body.size() + " entries";
            case EventBody.Ingest body -> "ingested from " + body.source();
            case EventBody.Transform body ->
                "made by %s of %d other%s%s"
                        .formatted(
                                body.kind(),
                                body.parents().size(),
                                body.parents().size() == 1 ? "" : "s",
                                body.detail().isEmpty() ? "" : ": " + body.detail());
            case EventBody.Batch body ->
                alike.size() == 1
                        ? "in a batch of run %s: epoch %d, step %d, position %d"
                                .formatted(event.run(), body.epoch(), body.step(), body.position())
                        : "in %d batches of run %s: epoch %d, steps %s"
                                .formatted(alike.size(), event.run(), body.epoch(), steps(alike));
            case EventBody.Contribution body ->
                "%s the answer to query %s by %.4g (%s)"
                        .formatted(
                                body.score() >= 0 ? "helped" : "opposed",
                                body.query().toString().substring(0, 12),
                                body.score(),
                                body.method());
            case EventBody.Delete body -> "deleted" + (body.reason().isEmpty() ? "" : ": " + body.reason());
            case EventBody.Checkpoint body ->
                "checkpoint at step %d%s: training loss %.4f%s, model %s"
                        .formatted(
                                body.step(),
                                body.selected() ? ", selected" : "",
                                body.trainLoss(),
                                body.validationLoss().isPresent()
                                        ? ", validation loss %.4f"
                                                .formatted(body.validationLoss().getAsDouble())
                                        : "",
                                body.model().toString().substring(0, 12));
            case EventBody.Evaluate body -> "measured %s = %.6g".formatted(body.metric(), body.value());
        };
    }

    private static String steps(List<Logged> batches) {
        List<String> steps = batches.stream()
                .map(logged ->
                        logged.event().body() instanceof EventBody.Batch batch ? Long.toString(batch.step()) : "")
                .toList();
        return steps.size() <= 6
                ? String.join(", ", steps)
                : String.join(", ", steps.subList(0, 3)) + " … " + steps.getLast();
    }
}
