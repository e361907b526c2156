package dev.ascribe.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.KeyType;
import dev.ascribe.ledger.Ledger;
import dev.ascribe.ledger.LedgerReader;
import dev.ascribe.ledger.SignedNote;
import dev.ascribe.ledger.SignerKey;
import dev.ascribe.ledger.VerifierKey;
import dev.ascribe.ledger.Witness;
import dev.ascribe.ledger.witness.HttpWitness;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Commands that change a ledger. */
final class LedgerWriting {
    private LedgerWriting() {}

    /** Makes signing keys. */
    @Command(
            name = "keygen",
            mixinStandardHelpOptions = true,
            description = "Make an Ed25519 and an ML-DSA-44 signing key; print their verifier keys.",
            footer = {"", "Example: ascribe ledger keygen example.com/log --out keys"})
    static final class Keygen implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "NAME", description = "The name that signatures carry, such as example.com/log.")
        @SuppressWarnings("NullAway.Init")
        private String name;

        @Option(names = "--out", required = true, paramLabel = "FILE", description = "The secret keys; must not exist.")
        @SuppressWarnings("NullAway.Init")
        private Path out;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            List<SignerKey> keys = new ArrayList<>();
            try {
                keys.add(SignerKey.generate(KeyType.ED25519, name));
                keys.add(SignerKey.generate(KeyType.ML_DSA_44_COSIGNATURE, name));
            } catch (VerificationException e) {
                throw new UserInputException("NAME '%s' cannot be a key's: %s".formatted(name, e.getMessage()), e);
            }
            String secret = String.join(
                    "", keys.stream().map(key -> key.secretText() + "\n").toList());
            try {
                Files.createFile(
                        out, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                Files.writeString(out, secret, StandardOpenOption.WRITE);
            } catch (FileAlreadyExistsException e) {
                throw new UserInputException(out + " exists; keys are never overwritten, give another --out", e);
            } catch (IOException e) {
                throw new UserInputException("%s cannot be written: %s".formatted(out, e), e);
            }
            List<String> verifiers =
                    keys.stream().map(key -> key.verifierKey().toString()).toList();
            if (json) {
                ObjectNode fields = LedgerCommand.JSON.createObjectNode().put("name", name);
                verifiers.forEach(fields.putArray("keys")::add);
                session.print("ledger-keys", fields);
            } else {
                verifiers.forEach(System.out::println);
            }
            return 0;
        }
    }

    /** Makes a ledger. */
    @Command(
            name = "init",
            mixinStandardHelpOptions = true,
            description = "Make a ledger; print its verifier keys.",
            footer = {"", "Example: ascribe ledger init ledger --origin example.com/log"})
    static final class Init implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "New or empty.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(
                names = "--origin",
                required = true,
                paramLabel = "NAME",
                description = "The log's name, such as example.com/log.")
        @SuppressWarnings("NullAway.Init")
        private String origin;

        @Option(
                names = "--key",
                paramLabel = "FILE",
                description = "Keys that keygen made under this name. Default: new ones.")
        private @Nullable Path key;

        @Option(
                names = "--guard",
                paramLabel = "FILE",
                description =
                        "Where the last signed checkpoint is kept, outside DIR. Default: in the user's state folder.")
        private @Nullable Path guard;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            List<SignerKey> keys = key == null ? List.of() : LedgerCommand.signerKeys(key);
            dev.ascribe.ledger.Checkpoint checkpoint;
            try {
                checkpoint = Ledger.init(directory, origin, keys, Optional.ofNullable(guard));
            } catch (VerificationException e) {
                throw new UserInputException(
                        "--origin '%s' cannot be a log's name: %s".formatted(origin, e.getMessage()), e);
            }
            LedgerReader made = LedgerReader.open(directory);
            List<String> verifiers =
                    made.verifierKeys().stream().map(VerifierKey::toString).toList();
            if (json) {
                ObjectNode fields = LedgerCommand.JSON.createObjectNode().put("origin", origin);
                verifiers.forEach(fields.putArray("keys")::add);
                fields.put("guard", made.guard().toString());
                fields.set("checkpoint", LedgerCommand.json(checkpoint));
                session.print("ledger-init", fields);
            } else {
                verifiers.forEach(System.out::println);
            }
            return 0;
        }
    }

    /** Logs events. */
    @Command(
            name = "append",
            mixinStandardHelpOptions = true,
            description =
                    "Log events, one JSON object a line; a file is checked whole before its first event is written.",
            footer = {"", "Example: ascribe ledger append ledger --events events.jsonl --ack"})
    static final class Append implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(names = "--events", required = true, paramLabel = "FILE", description = "JSON lines; - for stdin.")
        @SuppressWarnings("NullAway.Init")
        private String events;

        @Option(names = "--ack", description = "Print line and index of each event once it is durable.")
        private boolean ack;

        @Option(
                names = "--batch",
                defaultValue = "256",
                description = "Events a group at most. Default: ${DEFAULT-VALUE}.")
        private int batch;

        @Option(
                names = "--wait",
                defaultValue = "50",
                paramLabel = "MS",
                description = "How long a group of stdin waits for more. Default: ${DEFAULT-VALUE}.")
        private int wait;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() throws IOException {
            if (batch < 1 || wait < 0) {
                throw new UserInputException("--batch must be at least 1 and --wait at least 0");
            }
            if (ack && json) {
                throw new UserInputException("--ack and --json both print to stdout; give one of them");
            }
            Session session = Session.withoutEngine(spec);
            boolean stream = events.equals("-");
            if (!stream && !Files.isReadable(Path.of(events))) {
                throw new UserInputException(events + " cannot be read; give a file of JSON lines, or - for stdin");
            }
            try (Ledger ledger = Ledger.open(directory)) {
                LedgerAppend append = new LedgerAppend(ledger, stream ? "stdin" : events, ack);
                if (stream) {
                    append.stream(System.in, batch, wait);
                } else {
                    append.file(Path.of(events), batch);
                }
                SignedNote note = ledger.publish();
                if (json) {
                    ObjectNode fields = append.summary();
                    fields.set("checkpoint", LedgerCommand.json(dev.ascribe.ledger.Checkpoint.parse(note.text())));
                    session.print("ledger-append", fields);
                } else if (!ack) {
                    System.out.printf(
                            "%d events logged, %d were there already; checkpoint of %d entries%n",
                            append.appended(),
                            append.repeated(),
                            ledger.checkpoint().size());
                }
            }
            return 0;
        }
    }

    /** Publishes a checkpoint. */
    @Command(
            name = "checkpoint",
            mixinStandardHelpOptions = true,
            description = "Publish a checkpoint over everything durable, and print it.",
            footer = {
                "",
                "Example: ascribe ledger checkpoint ledger",
                "Example: ascribe ledger checkpoint ledger --witness http://127.0.0.1:8080 --witness-key @witness-vkeys"
            })
    static final class Checkpoint implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(
                names = "--witness",
                paramLabel = "URL",
                description =
                        "Ask this witness to cosign; one that does not leaves the old checkpoint. May be repeated.")
        private List<String> witnesses = List.of();

        @Option(
                names = "--witness-key",
                paramLabel = "VKEY",
                description = "The witness's verifier key, or @FILE; one for each --witness, in the same order.")
        private List<String> witnessKeys = List.of();

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            if (witnesses.size() != witnessKeys.size()) {
                throw new UserInputException("%d times --witness but %d times --witness-key: each needs the other"
                        .formatted(witnesses.size(), witnessKeys.size()));
            }
            List<Witness> asked = new ArrayList<>();
            for (int i = 0; i < witnesses.size(); i++) {
                asked.add(HttpWitness.at(
                        witnesses.get(i), LedgerCommand.verifierKeys("--witness-key", List.of(witnessKeys.get(i)))));
            }
            try (Ledger ledger = Ledger.open(directory)) {
                SignedNote note = ledger.publish(asked);
                if (json) {
                    dev.ascribe.ledger.Checkpoint checkpoint = dev.ascribe.ledger.Checkpoint.parse(note.text());
                    ObjectNode fields = LedgerCommand.JSON.createObjectNode().put("origin", checkpoint.origin());
                    fields.setAll(LedgerCommand.json(checkpoint));
                    session.print("ledger-checkpoint", fields.put("note", note.toString()));
                } else {
                    System.out.print(note);
                }
            }
            return 0;
        }
    }

    /** Erases a sample. */
    @Command(
            name = "erase",
            mixinStandardHelpOptions = true,
            description = "Log a sample's deletion, then destroy what links it to the log.",
            footer = {"", "Example: ascribe ledger erase ledger --sample sha256:..."})
    static final class Erase implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(names = "--sample", required = true, paramLabel = "ID", description = "sha256: and 64 hex digits.")
        @SuppressWarnings("NullAway.Init")
        private String sample;

        @Option(
                names = "--reason",
                defaultValue = "",
                paramLabel = "TEXT",
                description = "Public: it stays in the log.")
        private String reason = "";

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            SampleId id = SampleId.parse(sample);
            try (Ledger ledger = Ledger.open(directory)) {
                long index = ledger.erase(id, reason, System.currentTimeMillis());
                LedgerReader reader = LedgerReader.open(directory);
                String commitment = reader.event(index).subject().toString();
                if (json) {
                    ObjectNode fields = LedgerCommand.JSON
                            .createObjectNode()
                            .put("index", index)
                            .put("commitment", commitment);
                    fields.set("checkpoint", LedgerCommand.json(reader.checkpoint()));
                    session.print("ledger-erase", fields);
                } else {
                    System.out.printf(
                            "deletion logged at index %d; nothing here links the sample to %s any more%n",
                            index, commitment);
                }
            }
            return 0;
        }
    }

    /** Shows the guard. */
    @Command(
            name = "guard",
            mixinStandardHelpOptions = true,
            description = "Show the guard's checkpoint, and whether the ledger extends it.",
            footer = {"", "Example: ascribe ledger guard ledger"})
    static final class GuardCheck implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "DIR", description = "The ledger.")
        @SuppressWarnings("NullAway.Init")
        private Path directory;

        @Option(names = "--reset", description = "Accept the ledger as it is; to be used after asking the witnesses.")
        private boolean reset;

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        @Override
        public Integer call() {
            Session session = Session.withoutEngine(spec);
            dev.ascribe.ledger.Checkpoint guard = reset ? Ledger.resetGuard(directory) : Ledger.guard(directory);
            if (json) {
                ObjectNode fields = LedgerCommand.JSON.createObjectNode().put("origin", guard.origin());
                fields.setAll(LedgerCommand.json(guard));
                session.print("ledger-guard", fields);
            } else {
                System.out.printf(
                        "%s: checkpoint of %d entries, root %s; the ledger extends it%n",
                        guard.origin(), guard.size(), guard.root());
            }
            return 0;
        }
    }
}
