package dev.ascribe.data;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Real data that the project does not ship: where {@code ASCRIBE_DATA} points, else {@code ../shared/data} beside the
 * checkout. Where there is none, a test is reported as skipped, with the place where it looked; {@code .ci/run} refuses
 * that where there is some.
 */
public final class SharedData {
    private SharedData() {}

    /** A file of the data; the test that asks is skipped where the data is not there. */
    public static Path file(String name) {
        String named = System.getenv("ASCRIBE_DATA");
        Path checkout = Path.of("..").toAbsolutePath(); // tests run in the folder of their module
        Path folder = named == null || named.isBlank()
                ? checkout.resolve("../shared/data").normalize()
                : Path.of(named);
        assumeTrue(Files.isDirectory(folder), "no data in " + folder + "; set ASCRIBE_DATA to where it is");
        return folder.resolve(name);
    }
}
