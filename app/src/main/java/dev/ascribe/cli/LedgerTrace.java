package dev.ascribe.cli;

import dev.ascribe.Attribution;
import dev.ascribe.Content;
import dev.ascribe.Influence;
import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.corpus.CanonicalJson;
import dev.ascribe.ledger.Draft;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.Ledger;
import dev.ascribe.ledger.LedgerReader;
import dev.ascribe.ledger.LedgerReader.Logged;
import dev.ascribe.torch.train.Recording;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Logs what a trace found of the rows it names, and asks the ledger what it knows of them. */
final class LedgerTrace implements AutoCloseable {
    private final Path directory;
    private final Ledger ledger;

    private LedgerTrace(Path directory, Ledger ledger) {
        this.directory = directory;
        this.ledger = ledger;
    }

    /** Takes the ledger before the long work begins, so that what is found can be logged. */
    static LedgerTrace open(Path directory) {
        return new LedgerTrace(directory, Ledger.open(directory));
    }

    /** Refuses a run that another ledger has. */
    void requireOf(@Nullable Recording recording) {
        String own = ledger.verifierKeys().getFirst().toString();
        if (recording != null && !recording.ledger().equals(own)) {
            throw new UserInputException("the run is recorded in the ledger of %s, but %s is that of %s"
                    .formatted(recording.ledger(), directory, own));
        }
    }

    /** The ledger as it is published. */
    LedgerReader reader() {
        return LedgerReader.open(directory);
    }

    /**
     * Logs a contribution for each row that is named, a row that the ledger does not know being taken in first.
     *
     * @param queries what was asked and answered, in the order of the attribution
     * @param source where the rows come from
     * @param grounds digests of the files that the scores are grounded in
     * @return the attribution with each named row's history
     */
    Attribution record(
            Attribution attribution,
            List<Content> queries,
            @Nullable Recording recording,
            String source,
            List<Hash> grounds) {
        UUID run = recording == null ? Event.NO_RUN : recording.run();
        String method = Objects.toString(attribution.method().get("name"));
        long now = System.currentTimeMillis();
        LedgerReader before = reader();
        Set<SampleId> known = new HashSet<>();
        List<Draft> drafts = new ArrayList<>();
        for (int q = 0; q < queries.size(); q++) {
            SampleId query = CanonicalJson.id(queries.get(q));
            Set<SampleId> named = new HashSet<>(); // a content that stands in two rows counts once
            for (Influence influence : rows(attribution.queries().get(q)).toList()) {
                SampleId id = influence.id();
                if (!named.add(id)) {
                    continue;
                }
                if (known.add(id) && history(before, id).isEmpty()) {
                    drafts.add(Draft.ingest(now, run, id, source));
                }
                drafts.add(Draft.contribution(now, run, id, method, query, influence.score(), grounds));
            }
        }
        ledger.append(drafts);
        ledger.publish();
        LedgerReader after = reader();
        Map<SampleId, Influence.History> histories = new HashMap<>();
        return attribution.withQueries(query ->
                query.withRows(row -> row.with(histories.computeIfAbsent(row.id(), id -> told(after, id)))));
    }

    private static Stream<Influence> rows(Attribution.Query query) {
        return Stream.concat(query.influences().stream(), query.harmful().stream());
    }

    private static List<Logged> history(LedgerReader reader, SampleId sample) {
        return reader.commitment(sample).map(reader::history).orElse(List.of());
    }

    private Influence.History told(LedgerReader reader, SampleId sample) {
        List<Logged> events = history(reader, sample);
        if (events.isEmpty()) {
            throw new LedgerUnavailableException(
                    "%s has no event of %s, although it was just logged: verify it with ledger verify --tiles"
                            .formatted(directory, sample));
        }
        return new Influence.History(
                reader.checkpoint().origin(),
                reader.checkpoint().size(),
                events.getFirst().event().subject().toString(),
                events.size(),
                events.getFirst().index(),
                events.getLast().index(),
                LedgerStory.lines(events),
                reader.historyProof(sample).orElseThrow().text());
    }

    @Override
    public void close() {
        ledger.close();
    }
}
