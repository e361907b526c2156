package dev.ascribe;

import java.nio.file.Path;
import java.util.Map;

/** The user's cache: what may be lost at any time. Native libraries are unpacked there. */
public final class UserCache {
    private UserCache() {}

    /** {@code $XDG_CACHE_HOME/ascribe}, or {@code ~/.cache/ascribe}. */
    public static Path directory() {
        String cache = System.getenv("XDG_CACHE_HOME");
        return cache == null || cache.isEmpty()
                ? Path.of(System.getProperty("user.home", "."), ".cache", "ascribe")
                : Path.of(cache, "ascribe");
    }

    /**
     * Keeps DJL, whose tokenizers are native, off the network and inside the cache; to be called before any class of it is used.
     *
     * <p>DJL takes its settings from system properties (an environment variable of the same name wins) when its first class
     * loads: otherwise it asks a cloud's metadata service where it runs and reports that, and unpacks its library into the home
     * directory. Settings that are there already stay.
     */
    public static void holdNativeLibraries() {
        Path cache = directory();
        Map.of(
                        "ai.djl.offline",
                        "true",
                        "OPT_OUT_TRACKING",
                        "true",
                        "ENGINE_CACHE_DIR",
                        cache.resolve("native").toString(),
                        "DJL_CACHE_DIR",
                        cache.resolve("djl").toString(),
                        "jna.tmpdir",
                        cache.resolve("native").toString())
                .forEach((key, value) -> System.getProperties().putIfAbsent(key, value));
    }
}
