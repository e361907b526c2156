package dev.ascribe.cli;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.UserInputException;
import dev.ascribe.ledger.SignerKey;
import dev.ascribe.ledger.VerifierKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
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
            LedgerWriting.GuardCheck.class,
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

    /** The keys of a file that keygen made. */
    static List<SignerKey> signerKeys(Path file) {
        List<SignerKey> keys = new String(bytes(file), StandardCharsets.UTF_8)
                .lines()
                .map(SignerKey::parse)
                .toList();
        if (keys.isEmpty()) {
            throw new UserInputException(file + " holds no key");
        }
        return keys;
    }

    /** Verifier keys as they were given: as text, or as {@code @FILE}. */
    static List<VerifierKey> verifierKeys(List<String> given) {
        List<VerifierKey> keys = new ArrayList<>();
        for (String key : given) {
            Stream<String> lines = key.startsWith("@")
                    ? new String(bytes(Path.of(key.substring(1))), StandardCharsets.UTF_8).lines()
                    : Stream.of(key);
            for (String line : lines.filter(text -> !text.isBlank()).toList()) {
                keys.add(VerifierKey.parse(line));
            }
        }
        if (keys.isEmpty()) {
            throw new UserInputException("--key names no key");
        }
        return keys;
    }

    /** A checkpoint's size and root, as results show them. */
    static ObjectNode json(dev.ascribe.ledger.Checkpoint checkpoint) {
        return JSON.createObjectNode()
                .put("size", checkpoint.size())
                .put("root", checkpoint.root().toString());
    }
}
