package dev.ascribe.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FeatureStoreKillTest {
    private static final int ROWS = 3000;
    private static final int WIDTH = 1500;
    private static final int KILLS = 4;
    private static final long SEGMENT_LIMIT = 4 << 20;

    @TempDir
    Path folder;

    /** Run in a process of its own: continues the store and takes a moment over each row. */
    static final class Slowly {
        private Slowly() {}

        public static void main(String[] args) throws InterruptedException {
            Random random = new Random();
            float[][] features = Stores.features(ROWS, WIDTH, 1);
            Dtype dtype = Dtype.valueOf(args[1]);
            try (FeatureStoreWriter writer =
                    Stores.open(Path.of(args[0]), Stores.spec(dtype, WIDTH), ROWS, SEGMENT_LIMIT)) {
                for (int row = writer.rows(); row < ROWS; row++) {
                    writer.append(Stores.id(row), features[row]);
                    if (random.nextInt(20) == 0) {
                        writer.commit();
                        Thread.sleep(2);
                    }
                }
                writer.finish();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStoreThatWasKilledAndContinuedEqualsOneThatWasNot(Dtype dtype) throws IOException, InterruptedException {
        Path whole = folder.resolve("whole");
        Stores.write(whole, Stores.spec(dtype, WIDTH), Stores.features(ROWS, WIDTH, 1), SEGMENT_LIMIT);

        Path killed = folder.resolve("killed");
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed of the kills: " + seed + " (set again by -Dseed=)");
        Random random = new Random(seed);
        int interruptions = 0;
        for (int run = 0; run < KILLS; run++) {
            Process writer = start(killed, dtype);
            int target = rows(killed) + 1 + random.nextInt(ROWS / KILLS);
            while (writer.isAlive() && rows(killed) < target) {
                Thread.sleep(1);
            }
            TimeUnit.MICROSECONDS.sleep(random.nextInt(20_000));
            interruptions += writer.isAlive() ? 1 : 0;
            writer.destroyForcibly().waitFor();
        }
        assertThat(interruptions).isPositive();
        assertThat(start(killed, dtype).waitFor()).isZero();
        assertThat(Stores.digests(killed)).isEqualTo(Stores.digests(whole));
    }

    private static Process start(Path store, Dtype dtype) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Slowly.class.getName(),
                        store.toString(),
                        dtype.name())
                .redirectError(Redirect.INHERIT)
                .redirectOutput(Redirect.DISCARD)
                .start();
    }

    /** Rows that the manifest says are durable. */
    private static int rows(Path store) {
        return Files.exists(store.resolve(Manifest.FILE)) ? Manifest.read(store).rows() : 0;
    }
}
