package dev.ascribe.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.Digests;
import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import dev.ascribe.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * What retrainings said, a JSON file each, so that an interrupted proof goes on where it was.
 *
 * @param folder made when the first is kept
 * @param type of an answer, as Jackson reads and writes it
 */
public record KeptAnswers<T>(Path folder, Class<T> type) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NAME = 24;

    /**
     * The answer that was kept, or a new one.
     *
     * @param key everything that the answer depends on
     * @throws UserInputException when a kept one is damaged, or a new one cannot be kept
     */
    public T of(String key, Supplier<T> retraining) {
        String digest = Digests.name(Digests.sha256(key.getBytes(StandardCharsets.UTF_8)));
        Path file = folder.resolve(digest.substring("sha256:".length()).substring(0, NAME) + ".json");
        if (Files.exists(file)) {
            try {
                return JSON.readValue(Files.readAllBytes(file), type);
            } catch (IOException e) {
                throw new UserInputException("%s is damaged: %s; remove it".formatted(file, e.getMessage()), e);
            }
        }
        T answer = retraining.get();
        try {
            Files.createDirectories(folder);
            WholeFile.write(file, JSON.writeValueAsBytes(answer));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be written: %s".formatted(file, FileTrouble.of(e)), e);
        }
        return answer;
    }
}
