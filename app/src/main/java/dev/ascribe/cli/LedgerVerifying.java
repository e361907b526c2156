package dev.ascribe.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Evidence;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.LogAudit;
import dev.ascribe.ledger.SignedNote;
import dev.ascribe.ledger.TlogProof;
import dev.ascribe.ledger.VerifierKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Commands that check evidence, and need nothing but the verifier keys. */
final class LedgerVerifying {
    private LedgerVerifying() {}

    /** Verifies a proof, a checkpoint, any signed note, or a whole log. */
    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            description = "Verify a proof, a checkpoint or any signed note; with --tiles a whole log.",
            footer = {
                "",
                "Example: ascribe ledger verify proof.tlog-proof --key @vkeys --sample sha256:...",
                "Example: ascribe ledger verify --tiles ledger --key @vkeys --earlier checkpoint"
            })
    static final class Verify implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(arity = "0..1", paramLabel = "FILE", description = "Told by its content.")
        private @Nullable Path file;

        @Option(
                names = "--key",
                required = true,
                paramLabel = "VKEY",
                description = "A verifier key, or @FILE with one a line. Every key must have signed.")
        private List<String> keys = List.of();

        @Option(
                names = "--sample",
                paramLabel = "ID",
                description = "The proof must be about this sample, and show it.")
        private @Nullable String sample;

        @Option(
                names = "--entry",
                paramLabel = "FILE",
                description = "The proof's entry must have exactly these bytes.")
        private @Nullable Path entry;

        @Option(names = "--origin", paramLabel = "NAME", description = "The log's name must be this.")
        private @Nullable String origin;

        @Option(names = "--tiles", paramLabel = "DIR", description = "Replay the whole log of a ledger or folder.")
        private @Nullable Path tiles;

        @Option(names = "--earlier", paramLabel = "CHECKPOINT", description = "The log must extend this checkpoint.")
        private List<Path> earlier = List.of();

        @Option(names = "--opaque", description = "Entries are arbitrary bytes: any log of tlog-tiles.")
        private boolean opaque;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            if ((file == null) == (tiles == null)) {
                throw new UserInputException("give either FILE, or --tiles DIR");
            }
            if (tiles != null && (sample != null || entry != null)) {
                throw new UserInputException("--sample and --entry are about a proof, not about a whole log");
            }
            if (file != null && (opaque || !earlier.isEmpty())) {
                throw new UserInputException("--earlier and --opaque are about a whole log: give --tiles DIR");
            }
            Session session = Session.withoutEngine(spec);
            List<VerifierKey> verifiers = LedgerCommand.verifierKeys("--key", keys);
            SampleId wanted = sample == null ? null : SampleId.parse(sample);
            ObjectNode result = LedgerCommand.JSON.createObjectNode();
            result.put("verdict", "holds").put("kind", "note").put("reason", "");
            for (String name : List.of("origin", "size", "root", "index", "sample", "subject")) {
                result.putNull(name);
            }
            result.putArray("events");
            String words = "";
            try {
                words = tiles != null ? log(tiles, verifiers, result) : file(file(), verifiers, wanted, result);
            } catch (VerificationException e) {
                result.put("verdict", "fails").put("reason", e.getMessage());
            }
            boolean holds = result.get("verdict").asText().equals("holds");
            if (json) {
                session.print("ledger-verify", result);
            } else if (holds) {
                System.out.println("holds: " + words);
                System.out.println(Evidence.unsaid(result.get("kind").asText()));
            } else {
                System.out.println("fails: " + result.get("reason").asText());
            }
            return holds ? 0 : LedgerCommand.FAILED;
        }

        private Path file() {
            if (file == null) {
                throw new IllegalStateException("checked before");
            }
            return file;
        }

        private String log(Path directory, List<VerifierKey> verifiers, ObjectNode result) {
            result.put("kind", "log");
            List<SignedNote> notes = earlier.stream()
                    .map(path -> SignedNote.parse(LedgerCommand.bytes(path)))
                    .toList();
            if (!Files.isDirectory(directory)) {
                throw new UserInputException(
                        directory + " is no folder; give a ledger, or a folder with checkpoint and tile/");
            }
            try {
                LogAudit audit = LogAudit.of(directory, verifiers, notes, opaque, new Console());
                put(result, audit.checkpoint());
                result.put("entries", audit.entries())
                        .put("subjects", audit.subjects())
                        .put("maps", audit.maps());
                String events = opaque
                        ? ""
                        : String.format(Locale.ROOT, ", %,d subjects, %,d map roots", audit.subjects(), audit.maps());
                return String.format(
                        Locale.ROOT,
                        "all %,d entries of %s%s, every tile",
                        audit.entries(),
                        audit.checkpoint().origin(),
                        events);
            } catch (IOException e) {
                throw new UserInputException("%s cannot be read: %s".formatted(directory, e), e);
            }
        }

        private String file(Path path, List<VerifierKey> verifiers, @Nullable SampleId wanted, ObjectNode result) {
            byte[] bytes = LedgerCommand.bytes(path);
            String text = new String(bytes, StandardCharsets.UTF_8);
            if (!TlogProof.recognises(text)) {
                return note(bytes, verifiers, wanted, result);
            }
            result.put("kind", "event");
            TlogProof proof = TlogProof.parse(text);
            if (proof.extra().isEmpty()) {
                if (entry == null || wanted != null) {
                    throw new VerificationException("the proof does not hold its entry: give its bytes by --entry");
                }
                Checkpoint checkpoint = Evidence.ofLeaf(proof, verifiers, Hash.leaf(LedgerCommand.bytes(entry)));
                put(result, checkpoint);
                result.put("index", proof.index());
                return "logged at index %d of a log of %d entries".formatted(proof.index(), checkpoint.size());
            }
            result.put("kind", proof.extra().get().kind());
            Evidence evidence = Evidence.of(proof, verifiers);
            put(result, evidence.checkpoint());
            evidence.index().ifPresent(index -> result.put("index", index));
            evidence.sample().ifPresent(id -> result.put("sample", id.toString()));
            evidence.subject().ifPresent(subject -> result.put("subject", subject.toString()));
            ArrayNode events = result.putArray("events");
            evidence.events().forEach(event -> events.add(EventJson.write(event)));
            if (wanted != null && !evidence.sample().equals(Optional.of(wanted))) {
                throw new VerificationException(
                        evidence.sample().isEmpty()
                                ? "the proof does not show which sample it is about"
                                : "the proof is about the sample "
                                        + evidence.sample().get());
            }
            if (entry != null && !evidence.kind().equals("event")) {
                throw new VerificationException("the proof is of a " + evidence.kind() + ", not of one entry");
            }
            if (entry != null && !Arrays.equals(evidence.events().getFirst().encode(), LedgerCommand.bytes(entry))) {
                throw new VerificationException("the proof's entry has other bytes");
            }
            return evidence.words();
        }

        private String note(byte[] bytes, List<VerifierKey> verifiers, @Nullable SampleId wanted, ObjectNode result) {
            SignedNote note = SignedNote.parse(bytes);
            note.verify(verifiers);
            if (wanted != null || entry != null) {
                throw new VerificationException("this is a signed note, no proof about a sample or an entry");
            }
            Checkpoint checkpoint;
            try {
                checkpoint = Checkpoint.parse(note.text());
            } catch (VerificationException e) {
                if (origin != null) {
                    throw new VerificationException("the note names no origin: it is no checkpoint", e);
                }
                return "a signed note";
            }
            result.put("kind", "checkpoint");
            put(result, checkpoint);
            return "checkpoint of %s with %d entries".formatted(checkpoint.origin(), checkpoint.size());
        }

        private void put(ObjectNode result, Checkpoint checkpoint) {
            result.put("origin", checkpoint.origin());
            result.put("size", checkpoint.size());
            result.put("root", checkpoint.root().toString());
            if (origin != null && !origin.equals(checkpoint.origin())) {
                throw new VerificationException("the log is '%s', not '%s'".formatted(checkpoint.origin(), origin));
            }
        }
    }

    /** Judges test vectors. */
    @Command(
            name = "verify-vector",
            mixinStandardHelpOptions = true,
            description = "Judge test vectors of proofs, events, maps and notes.",
            footer = {"", "Example: ascribe ledger verify-vector vectors/ --json"})
    static final class VerifyVector implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(
                arity = "1..*",
                paramLabel = "PATH",
                description = "A JSON file with one or many, or a folder of them.")
        private List<Path> paths = List.of();

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            ObjectNode fields = LedgerCommand.JSON.createObjectNode();
            ArrayNode results = fields.putArray("results");
            for (Path path : paths) {
                for (Path file : files(path)) {
                    judge(file, results);
                }
            }
            if (json) {
                session.print("ledger-vectors", fields);
            } else {
                for (JsonNode result : results) {
                    System.out.printf(
                            "%s %s %s %s%n",
                            result.get("verdict").asText(),
                            result.get("file").asText(),
                            result.get("position").asText(),
                            result.get("reason").asText());
                }
            }
            return 0;
        }

        private static List<Path> files(Path path) {
            if (!Files.isDirectory(path)) {
                return List.of(path);
            }
            try (Stream<Path> walk = Files.walk(path)) {
                return walk.filter(file -> file.toString().endsWith(".json"))
                        .sorted()
                        .toList();
            } catch (IOException e) {
                throw new UserInputException("%s cannot be read: %s".formatted(path, e), e);
            }
        }

        private static void judge(Path file, ArrayNode results) {
            JsonNode tree;
            try {
                tree = LedgerCommand.JSON.readTree(LedgerCommand.bytes(file));
            } catch (JacksonException e) {
                throw new UserInputException("%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
            } catch (IOException e) {
                throw new UserInputException("%s cannot be read: %s".formatted(file, e), e);
            }
            List<JsonNode> vectors = new ArrayList<>();
            if (tree.isArray()) {
                tree.forEach(vectors::add);
            } else {
                vectors.add(tree);
            }
            for (int i = 0; i < vectors.size(); i++) {
                ObjectNode result = LedgerCommand.JSON
                        .createObjectNode()
                        .put("file", file.toString())
                        .put("position", i);
                result.setAll(LedgerVectors.judge(vectors.get(i), "%s, vector %d".formatted(file, i)));
                results.add(result);
            }
        }
    }
}
