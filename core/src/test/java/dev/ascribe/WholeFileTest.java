package dev.ascribe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
    @TempDir
    private Path directory;

    @Test
    void writesAndReplacesAFileAndMakesTheDirectoriesAboveIt() throws IOException {
        Path file = directory.resolve("a/b/ü.txt");
        WholeFile.write(file, new byte[] {1, 2});
        WholeFile.write(file, new byte[] {3});
        assertThat(file).hasBinaryContent(new byte[] {3});
        assertThat(names(directory.resolve("a/b"))).containsExactly("ü.txt");
    }

    @Test
    void aFailureLeavesTheOldBytesAndNothingElse() throws IOException {
        Path file = directory.resolve("file");
        WholeFile.write(file, new byte[] {1, 2});
        assertThatThrownBy(() -> WholeFile.write(file, partial -> {
                    Files.write(partial, new byte[] {9});
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(UserInputException.class)
                .hasMessage(file + " cannot be written: No space left on device; check space and permission");
        assertThat(file).hasBinaryContent(new byte[] {1, 2});
        assertThat(names(directory)).containsExactly("file");
    }

    @Test
    void aFileThatStandsInTheWayIsNamed() {
        WholeFile.write(directory.resolve("file"), new byte[] {1});
        Path below = directory.resolve("file/below");
        assertThatThrownBy(() -> WholeFile.write(below, new byte[] {1}))
                .isInstanceOf(UserInputException.class)
                .hasMessageStartingWith(below + " cannot be written: ");
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).toList();
        }
    }
}
