package dev.ascribe.similarity;

import java.nio.file.Path;
import java.util.Map;

/**
 * Keeps DJL, whose tokenizers are native, off the network and inside the user's cache.
 *
 * <p>DJL takes its settings from system properties (an environment variable of the same name wins) when its first class loads:
 * otherwise it asks a cloud's metadata service where it runs and reports that, and unpacks its library into the home directory.
 */
final class OfflineDjl {
    private OfflineDjl() {}

    /** To be called before any class of DJL is used. Settings that are there already stay. */
    static void configure() {
        Path cache = cacheDirectory();
        Map.of(
                        "ai.djl.offline",
                        "true",
                        "OPT_OUT_TRACKING",
                        "true",
                        "ENGINE_CACHE_DIR",
                        cache.resolve("native").toString(),
                        "DJL_CACHE_DIR",
                        cache.resolve("djl").toString())
                .forEach((key, value) -> System.getProperties().putIfAbsent(key, value));
    }

    /** {@code $XDG_CACHE_HOME/ascribe}, or {@code ~/.cache/ascribe}. */
    static Path cacheDirectory() {
        String cache = System.getenv("XDG_CACHE_HOME");
        return cache == null || cache.isEmpty()
                ? Path.of(System.getProperty("user.home", "."), ".cache", "ascribe")
                : Path.of(cache, "ascribe");
    }
}
