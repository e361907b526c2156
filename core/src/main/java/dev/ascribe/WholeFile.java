package dev.ascribe;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Files that are there in full or not at all. */
public final class WholeFile {
    private WholeFile() {}

    /** Puts bytes into a file. */
    @FunctionalInterface
    public interface Filler {
        void fill(Path file) throws IOException;
    }

    /**
     * Writes a file, with the directories above it; whoever reads it sees the old bytes or the new ones. After a failure nothing
     * is left of the new ones.
     *
     * @throws UserInputException when the disk is full, or there is no permission
     */
    public static void write(Path file, Filler filler) {
        Path target = file.toAbsolutePath();
        Path partial = target.resolveSibling("." + target.getFileName() + ".partial");
        try {
            Files.createDirectories(target.getParent());
            try {
                filler.fill(partial);
                Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException e) {
            throw new UserInputException(
                    "%s cannot be written: %s; check space and permission".formatted(file, FileTrouble.of(e)), e);
        }
    }

    /** The same for bytes that are at hand. */
    public static void write(Path file, byte[] bytes) {
        write(file, partial -> Files.write(partial, bytes));
    }
}
