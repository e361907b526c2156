package dev.ascribe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class FileTroubleTest {
    @Test
    void theReasonIsInWordsAndNamesNoClass() {
        assertThat(FileTrouble.of(new AccessDeniedException("a/b"))).isEqualTo("there is no permission");
        assertThat(FileTrouble.of(new NoSuchFileException("a/b"))).isEqualTo("it does not exist");
        assertThat(FileTrouble.of(new FileAlreadyExistsException("a"))).isEqualTo("a is a file, not a folder");
        assertThat(FileTrouble.of(new FileSystemException("a", null, "No space left on device")))
                .isEqualTo("No space left on device");
        assertThat(FileTrouble.of(new IOException("No space left on device"))).isEqualTo("No space left on device");
        assertThat(FileTrouble.of(new EOFException())).isEqualTo("java.io.EOFException");
    }
}
