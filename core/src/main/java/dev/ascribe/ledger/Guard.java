package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The last signed checkpoint in a second place, which a restored backup does not roll back: a ledger that is older than it, or forks
 * from it, must not sign anything.
 */
record Guard(Path file) {
    /** Where the guard of a ledger lies if nobody says otherwise. */
    static Path standard(VerifierKey first) {
        String state = System.getenv("XDG_STATE_HOME");
        Path home = state == null || state.isEmpty()
                ? Path.of(System.getProperty("user.home", "."), ".local", "state")
                : Path.of(state);
        String name =
                Hash.sha256(first.toString().getBytes(StandardCharsets.UTF_8)).toString();
        return home.resolve("ascribe").resolve("ledgers").resolve(name.substring(0, 16));
    }

    /** The checkpoint in it. */
    Checkpoint read(List<VerifierKey> keys) throws IOException {
        if (!Files.exists(file)) {
            throw new LedgerUnavailableException(
                    "guard missing: %s; if the witnesses know of no newer checkpoint, accept the ledger as it is by: ascribe ledger guard DIR --reset"
                            .formatted(file));
        }
        return Checkpoint.open(SignedNote.parse(Files.readAllBytes(file)), keys);
    }

    /** Replaces it, durably. */
    void write(SignedNote note) throws IOException {
        Path folder = Durable.folderOf(file);
        Files.createDirectories(folder);
        Durable.write(folder.resolve("." + file.getFileName() + ".partial"), file, note.bytes());
    }

    /** Refuses a ledger that has fewer entries than the guard says. */
    static void requireSize(Checkpoint guard, long durable) {
        if (durable < guard.size()) {
            throw new LedgerUnavailableException(
                    "rolled back: the ledger has %d entries, but a checkpoint of %d was signed; put back the newest copy"
                            .formatted(durable, guard.size()));
        }
    }

    /** Refuses a ledger that had another root at the guard's size. */
    static void requireRoot(Checkpoint guard, Hash root, long durable) {
        if (!root.equals(guard.root())) {
            throw new LedgerUnavailableException(
                    "forked: the ledger of %d entries has another root at size %d than the checkpoint that was signed; put back the copy that goes with it"
                            .formatted(durable, guard.size()));
        }
    }
}
