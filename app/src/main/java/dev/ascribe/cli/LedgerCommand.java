package dev.ascribe.cli;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.SignerKey;
import dev.ascribe.ledger.VerifierKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import picocli.CommandLine.Command;

/** The ledger: evidence of what happened to each sample. */
@Command(
        name = "ledger",
        mixinStandardHelpOptions = true,
        description = "Evidence of what happened to each sample, that a stranger can verify.",
        subcommands = {
            LedgerWriting.Keygen.class,
            LedgerWriting.Init.class,
            LedgerWriting.Append.class,
            LedgerWriting.Checkpoint.class,
            LedgerReading.Prove.class,
            LedgerReading.History.class,
            LedgerReading.Absent.class,
            LedgerWriting.Erase.class,
            LedgerVerifying.Verify.class,
            LedgerReading.Consistency.class,
            LedgerReading.Export.class,
            LedgerWriting.GuardCheck.class,
            LedgerWitness.class,
            LedgerVerifying.VerifyVector.class
        },
        footer = {"", "Example: ascribe ledger init ledger --origin example.com/log"})
final class LedgerCommand {
    static final int FAILED = 1;

    static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private LedgerCommand() {}

    static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be read: %s".formatted(file, e), e);
        }
    }

    /**
     * Verifier keys as they were given: as text, or as {@code @FILE}.
     *
     * @param option to be named when something is wrong
     */
    static List<VerifierKey> verifierKeys(String option, List<String> given) {
        List<VerifierKey> keys = new ArrayList<>();
        for (String key : given) {
            boolean file = key.startsWith("@");
            List<String> lines = file ? lines(Path.of(key.substring(1))) : List.of(key);
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).isBlank()) {
                    continue;
                }
                try {
                    keys.add(VerifierKey.parse(lines.get(i)));
                } catch (UserInputException e) {
                    String where = file ? "%s, line %d".formatted(key.substring(1), i + 1) : option;
                    throw new UserInputException(where + ": " + e.getMessage(), e);
                }
            }
        }
        if (keys.isEmpty()) {
            throw new UserInputException(option + " names no key");
        }
        return keys;
    }

    /** Signer keys of a file, one a line. */
    static List<SignerKey> signerKeys(Path file) {
        List<SignerKey> keys = new ArrayList<>();
        List<String> lines = lines(file);
        for (int i = 0; i < lines.size(); i++) {
            try {
                keys.add(SignerKey.parse(lines.get(i)));
            } catch (UserInputException e) {
                throw new UserInputException("%s, line %d: %s".formatted(file, i + 1, e.getMessage()), e);
            }
        }
        if (keys.isEmpty()) {
            throw new UserInputException(file + " holds no key");
        }
        return keys;
    }

    private static List<String> lines(Path file) {
        return new String(bytes(file), StandardCharsets.UTF_8).lines().toList();
    }

    /** A run's id as it was given on the command line. */
    static UUID run(String text) {
        try {
            UUID run = EventJson.run(text);
            if (run.equals(Event.NO_RUN)) {
                throw new VerificationException("the id of all zeros stands for no run");
            }
            return run;
        } catch (VerificationException e) {
            throw new UserInputException("--run: " + e.getMessage(), e);
        }
    }

    /** A checkpoint's size and root, as results show them. */
    static ObjectNode json(dev.ascribe.ledger.Checkpoint checkpoint) {
        return JSON.createObjectNode()
                .put("size", checkpoint.size())
                .put("root", checkpoint.root().toString());
    }
}
