package dev.ascribe.cli;

import dev.ascribe.UserCache;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.gradient.GradientScores;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** Temporary directories in the user's cache, named after this process: what a killed one left is removed by the next. */
final class Scratch {
    private static final String PREFIX = "gradients-";
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    private Scratch() {}

    /** A new directory. */
    static Path create() {
        Path cache = UserCache.directory();
        try {
            Files.createDirectories(cache);
            for (Path left : leftBehind(cache)) {
                GradientScores.delete(left);
            }
            Path created = Files.createTempDirectory(
                    cache, PREFIX + ProcessHandle.current().pid() + "-");
            OPEN.add(created);
            return created;
        } catch (IOException e) {
            throw new UserInputException("%s cannot be used: %s; set XDG_CACHE_HOME".formatted(cache, e), e);
        }
    }

    private static List<Path> leftBehind(Path cache) throws IOException {
        try (Stream<Path> entries = Files.list(cache)) {
            return entries.filter(entry -> {
                        String[] name = entry.getFileName().toString().split("-", 3);
                        return (name[0] + "-").equals(PREFIX)
                                && name.length == 3
                                && name[1].matches("[0-9]{1,18}")
                                && ProcessHandle.of(Long.parseLong(name[1])).isEmpty();
                    })
                    .toList();
        }
    }

    /** Removes one and all in it. */
    static void remove(Path directory) {
        GradientScores.delete(directory);
        OPEN.remove(directory);
    }

    /** Removes all of this process. */
    static void removeAll() {
        OPEN.forEach(GradientScores::delete);
    }
}
