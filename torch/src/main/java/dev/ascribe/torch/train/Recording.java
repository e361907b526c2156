package dev.ascribe.torch.train;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.CorruptDataException;
import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import dev.ascribe.WholeFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Under which name a run is recorded, and where. Kept in {@code .recording.json} until {@code run.json} has it.
 *
 * @param run its name in the ledger
 * @param ledger the ledger's first verifier key
 */
public record Recording(UUID run, String ledger) {
    private static final String FILE = ".recording.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    public Recording {
        if (run == null || ledger == null) {
            throw new IllegalArgumentException("'recording' needs 'run' and 'ledger'");
        }
    }

    /** The recording of a run that is finished or was begun. */
    public static Optional<Recording> of(Path directory) {
        if (Files.exists(directory.resolve("run.json"))) {
            return Optional.ofNullable(Run.open(directory).recording());
        }
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readValue(Files.readAllBytes(file), Recording.class));
        } catch (JacksonException e) {
            throw new CorruptDataException(
                    "%s is damaged: %s; remove %s to start again".formatted(file, e.getOriginalMessage(), directory),
                    e);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be read: %s".formatted(file, FileTrouble.of(e)), e);
        }
    }

    /**
     * Refuses to go on where steps would be missing in a ledger, else remembers the recording.
     *
     * @param begun whether steps may have been made already
     */
    static void begin(Path directory, @Nullable Recording now, boolean begun) {
        Optional<Recording> before = of(directory);
        if (before.isPresent() && now == null) {
            throw new UserInputException(
                    "%s was begun with --ledger (%s); give it again, so that no step is missing there"
                            .formatted(directory, before.get().ledger()));
        }
        if (now == null) {
            return;
        }
        requireSame(directory, before, now, begun);
        if (before.isEmpty()) {
            try {
                WholeFile.write(directory.resolve(FILE), JSON.writeValueAsBytes(now));
            } catch (JacksonException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Refuses a ledger that is not the one that has the beginning of a run. */
    static void requireSame(Path directory, Optional<Recording> before, Recording now, boolean begun) {
        if (before.isPresent() && !before.get().equals(now)) {
            throw new UserInputException(
                    "%s is recorded in the ledger of %s, not in that of %s; give that --ledger, or another --out"
                            .formatted(directory, before.get().ledger(), now.ledger()));
        }
        if (before.isEmpty() && begun) {
            throw new UserInputException(
                    "%s was begun without --ledger: its first steps cannot be recorded any more; leave --ledger out, or give another --out"
                            .formatted(directory));
        }
    }

    /** Removes the file when {@code run.json} has it. */
    static void forget(Path directory) {
        try {
            Files.deleteIfExists(directory.resolve(FILE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
