package dev.ascribe.torch.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.WholeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;

/** How fast a run trained: beside {@code run.json}, because the same seed gives the same run but not the same time. */
public final class Timing {
    private static final String FILE = "timing.json";

    private Timing() {}

    static void write(Path run, long tokens, double seconds) {
        try {
            WholeFile.write(
                    run.resolve(FILE),
                    new ObjectMapper().writeValueAsBytes(Map.of("tokens", tokens, "seconds", seconds)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Tokens a second when a run was made; empty where that is not known. */
    public static OptionalDouble tokensPerSecond(Path run) {
        try {
            JsonNode json = new ObjectMapper().readTree(Files.readAllBytes(run.resolve(FILE)));
            double seconds = json.path("seconds").asDouble();
            double tokens = json.path("tokens").asDouble();
            return seconds > 0 && tokens > 0 ? OptionalDouble.of(tokens / seconds) : OptionalDouble.empty();
        } catch (IOException e) {
            return OptionalDouble.empty(); // an estimate is a courtesy, never a reason to fail
        }
    }
}
