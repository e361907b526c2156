package dev.ascribe.torch.gradient;

import dev.ascribe.UserInputException;
import dev.ascribe.torch.Tensors;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32C;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Random projection of a gradient matrix from both sides (LoGra; Choe and others, 2024): each side longer than its limit is
 * multiplied by a matrix of independent signs ±1/√k, so that inner products keep their expectation.
 *
 * @param rows limit of the output side
 * @param columns limit of the input side
 * @param seed of the signs
 */
public record Projection(int rows, int columns, long seed) {
    private static final int UNLIMITED = Integer.MAX_VALUE;

    public Projection {
        if (rows < 1 || columns < 1) {
            throw new UserInputException(
                    "a projection of " + rows + "x" + columns + " keeps nothing; use 16x16 or none");
        }
    }

    /** Nothing is projected. */
    public static Projection none() {
        return new Projection(UNLIMITED, UNLIMITED, 0);
    }

    int rowsOf(int out) {
        return Math.min(out, rows);
    }

    int columnsOf(int in) {
        return Math.min(in, columns);
    }

    @Override
    public String toString() {
        return rows == UNLIMITED && columns == UNLIMITED ? "none" : rows + "x" + columns;
    }

    /** The sign matrices of one model's matrices, made once. */
    static final class Signs {
        private final long seed;
        private final Map<String, Tensor> made = new ConcurrentHashMap<>();

        Signs(long seed) {
            this.seed = seed;
        }

        /**
         * Shortens rows.
         *
         * @param x shape (N, d)
         * @param width k; d itself leaves x as it is
         * @return shape (N, k)
         */
        Tensor shorten(Tensor x, String name, int width) {
            int d = Math.toIntExact(x.size(1));
            return d == width ? x : x.matmul(made.computeIfAbsent(name, n -> matrix(n, d, width, x.scalar_type())));
        }

        private Tensor matrix(String name, int d, int k, ScalarType type) {
            CRC32C crc = new CRC32C();
            crc.update(name.getBytes(StandardCharsets.UTF_8));
            SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + crc.getValue());
            float unit = (float) (1 / Math.sqrt(k));
            float[] signs = new float[d * k];
            for (int i = 0; i < signs.length; ) {
                long bits = random.nextLong();
                for (int b = 0; b < Long.SIZE && i < signs.length; b++, i++) {
                    signs[i] = (bits >>> b & 1) == 0 ? unit : -unit;
                }
            }
            return Tensors.keep(Tensors.of(signs, d, k).to(type));
        }
    }
}
