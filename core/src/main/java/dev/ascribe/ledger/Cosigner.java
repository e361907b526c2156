package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A small witness (C2SP tlog-witness): it cosigns a log's checkpoint if that extends the last one it cosigned, and remembers it durably
 * before it answers. Safe for use by several threads; a second process with the same state is
 * refused, because two of them could cosign two histories.
 *
 * <pre>
 * state = for each log: origin SP size SP base64(root) LF
 * </pre>
 */
public final class Cosigner implements AutoCloseable {
    private final List<SignerKey> keys;
    private final Map<String, List<VerifierKey>> logs;
    private final Path state;
    private final FileChannel lock;
    private final Map<String, Checkpoint> witnessed;

    /** An answer as HTTP carries it. */
    public record Answer(int status, String type, String body) {
        private static final String TEXT = "text/plain; charset=utf-8";

        static Answer cosigned(String lines) {
            return new Answer(200, TEXT, lines);
        }

        static Answer otherSize(long size) {
            return new Answer(409, "text/x.tlog.size", size + "\n");
        }

        /** Says no, and why. */
        public static Answer refused(int status, String reason) {
            return new Answer(status, TEXT, reason + "\n");
        }
    }

    private Cosigner(
            List<SignerKey> keys,
            Map<String, List<VerifierKey>> logs,
            Path state,
            FileChannel lock,
            Map<String, Checkpoint> witnessed) {
        this.keys = keys;
        this.logs = logs;
        this.state = state;
        this.lock = lock;
        this.witnessed = witnessed;
    }

    /**
     * Opens a witness.
     *
     * @param keys to cosign with; those that make no cosignatures are left out
     * @param logs keys of the logs that are witnessed; a key's name is its log's origin
     * @param state a file; made with the first cosignature. A lock file lies beside it
     * @throws LedgerUnavailableException when another witness uses the state, or it cannot be read
     */
    public static Cosigner open(List<SignerKey> keys, List<VerifierKey> logs, Path state) {
        List<SignerKey> cosigning = keys.stream()
                .filter(key -> key.verifierKey().type().isCosignature())
                .toList();
        if (cosigning.isEmpty()) {
            throw new UserInputException("none of the keys makes cosignatures: give one of ledger keygen's files");
        }
        FileChannel lock = lock(state);
        try {
            return new Cosigner(
                    cosigning,
                    logs.stream().collect(Collectors.groupingBy(VerifierKey::name)),
                    state,
                    lock,
                    read(state));
        } catch (RuntimeException e) {
            Opening.release(lock);
            throw e;
        }
    }

    private static FileChannel lock(Path state) {
        try {
            return Opening.lock(state.resolveSibling("." + state.getFileName() + ".lock"), state);
        } catch (IOException e) {
            throw new LedgerUnavailableException("the witness's state %s cannot be written: %s".formatted(state, e), e);
        }
    }

    /** Lets go of the state. */
    @Override
    public void close() {
        Opening.release(lock);
    }

    private static Map<String, Checkpoint> read(Path state) {
        Map<String, Checkpoint> witnessed = new TreeMap<>();
        try {
            if (Files.exists(state)) {
                for (String line : Files.readString(state).lines().toList()) {
                    List<String> parts = List.of(line.split(" ", -1));
                    if (parts.size() != 3) {
                        throw new VerificationException("'" + Canonical.shortened(line) + "' is no log's state");
                    }
                    witnessed.put(
                            parts.get(0),
                            new Checkpoint(
                                    parts.get(0), Canonical.decimal(parts.get(1)), Canonical.hash(parts.get(2))));
                }
            }
            return witnessed;
        } catch (IOException | VerificationException e) {
            throw new LedgerUnavailableException(
                    "the witness's state %s cannot be read: %s; put back the newest copy"
                            .formatted(state, e.getMessage()),
                    e);
        }
    }

    /** The public halves of the keys that cosign. */
    public List<VerifierKey> verifierKeys() {
        return keys.stream().map(SignerKey::verifierKey).toList();
    }

    /**
     * Answers a request.
     *
     * @param body an {@link AddCheckpoint}
     * @param time seconds since 1970, at least 1
     */
    public synchronized Answer add(byte[] body, long time) throws IOException {
        AddCheckpoint request;
        try {
            request = AddCheckpoint.parse(body);
        } catch (VerificationException e) {
            return Answer.refused(400, e.getMessage());
        }
        Checkpoint checkpoint = request.checkpoint();
        List<VerifierKey> known = logs.getOrDefault(checkpoint.origin(), List.of());
        if (known.isEmpty()) {
            return Answer.refused(404, "the log is not known here");
        }
        if (known.stream().noneMatch(key -> hasSigned(key, request.note()))) {
            return Answer.refused(403, "no good signature of the log");
        }
        Checkpoint before =
                witnessed.getOrDefault(checkpoint.origin(), new Checkpoint(checkpoint.origin(), 0, Hash.ofNothing()));
        if (request.old() != before.size()) {
            return Answer.otherSize(before.size());
        }
        try {
            requireExtends(before, checkpoint, request.proof());
        } catch (VerificationException e) {
            return Answer.refused(422, e.getMessage());
        }
        keep(checkpoint);
        return Answer.cosigned(keys.stream()
                .map(key -> key.sign(request.note().text(), time).toString())
                .collect(Collectors.joining()));
    }

    private static boolean hasSigned(VerifierKey key, SignedNote note) {
        try {
            key.verify(note);
            return true;
        } catch (VerificationException e) {
            return false;
        }
    }

    private static void requireExtends(Checkpoint before, Checkpoint checkpoint, List<Hash> proof) {
        if (before.size() > 0) {
            Merkle.verifyConsistency(before.size(), checkpoint.size(), before.root(), checkpoint.root(), proof);
        } else if (!proof.isEmpty()) {
            throw new VerificationException("a proof from size 0 must be empty");
        }
    }

    private void keep(Checkpoint checkpoint) throws IOException {
        Map<String, Checkpoint> all = new TreeMap<>(witnessed);
        all.put(checkpoint.origin(), checkpoint);
        String lines = all.values().stream()
                .map(one -> one.origin() + " " + one.size() + " " + one.root().base64() + "\n")
                .collect(Collectors.joining());
        Durable.write(
                state.resolveSibling("." + state.getFileName() + ".partial"),
                state,
                lines.getBytes(StandardCharsets.UTF_8));
        witnessed.put(checkpoint.origin(), checkpoint);
    }
}
