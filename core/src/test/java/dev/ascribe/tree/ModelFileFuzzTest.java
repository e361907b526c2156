package dev.ascribe.tree;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.AscribeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A damaged file is read or refused, by one of our own errors; never anything else. */
class ModelFileFuzzTest {
    private static final int TIMES = 400;
    private static final byte[] HOSTILE = {0, -1, 127, -128, '0', '9', '-', '[', '{', '"', '$', '#', 'L', ' ', '\n'};

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path home;

    static List<Example> all() {
        return Example.all();
    }

    @ParameterizedTest
    @MethodSource("all")
    void aDamagedFileIsReadOrRefused(Example example) throws IOException {
        byte[] whole = Files.readAllBytes(example.file());
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        Path file = home.resolve("model");
        int refused = 0;
        for (int i = 0; i < TIMES; i++) {
            byte[] bytes = damaged(whole, random);
            Files.write(file, bytes);
            try {
                TreeEnsemble model = ModelFile.open(file);
                route(model, random);
            } catch (AscribeException e) {
                assertThat(e.exitCode()).isEqualTo(2);
                assertThat(e).hasMessageContaining(file.toString());
                refused++;
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
                Path kept = Files.write(Path.of("target", "fuzz-" + seed + "-" + i), bytes);
                throw new AssertionError("-Dseed=" + seed + ", kept as " + kept.toAbsolutePath(), e);
            }
        }
        assertThat(refused).as("-Dseed=%d", seed).isPositive();
    }

    /** A model that was read can be walked. */
    private static void route(TreeEnsemble model, Random random) {
        double[] row = new double[model.features().size()];
        for (int f = 0; f < row.length; f++) {
            row[f] = random.nextInt(4) == 0 ? Double.NaN : random.nextGaussian() * 10;
        }
        for (Tree tree : model.trees()) {
            assertThat(tree.leaf(row, 0)).isBetween(0, tree.leaves() - 1);
        }
    }

    private static byte[] damaged(byte[] whole, Random random) {
        byte[] bytes = whole.clone();
        switch (random.nextInt(5)) {
            case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 1 -> { // a piece is gone
                int from = random.nextInt(bytes.length);
                int to = Math.min(bytes.length, from + 1 + random.nextInt(40));
                byte[] rest = new byte[bytes.length - (to - from)];
                System.arraycopy(bytes, 0, rest, 0, from);
                System.arraycopy(bytes, to, rest, from, bytes.length - to);
                bytes = rest;
            }
            default -> {
                for (int i = 1 + random.nextInt(4); i > 0; i--) {
                    bytes[random.nextInt(bytes.length)] =
                            random.nextBoolean() ? (byte) random.nextInt(256) : HOSTILE[random.nextInt(HOSTILE.length)];
                }
            }
        }
        return bytes;
    }
}
