package dev.ascribe.torch.weights;

import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Files become memory, and what goes wrong on the way becomes a message. */
final class Mapping {
    private Mapping() {}

    /** The whole file, read-only; it lives as long as the arena. */
    static MemorySegment map(Path file, Arena arena) {
        requireFile(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** Up to so many bytes, fewer where the file is shorter. */
    static byte[] firstBytes(Path file, int count) {
        requireFile(file);
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(count);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    static boolean startsWith(byte[] bytes, int first, int second) {
        return bytes.length >= 2 && bytes[0] == (byte) first && bytes[1] == (byte) second;
    }

    static UserInputException unreadable(Path file, IOException e) {
        return e instanceof NoSuchFileException
                ? new UserInputException("%s does not exist".formatted(file), e)
                : new UserInputException("%s cannot be read: %s".formatted(file, FileTrouble.of(e)), e);
    }

    private static void requireFile(Path file) {
        if (!Files.exists(file)) {
            throw new UserInputException("%s does not exist".formatted(file));
        }
        if (!Files.isRegularFile(file)) {
            throw new UserInputException("%s is not a file".formatted(file));
        }
    }
}
