package dev.ascribe.torch.text;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.ascribe.CorruptDataException;
import dev.ascribe.EngineUnavailableException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The native tokenizer library, which DJL unpacks into a cache directory on first use.
 *
 * <p>DJL reads its settings from system properties (an environment variable of the same name wins), so they are set
 * here before its first class loads: no network, no telemetry, and the cache under the user's cache directory.
 */
final class NativeTokenizers {
    /** From the tokenizer's own defaults: rows are cut by us, never padded or cut by the library. */
    private static final Map<String, String> NO_CUT_NO_PAD = Map.of("truncation", "false", "padding", "false");

    private NativeTokenizers() {}

    /** Makes a native tokenizer from the bytes of a {@code tokenizer.json}; {@code source} is named in errors. */
    static HuggingFaceTokenizer create(byte[] json, String source) {
        configure();
        try {
            return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), NO_CUT_NO_PAD);
        } catch (UnsatisfiedLinkError | ExceptionInInitializerError | NoClassDefFoundError | EngineException e) {
            throw new EngineUnavailableException(
                    "The native tokenizer library could not be loaded: %s. It is unpacked into %s, which must be writable and allow execution."
                            .formatted(e.getMessage(), System.getProperty("ENGINE_CACHE_DIR")),
                    e);
        } catch (IOException | RuntimeException e) {
            throw new CorruptDataException("%s is not a valid tokenizer: %s".formatted(source, e.getMessage()), e);
        }
    }

    private static void configure() {
        setIfAbsent("ai.djl.offline", "true");
        setIfAbsent("OPT_OUT_TRACKING", "true");
        setIfAbsent("ENGINE_CACHE_DIR", cacheDirectory().resolve("native").toString());
        setIfAbsent("DJL_CACHE_DIR", cacheDirectory().resolve("djl").toString());
    }

    /** {@code $XDG_CACHE_HOME/ascribe}, or {@code ~/.cache/ascribe}. */
    private static Path cacheDirectory() {
        String cache = System.getenv("XDG_CACHE_HOME");
        return cache == null || cache.isEmpty()
                ? Path.of(System.getProperty("user.home", "."), ".cache", "ascribe")
                : Path.of(cache, "ascribe");
    }

    private static void setIfAbsent(String key, String value) {
        if (System.getProperty(key) == null) {
            System.setProperty(key, value);
        }
    }
}
