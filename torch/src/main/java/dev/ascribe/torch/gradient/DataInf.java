package dev.ascribe.torch.gradient;

import dev.ascribe.UserInputException;
import dev.ascribe.store.Block;
import dev.ascribe.store.FeatureStore;
import dev.ascribe.store.Scan;
import java.util.List;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.stream.Stream;

/**
 * DataInf (Kwon and others, 2024): the influence function with each matrix a block of its own and the inverse of a mean swapped
 * for the mean of inverses.
 *
 * <p>Per block l of d_l entries, λ_l = 0.1 · mean_i‖g_i,l‖² / d_l and
 * H_l⁻¹v = (1/(nλ_l)) Σ_i [v − (v·g_i)/(λ_l + ‖g_i‖²) g_i]. The score is (1/n) Σ_l g_l(q)ᵀ H_l⁻¹ g_l(i), in nats. A block whose
 * λ is 0 adds nothing. Two passes over the rows and one to score, whatever
 * the number of queries; no n × n matrix.
 */
public final class DataInf implements Curvature {
    /** The published damping: a tenth of the mean squared gradient entry. */
    public static final double DAMPING = 0.1;

    @Override
    public float[][] precondition(FeatureStore rows, float[][] queries) {
        List<Block> blocks = rows.spec().blocks();
        if (Sketch.isWhole(blocks)) {
            throw new UserInputException("datainf needs every matrix apart, but this index was sketched to width %d; "
                            .formatted(rows.width())
                    + "build one with --width all");
        }
        int n = rows.rows();
        DoubleAdder[] squares =
                Stream.generate(DoubleAdder::new).limit(blocks.size()).toArray(DoubleAdder[]::new);
        Scan.blockDots(rows, new float[0][], (row, dots, squaredNorms) -> {
            for (int b = 0; b < squares.length; b++) {
                squares[b].add(squaredNorms[b]);
            }
        });
        double[] damping = new double[blocks.size()];
        for (int b = 0; b < damping.length; b++) {
            damping[b] = DAMPING * squares[b].sum() / n / blocks.get(b).entries();
        }
        float[][] sums = Scan.accumulate(rows, queries, (row, dots, squaredNorms, weights) -> {
            for (int q = 0; q < weights.length; q++) {
                for (int b = 0; b < damping.length; b++) {
                    double denominator = damping[b] + squaredNorms[b];
                    weights[q][b] = denominator == 0 ? 0 : (float) (dots[q][b] / denominator);
                }
            }
        });
        float[][] bent = new float[queries.length][rows.width()];
        for (int q = 0; q < queries.length; q++) {
            for (int b = 0; b < damping.length; b++) {
                if (damping[b] == 0) {
                    continue;
                }
                Block block = blocks.get(b);
                for (int i = block.offset(); i < block.offset() + block.width(); i++) {
                    double inverse = (queries[q][i] - sums[q][i] / (double) n) / damping[b];
                    bent[q][i] = (float) (inverse / n);
                }
            }
        }
        return bent;
    }
}
