package dev.ascribe.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.WholeFile;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.Evidence;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.LedgerProof;
import dev.ascribe.ledger.LedgerReader;
import dev.ascribe.ledger.TlogProof;
import dev.ascribe.ledger.export.Excerpt;
import dev.ascribe.ledger.export.ExportFormat;
import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Commands that read a ledger and hand out evidence. */
final class LedgerReading {
    private LedgerReading() {}

    private static void write(Path file, TlogProof proof) {
        WholeFile.write(file, proof.bytes());
    }

    private static Hash commitment(LedgerReader reader, SampleId sample) {
        return reader.commitment(sample)
                .orElseThrow(() -> new VerificationException("the sample %s has no history here".formatted(sample)));
    }

    /** An event's proof. */
    @Command(
            name = "prove",
            mixinStandardHelpOptions = true,
            description = "Write the proof that an event was logged.",
            footer = {"", "Example: ascribe ledger prove ledger --sample sha256:... --out event.tlog-proof"})
    static final class Prove implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(names = "--index", paramLabel = "N", description = "The event's index.")
        private @Nullable Long index;

        @Option(names = "--sample", paramLabel = "ID", description = "An event of this sample.")
        private @Nullable String sample;

        @Option(names = "--seq", paramLabel = "K", description = "The sample's K-th event. Default: the last.")
        private @Nullable Long sequence;

        @Option(names = "--out", required = true, paramLabel = "FILE", description = "The proof.")
        @SuppressWarnings("NullAway.Init")
        private Path out;

        @Option(names = "--unopened", description = "Do not show which sample it is.")
        private boolean unopened;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            if ((index == null) == (sample == null) || (sequence != null && sample == null)) {
                throw new UserInputException("give either --index N, or --sample ID and perhaps --seq K");
            }
            Session session = Session.withoutEngine(spec);
            LedgerReader reader = LedgerReader.open(directory);
            long at = index != null ? index : at(reader, SampleId.parse(Objects.requireNonNull(sample)));
            TlogProof proof = reader.event(at, !unopened);
            write(out, proof);
            boolean opened = proof.extra().orElseThrow() instanceof LedgerProof.OfEvent event
                    && event.opening().isPresent();
            if (json) {
                session.print(
                        "ledger-proof",
                        LedgerCommand.JSON
                                .createObjectNode()
                                .put("kind", "event")
                                .put("index", at)
                                .put("size", reader.checkpoint().size())
                                .put("opened", opened));
            } else {
                System.out.printf(
                        "%s: logged at index %d of a log of %d entries%s%n%s%n",
                        out, at, reader.checkpoint().size(), opened ? ", opened" : "", Evidence.unsaid("event"));
            }
            return 0;
        }

        private long at(LedgerReader reader, SampleId id) {
            List<LedgerReader.Logged> events = reader.history(commitment(reader, id));
            if (events.isEmpty()) {
                throw new VerificationException("the sample " + id + " has no history here");
            }
            long wanted = sequence == null ? events.size() : sequence;
            if (wanted < 1 || wanted > events.size()) {
                throw new VerificationException(
                        "the sample has %d events, none is number %d".formatted(events.size(), wanted));
            }
            return events.get((int) wanted - 1).index();
        }
    }

    /** All events about a subject. */
    @Command(
            name = "history",
            mixinStandardHelpOptions = true,
            description = "All events about a sample or a run, and the proof that these are all.",
            footer = {"", "Example: ascribe ledger history ledger --sample sha256:... --out history.tlog-proof"})
    static final class History implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(names = "--sample", paramLabel = "ID", description = "A sample.")
        private @Nullable String sample;

        @Option(names = "--commitment", paramLabel = "HEX", description = "A commitment.")
        private @Nullable String commitment;

        @Option(names = "--run", paramLabel = "UUID", description = "A run.")
        private @Nullable String run;

        @Option(names = "--out", paramLabel = "FILE", description = "The proof.")
        private @Nullable Path out;

        @Option(names = "--unopened", description = "Do not show which sample it is.")
        private boolean unopened;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            if (Stream.of(sample, commitment, run).filter(Objects::nonNull).count() != 1) {
                throw new UserInputException("give one of --sample ID, --commitment HEX and --run UUID");
            }
            Session session = Session.withoutEngine(spec);
            LedgerReader reader = LedgerReader.open(directory);
            Hash subject;
            try {
                subject = subject(reader);
            } catch (VerificationException e) {
                if (json) {
                    print(session, reader, null, List.of());
                }
                throw e;
            }
            List<LedgerReader.Logged> events = reader.history(subject);
            if (out != null && !events.isEmpty()) {
                write(out, reader.historyProof(subject, sample != null && !unopened));
            }
            if (json) {
                print(session, reader, subject, events);
            } else {
                System.out.print(LedgerStory.tell(subject, events, reader.checkpoint()));
            }
            return events.isEmpty() ? LedgerCommand.FAILED : 0;
        }

        /** The document; its subject is null where an erased sample's commitment is not known any more. */
        private void print(
                Session session, LedgerReader reader, @Nullable Hash subject, List<LedgerReader.Logged> events) {
            ObjectNode fields =
                    LedgerCommand.JSON.createObjectNode().put("subject", subject == null ? null : subject.toString());
            fields.put("sample", sample)
                    .put("count", events.size())
                    .put("size", reader.checkpoint().size());
            ArrayNode array = fields.putArray("events");
            for (LedgerReader.Logged logged : events) {
                array.addObject()
                        .put("index", logged.index())
                        .put(
                                "entry",
                                Base64.getEncoder()
                                        .encodeToString(logged.event().encode()))
                        .set("event", EventJson.write(logged.event()));
            }
            session.print("ledger-history", fields);
        }

        private Hash subject(LedgerReader reader) {
            if (sample != null) {
                return commitment(reader, SampleId.parse(sample));
            }
            if (run != null) {
                return Event.subjectOf(LedgerCommand.run(run));
            }
            try {
                return Hash.ofHex(Objects.requireNonNull(commitment));
            } catch (VerificationException e) {
                throw new UserInputException("--commitment: " + e.getMessage(), e);
            }
        }
    }

    /** The proof that a sample was never used. */
    @Command(
            name = "absent",
            mixinStandardHelpOptions = true,
            description = "Write the proof that no event is about a sample.",
            footer = {"", "Example: ascribe ledger absent ledger --sample sha256:... --out absence.tlog-proof"})
    static final class Absent implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(names = "--sample", required = true, paramLabel = "ID", description = "sha256: and 64 hex digits.")
        @SuppressWarnings("NullAway.Init")
        private String sample;

        @Option(names = "--out", required = true, paramLabel = "FILE", description = "The proof.")
        @SuppressWarnings("NullAway.Init")
        private Path out;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            SampleId id = SampleId.parse(sample);
            LedgerReader reader = LedgerReader.open(directory);
            write(out, reader.absence(id));
            if (json) {
                session.print(
                        "ledger-proof",
                        LedgerCommand.JSON
                                .createObjectNode()
                                .put("kind", "absence")
                                .putNull("index")
                                .put("size", reader.checkpoint().size())
                                .put("opened", true));
            } else {
                System.out.printf(
                        "%s: none of the first %d entries is about this content, provided that the log was kept honestly when it was written%n%s%n",
                        out, reader.checkpoint().size(), Evidence.unsaid("absence"));
            }
            return 0;
        }
    }

    /** The proof that a log only grew. */
    @Command(
            name = "consistency",
            mixinStandardHelpOptions = true,
            description = "The proof between two sizes of the log.",
            footer = {"", "Example: ascribe ledger consistency ledger --from 10 --to 20"})
    static final class Consistency implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(names = "--from", required = true, paramLabel = "N", description = "At least 1.")
        private long from;

        @Option(names = "--to", required = true, paramLabel = "M", description = "At most the log's size.")
        private long to;

        @Option(names = "--out", paramLabel = "FILE", description = "The proof's hashes in base64, one a line.")
        private @Nullable Path out;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            LedgerReader reader = LedgerReader.open(directory);
            long size = reader.checkpoint().size();
            if (from < 1 || to < from || to > size) {
                throw new UserInputException(
                        "--from %d --to %d: sizes must be 1 <= from <= to <= %d".formatted(from, to, size));
            }
            List<String> proof =
                    reader.consistency(from, to).stream().map(Hash::base64).toList();
            String lines = proof.stream().map(line -> line + "\n").collect(Collectors.joining());
            if (out != null) {
                WholeFile.write(out, lines.getBytes(StandardCharsets.UTF_8));
            }
            if (json) {
                ObjectNode fields = LedgerCommand.JSON.createObjectNode();
                fields.put("size1", from).put("size2", to);
                fields.put("root1", reader.root(from).toString())
                        .put("root2", reader.root(to).toString());
                proof.forEach(fields.putArray("proof")::add);
                session.print("ledger-consistency", fields);
            } else {
                System.out.print(lines);
            }
            return 0;
        }
    }

    /** The log in a public format. */
    @Command(
            name = "export",
            mixinStandardHelpOptions = true,
            description = "Write what the log says in a public format; no sample id, salt or content is in it.",
            footer = {"", "Example: ascribe ledger export ledger --format cyclonedx --out bom.json"})
    static final class Export implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(names = "--format", required = true, paramLabel = "NAME", description = "${COMPLETION-CANDIDATES}")
        @SuppressWarnings("NullAway.Init")
        private ExportFormat format;

        @Option(names = "--run", paramLabel = "UUID", description = "Only what is about this run.")
        private @Nullable String run;

        @Option(names = "--out", required = true, paramLabel = "FILE", description = "The document.")
        @SuppressWarnings("NullAway.Init")
        private Path out;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            Optional<UUID> wanted = Optional.ofNullable(run).map(LedgerCommand::run);
            LedgerReader reader = LedgerReader.open(directory);
            Excerpt excerpt = Excerpt.of(reader, wanted);
            WholeFile.write(out, partial -> {
                try (OutputStream to = new BufferedOutputStream(Files.newOutputStream(partial))) {
                    format.export().write(excerpt, to);
                }
            });
            Checkpoint checkpoint = reader.checkpoint();
            if (json) {
                ObjectNode fields = LedgerCommand.JSON.createObjectNode().put("format", format.toString());
                fields.put("run", run).put("origin", checkpoint.origin());
                session.print("ledger-export", fields.setAll(LedgerCommand.json(checkpoint)));
            } else {
                System.out.printf("%s: %s of %s at %d entries%n", out, format, checkpoint.origin(), checkpoint.size());
            }
            return 0;
        }
    }
}
