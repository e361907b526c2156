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
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A history as people read it: what happened, in order, batches gathered. */
final class LedgerStory {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

    /** Of a list, as many are named. */
    private static final int SOME = 3;

    /** Digits of a hash that tell it apart for people. */
    private static final int SHORT = 12;

    /** Of a run's name, its first group. */
    private static final int SHORT_RUN = 8;

    private LedgerStory() {}

    static String tell(Hash subject, List<Logged> events, Checkpoint checkpoint) {
        if (events.isEmpty()) {
            return String.format(
                    Locale.ROOT,
                    "%s has no event in the first %,d entries of %s%n%s%n",
                    subject,
                    checkpoint.size(),
                    checkpoint.origin(),
                    Evidence.unsaid("history"));
        }
        StringBuilder story = new StringBuilder(String.format(
                Locale.ROOT,
                "%s: all %,d events in the first %,d entries of %s%n",
                subject,
                events.size(),
                checkpoint.size(),
                checkpoint.origin()));
        lines(events).forEach(line -> story.append(line).append(System.lineSeparator()));
        return story.append(Evidence.unsaid("history"))
                .append(System.lineSeparator())
                .toString();
    }

    /** A line for each thing that happened, with its time (UTC); what is of one kind and came in a row is told together. */
    static List<String> lines(List<Logged> events) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < events.size(); ) {
            List<Logged> alike = new ArrayList<>(List.of(events.get(i)));
            while (i + alike.size() < events.size() && alike(events.get(i), events.get(i + alike.size()))) {
                alike.add(events.get(i + alike.size()));
            }
            Instant time = Instant.ofEpochMilli(events.get(i).event().time());
            lines.add(TIME.format(time) + "  " + line(alike));
            i += alike.size();
        }
        return lines;
    }

    /** Batches of one run, and answers to which one method found the same direction. */
    private static boolean alike(Logged one, Logged other) {
        return one.event().run().equals(other.event().run())
                && switch (one.event().body()) {
                    case EventBody.Batch a -> other.event().body() instanceof EventBody.Batch;
                    case EventBody.Contribution a ->
                        other.event().body() instanceof EventBody.Contribution b
                                && a.method().equals(b.method())
                                && helped(a) == helped(b);
                    default -> false;
                };
    }

    private static boolean helped(EventBody.Contribution contribution) {
        return contribution.score() >= 0;
    }

    private static String line(List<Logged> alike) {
        Event event = alike.getFirst().event();
        return switch (event.body()) {
            case EventBody.Ledger body -> "the ledger " + body.origin() + " began";
            case EventBody.Map body -> "a map over " + body.size() + " entries";
            case EventBody.Ingest body -> "ingested from %s%s".formatted(body.source(), of(event));
            case EventBody.Transform body ->
                "%s%s, from %s%s".formatted(done(body.kind()), detail(body.detail()), named(body.parents()), of(event));
            case EventBody.Batch body -> batches(alike, event);
            case EventBody.Contribution body -> contributions(alike) + of(event);
            case EventBody.Delete body -> "deleted" + detail(body.reason());
            case EventBody.Checkpoint body ->
                String.format(
                        Locale.ROOT,
                        "checkpoint at step %,d%s: training loss %.4f%s, file %s",
                        body.step(),
                        body.selected() ? ", selected" : ", not selected",
                        body.trainLoss(),
                        body.validationLoss().isPresent()
                                ? String.format(
                                        Locale.ROOT,
                                        ", validation loss %.4f",
                                        body.validationLoss().getAsDouble())
                                : "",
                        shortened(body.model()));
            case EventBody.Evaluate body ->
                String.format(
                        Locale.ROOT,
                        "measured %s = %.6g of file %s on data %s",
                        body.metric(),
                        body.value(),
                        shortened(body.model()),
                        shortened(body.data()));
        };
    }

    private static String of(Event event) {
        return event.run().equals(Event.NO_RUN)
                ? ""
                : " (run %s)".formatted(event.run().toString().substring(0, SHORT_RUN));
    }

    private static String detail(String detail) {
        return detail.isEmpty() ? "" : ": " + detail;
    }

    private static String done(String kind) {
        return switch (kind) {
            case "dedup" -> "deduplicated";
            case "clean" -> "cleaned";
            case "augment" -> "augmented";
            case "tokenize" -> "tokenised";
            case "split" -> "split";
            default -> kind;
        };
    }

    private static String named(List<Hash> parents) {
        String first = parents.stream().limit(SOME).map(LedgerStory::shortened).collect(Collectors.joining(", "));
        return parents.size() <= SOME ? first : first + " and %d more".formatted(parents.size() - SOME);
    }

    private static String batches(List<Logged> alike, Event event) {
        String run = event.run().equals(Event.NO_RUN) ? "" : " of run " + event.run();
        List<EventBody.Batch> batches = bodies(alike, EventBody.Batch.class);
        EventBody.Batch first = batches.getFirst();
        if (batches.size() == 1) {
            return "in a batch%s: epoch %d, step %d, position %d"
                    .formatted(run, first.epoch(), first.step(), first.position());
        }
        long lastEpoch = batches.getLast().epoch();
        return "in %d batches%s: epoch%s, steps %s"
                .formatted(
                        batches.size(),
                        run,
                        first.epoch() == lastEpoch
                                ? " " + first.epoch()
                                : "s %d to %d".formatted(first.epoch(), lastEpoch),
                        steps(batches));
    }

    private static String steps(List<EventBody.Batch> batches) {
        List<String> steps =
                batches.stream().map(batch -> Long.toString(batch.step())).toList();
        return steps.size() <= 2 * SOME
                ? String.join(", ", steps)
                : String.join(", ", steps.subList(0, SOME)) + " … " + steps.getLast();
    }

    private static String contributions(List<Logged> alike) {
        List<EventBody.Contribution> all = bodies(alike, EventBody.Contribution.class);
        EventBody.Contribution first = all.getFirst();
        String verb = helped(first) ? "helped" : "opposed";
        if (all.size() == 1) {
            return String.format(
                    Locale.ROOT,
                    "%s the answer to query %s by %.4g (%s)",
                    verb,
                    shortened(first.query()),
                    first.score(),
                    first.method());
        }
        DoubleSummaryStatistics scores =
                all.stream().mapToDouble(EventBody.Contribution::score).summaryStatistics();
        List<Hash> queries =
                all.stream().map(EventBody.Contribution::query).distinct().toList();
        return String.format(
                Locale.ROOT,
                "%s the answers to %s %s, asked %d times, by %.4g to %.4g (%s)",
                verb,
                queries.size() == 1 ? "query" : queries.size() + " queries",
                named(queries),
                all.size(),
                scores.getMin(),
                scores.getMax(),
                first.method());
    }

    private static <T extends EventBody> List<T> bodies(List<Logged> logged, Class<T> type) {
        return logged.stream().map(one -> type.cast(one.event().body())).toList();
    }

    private static String shortened(Hash hash) {
        return hash.toString().substring(0, SHORT);
    }
}
