package dev.ascribe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StandardOutputTest {

    /** What a process that printed a result to such an output leaves with. */
    private static int code(String reason) {
        StandardOutput out = new StandardOutput(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException(reason);
            }
        });
        new PrintStream(out, true, StandardCharsets.UTF_8).println("a result");
        return Main.delivered(0, out);
    }

    @Test
    void aResultThatDidNotFitIsAnError() {
        assertThat(code("No space left on device")).isEqualTo(2);
    }

    @Test
    void aReaderThatLeftIsNone() {
        assertThat(code("Broken pipe")).isZero();
    }

    @Test
    void aFailedClaimStaysOne() {
        StandardOutput out = new StandardOutput(OutputStream.nullOutputStream());
        assertThat(Main.delivered(1, out)).isEqualTo(1);
    }
}
