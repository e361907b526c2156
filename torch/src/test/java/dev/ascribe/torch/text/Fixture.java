package dev.ascribe.torch.text;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Files that the scripts in {@code bench/peers} write. */
final class Fixture {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Fixture() {}

    static JsonNode json(String name) {
        try {
            return JSON.readTree(path(name).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path path(String name) {
        try {
            return Path.of(java.util.Objects.requireNonNull(Fixture.class.getResource(name))
                    .toURI());
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The metadata of gguf.json, which the caller may change. */
    static Map<String, Object> gguf() {
        return new HashMap<>(JSON.convertValue(json("gguf.json"), new TypeReference<Map<String, Object>>() {}));
    }

    static int[] ids(JsonNode array) {
        return JSON.convertValue(array, int[].class);
    }
}
