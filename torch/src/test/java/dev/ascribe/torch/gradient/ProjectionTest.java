package dev.ascribe.torch.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.UserInputException;
import dev.ascribe.store.Block;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.model.HeardSignals;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.LossBatch;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.model.Trunk;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProjectionTest {
    private static final int SEEDS = 400;

    @TempDir
    private Path directory;

    /** Over many seeds the mean lies within four standard errors of the truth, and the truth is many errors from zero. */
    @Test
    void innerProductsOfProjectedFeaturesAreUnbiased() {
        try (LanguageModel model = TinyModels.LLAMA.open(directory, Precision.F64);
                PointerScope outer = new PointerScope()) {
            HeardSignals signals = signals(model, TinyModels.sequences(21, 10, 6, 10));
            GradientFeatures all = GradientFeatures.of(model.decoder().sites(), Projection.none());
            double[] exact = products(all, signals);
            LongFunction<double[]> products = seed -> {
                try (PointerScope scope = new PointerScope()) {
                    return products(GradientFeatures.of(model.decoder().sites(), new Projection(4, 4, seed)), signals);
                }
            };
            double[] sum = new double[exact.length];
            double[] squares = new double[exact.length];
            for (long seed = 0; seed < SEEDS; seed++) {
                double[] found = products.apply(seed);
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += found[i];
                    squares[i] += found[i] * found[i];
                }
            }
            for (int i = 0; i < sum.length; i++) {
                double mean = sum[i] / SEEDS;
                double error = Math.sqrt((squares[i] / SEEDS - mean * mean) / SEEDS);
                assertThat(mean).isCloseTo(exact[i], within(4 * error));
                assertThat(error).isPositive();
            }
            double error = Math.sqrt((squares[0] / SEEDS - Math.pow(sum[0] / SEEDS, 2)) / SEEDS);
            assertThat(exact[0]).isGreaterThan(20 * error);
        }
    }

    /** Of every pair of rows, the first with itself first. */
    private static double[] products(GradientFeatures features, HeardSignals signals) {
        Tensor rows = rows(features, signals);
        return Tensors.doubles(rows.matmul(rows.t()));
    }

    private static Tensor rows(GradientFeatures features, HeardSignals signals) {
        GradientFeatures.Gathering gathering = features.of(signals.batch().packed(), ScalarType.Double);
        signals.tell(gathering);
        return gathering.rows();
    }

    private static HeardSignals signals(LanguageModel model, List<Sequence> rows) {
        try (Trunk trunk = new Trunk(model.decoder(), 0, 0)) {
            return HeardSignals.of(
                    model.decoder(), trunk, LossBatch.of(rows), model.decoder().sites());
        }
    }

    @Test
    void withoutAProjectionFeaturesAreTheGradientsThemselves() {
        try (LanguageModel model = TinyModels.LLAMA.open(directory, Precision.F64);
                PointerScope scope = new PointerScope()) {
            HeardSignals signals = signals(model, TinyModels.sequences(22, 10));
            GradientFeatures none = GradientFeatures.of(model.decoder().sites(), Projection.none());
            double[] features = Tensors.doubles(rows(none, signals));
            for (Block block : none.blocks()) {
                var site = model.decoder().sites().stream()
                        .filter(s -> block.name().equals(s.name() + ".weight"))
                        .findFirst()
                        .orElseThrow();
                double[] gradient = Tensors.doubles(signals.delta(site).t().matmul(signals.input(site)));
                assertThat(block.entries()).isEqualTo(gradient.length);
                assertThat(block.width()).isEqualTo(gradient.length);
                for (int i = 0; i < gradient.length; i++) {
                    assertThat(features[block.offset() + i]).isCloseTo(gradient[i], within(1e-12));
                }
            }
        }
    }

    @Test
    void sidesNoLongerThanTheLimitAreNotProjected() {
        try (LanguageModel model = TinyModels.LLAMA.open(directory, Precision.F64);
                PointerScope scope = new PointerScope()) {
            HeardSignals signals = signals(model, TinyModels.sequences(22, 10, 4));
            GradientFeatures none = GradientFeatures.of(model.decoder().sites(), Projection.none());
            GradientFeatures wide = GradientFeatures.of(model.decoder().sites(), new Projection(999, 999, 3));
            assertThat(Tensors.doubles(rows(wide, signals))).isEqualTo(Tensors.doubles(rows(none, signals)));
        }
    }

    @Test
    void theSameSeedGivesTheSameFeaturesAndAnotherOthers() {
        try (LanguageModel model = TinyModels.LLAMA.open(directory, Precision.F64);
                PointerScope scope = new PointerScope()) {
            HeardSignals signals = signals(model, TinyModels.sequences(23, 10));
            var sites = model.decoder().sites();
            double[] one = Tensors.doubles(rows(GradientFeatures.of(sites, new Projection(4, 4, 1)), signals));
            assertThat(Tensors.doubles(rows(GradientFeatures.of(sites, new Projection(4, 4, 1)), signals)))
                    .isEqualTo(one);
            assertThat(Tensors.doubles(rows(GradientFeatures.of(sites, new Projection(4, 4, 2)), signals)))
                    .isNotEqualTo(one);
        }
    }

    @Test
    void blocksTellTheirWidthAndTheEntriesBeforeProjection() {
        try (LanguageModel model = TinyModels.LLAMA.open(directory, Precision.F64)) {
            GradientFeatures features = GradientFeatures.of(model.decoder().sites(), new Projection(4, 20, 1));
            Block down = features.blocks().stream()
                    .filter(block -> block.name().equals("model.layers.0.mlp.down_proj.weight"))
                    .findFirst()
                    .orElseThrow();
            assertThat(down.width()).isEqualTo(4 * 20);
            assertThat(down.entries()).isEqualTo(16 * 24);
        }
    }

    @Test
    void aProjectionThatKeepsNothingIsRefused() {
        assertThatThrownBy(() -> new Projection(0, 4, 1))
                .isInstanceOf(UserInputException.class)
                .hasMessage("a projection of 0x4 keeps nothing; use 16x16 or none");
    }
}
