package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where things lie in a ledger's directory.
 *
 * <pre>
 * log/                 public: checkpoint and tile/, nothing else
 * private/keys         signer keys, one a line, and their SHA-256
 * private/guard        where the guard lies, and its SHA-256
 * private/buckets      bucket keys
 * private/samples      ids and salts
 * private/sequences    indexes of events that were appended with a sequence number
 * private/wal-N        write-ahead log
 * private/counts       how much the three above held
 * private/lock         held by whoever writes
 * private/subjects     8 bytes of each entry's subject, to find histories; made from the log
 * private/map          snapshot of the prefix map; made from the log
 * private/tmp/         unfinished files
 * </pre>
 */
record LedgerFolder(Path directory) {
    Path log() {
        return directory.resolve("log");
    }

    Path inside() {
        return directory.resolve("private");
    }

    Path temporary() {
        return inside().resolve("tmp");
    }

    Path keysFile() {
        return inside().resolve("keys");
    }

    Path guardFile() {
        return inside().resolve("guard");
    }

    Path map() {
        return inside().resolve("map");
    }

    Path subjects() {
        return inside().resolve("subjects");
    }

    Path lock() {
        return inside().resolve("lock");
    }

    Path checkpoint() {
        return log().resolve("checkpoint");
    }

    /** Makes the folders of a new ledger. */
    void create() throws IOException {
        if (Files.exists(directory) && !Files.isDirectory(directory)) {
            throw new UserInputException(directory + " is a file; give a new folder");
        }
        if (Files.exists(directory)) {
            try (Stream<Path> entries = Files.list(directory)) {
                if (entries.findAny().isPresent()) {
                    throw new UserInputException(directory + " is not empty; give a new folder");
                }
            }
        }
        Files.createDirectories(log());
        Files.createDirectory(
                inside(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectory(temporary());
    }

    /** Refuses what is no ledger. */
    void requireLedger() {
        if (!Files.isRegularFile(checkpoint()) || !Files.isDirectory(inside())) {
            throw new UserInputException(directory + " is no ledger; make one by: ascribe ledger init " + directory);
        }
    }

    /** The published checkpoint's note. */
    SignedNote note() throws IOException {
        return SignedNote.parse(Files.readAllBytes(checkpoint()));
    }

    /** The keys, and that the file is as it was written: each has its key ID, and none is missing. */
    List<SignerKey> keys() throws IOException {
        try {
            return lines(keysFile()).stream().map(SignerKey::parse).toList();
        } catch (UserInputException | VerificationException e) {
            throw damaged(keysFile());
        }
    }

    /** Where the guard lies. */
    Path guard() throws IOException {
        return Path.of(lines(guardFile()).getFirst());
    }

    /** Remembers where the guard lies. */
    void keepGuard(Path guard) throws IOException {
        String line = guard.toAbsolutePath().normalize().toString();
        Durable.write(temporary().resolve("guard"), guardFile(), checked(List.of(line)));
    }

    /** Lines, and below them their SHA-256. */
    static byte[] checked(List<String> lines) {
        String text = String.join("\n", lines) + "\n";
        return (text + Hash.sha256(text.getBytes(StandardCharsets.UTF_8)) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** What {@link #checked} wrote. */
    private static List<String> lines(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        List<String> all = new String(bytes, StandardCharsets.UTF_8).lines().toList();
        List<String> lines = all.subList(0, Math.max(0, all.size() - 1));
        if (lines.isEmpty() || !Arrays.equals(bytes, checked(lines))) {
            throw damaged(file);
        }
        return lines;
    }

    private static LedgerUnavailableException damaged(Path file) {
        return new LedgerUnavailableException(file + " is damaged; put back an undamaged copy");
    }

    /** Removes what a crash left unfinished. */
    void clearTemporary() throws IOException {
        Files.createDirectories(temporary());
        try (Stream<Path> walk = Files.walk(temporary())) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                if (!path.equals(temporary())) {
                    Files.delete(path);
                }
            }
        }
    }
}
