package dev.ascribe.torch.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.store.Block;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.model.Decoder;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.model.LossBatch;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Remade;
import dev.ascribe.torch.model.Scorer;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.model.Signals;
import dev.ascribe.torch.model.Trunk;
import dev.ascribe.torch.train.Adapter;
import dev.ascribe.torch.train.LoraConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PerSampleGradientTest {
    private static final double STEP = 1e-4;
    private static final double RELATIVE = 1e-5;

    /** One row longer than the sliding window; ragged, so that attention pads. */
    private static final List<Sequence> ROWS = TinyModels.sequences(11, 9, 3, 14, 5);

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource
    void adapterGradientsInABatchAreThoseOfEachRowAlone(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                Adapter adapter = moved(model.decoder());
                PointerScope scope = new PointerScope()) {
            adapter.merge();
            assertAloneAsInCompany(model.decoder(), GradientFeatures.of(adapter, Projection.none()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void weightGradientsInABatchAreThoseOfEachRowAlone(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                PointerScope scope = new PointerScope()) {
            Decoder decoder = model.decoder();
            assertAloneAsInCompany(decoder, GradientFeatures.of(decoder.sites(), Projection.none()));
        }
    }

    private static void assertAloneAsInCompany(Decoder decoder, GradientFeatures features) {
        double[][] together = rows(decoder, features, ROWS);
        for (int i = 0; i < ROWS.size(); i++) {
            double[] alone = rows(decoder, features, List.of(ROWS.get(i)))[0];
            assertThat(norm(alone)).isGreaterThan(1e-3);
            assertThat(together[i]).containsExactly(alone, within(1e-12 * norm(alone)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void adapterGradientsAreTheSlopesOfTheLoss(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                Adapter adapter = moved(model.decoder());
                PointerScope scope = new PointerScope()) {
            adapter.merge();
            Decoder decoder = model.decoder();
            GradientFeatures features = GradientFeatures.of(adapter, Projection.none());
            double[][] gradients = rows(decoder, features, ROWS);
            Map<String, Integer> starts = new HashMap<>();
            for (Adapter.Site site : adapter.sites()) {
                starts.put(site.linear().name() + ".lora_A", site.start());
                starts.put(site.linear().name() + ".lora_B", site.startOfB());
            }
            assertThat(features.blocks()).hasSize(2 * adapter.sites().size());
            Random random = new Random(12);
            for (Block block : features.blocks()) {
                int start = Objects.requireNonNull(starts.get(block.name()));
                for (int row : new int[] {0, 2}) {
                    double[] gradient = part(gradients[row], block);
                    double[] direction = direction(gradient, random);
                    Tensor parameters = adapter.parameters().narrow(0, start, block.width());
                    double slope = slope(decoder, ROWS.get(row), step -> {
                        parameters.add_(Tensors.of(direction, direction.length), Tensors.scalar(step));
                        adapter.merge();
                    });
                    assertSlope(slope, gradient, direction, block.name());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void singleEntriesOfAdapterGradientsAreSlopesToo(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                Adapter adapter = moved(model.decoder());
                PointerScope scope = new PointerScope()) {
            adapter.merge();
            Decoder decoder = model.decoder();
            GradientFeatures features = GradientFeatures.of(adapter, Projection.none());
            double[] gradient = rows(decoder, features, ROWS)[2];
            Random random = new Random(13);
            Block block = features.blocks().get(random.nextInt(features.blocks().size()));
            int start = adapter.sites().stream()
                    .filter(site -> block.name().startsWith(site.linear().name()))
                    .mapToInt(site -> block.name().endsWith("A") ? site.start() : site.startOfB())
                    .findFirst()
                    .orElseThrow();
            for (int i = 0; i < block.width(); i++) {
                Tensor parameter = adapter.parameters().narrow(0, start + i, 1);
                double slope = slope(decoder, ROWS.get(2), step -> {
                    parameter.add_(Tensors.scalar(step));
                    adapter.merge();
                });
                assertThat(gradient[block.offset() + i])
                        .isCloseTo(slope, within(RELATIVE * norm(part(gradient, block))));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void weightGradientsAreTheSlopesOfTheLoss(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                PointerScope scope = new PointerScope()) {
            Decoder decoder = model.decoder();
            GradientFeatures features = GradientFeatures.of(decoder.sites(), Projection.none());
            double[][] gradients = rows(decoder, features, ROWS);
            Random random = new Random(14);
            assertThat(features.blocks()).hasSize(decoder.sites().size());
            assertThat(decoder.sites().getLast().name()).isEqualTo("lm_head");
            for (Linear site : decoder.sites()) {
                Block block = features.blocks().stream()
                        .filter(b -> b.name().equals(site.name() + ".weight"))
                        .findFirst()
                        .orElseThrow();
                for (int row : new int[] {2, 3}) {
                    double[] gradient = part(gradients[row], block);
                    double[] direction = direction(gradient, random);
                    // Merged as a product of full rank, so that a tied embedding stays as it is.
                    Tensor b = Tensors.of(direction, site.out(), site.in());
                    Tensor a = identity(site.in());
                    double[] at = {0};
                    double slope = slope(decoder, ROWS.get(row), step -> site.merge(a, b, at[0] += step));
                    site.unmerge();
                    assertSlope(slope, gradient, direction, block.name());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void atTheStartTheGradientsOfAAreLeftOutAndThoseOfBAreTheSame(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                Adapter adapter = Adapter.fresh(model.decoder(), config(), 5);
                PointerScope scope = new PointerScope()) {
            adapter.merge();
            GradientFeatures start = GradientFeatures.of(adapter, Projection.none());
            double[][] gradients = rows(model.decoder(), start, ROWS);
            assertThat(start.blocks()).allMatch(block -> block.name().endsWith(".lora_B"));
            // A B of next to nothing brings A back; what is of B does not move.
            adapter.sites().getFirst().b().fill_(Tensors.scalar(1e-300));
            adapter.merge();
            GradientFeatures all = GradientFeatures.of(adapter, Projection.none());
            double[][] more = rows(model.decoder(), all, ROWS);
            Map<String, Block> byName = new HashMap<>();
            all.blocks().forEach(block -> byName.put(block.name(), block));
            assertThat(byName).hasSize(2 * start.blocks().size());
            for (Block block : start.blocks()) {
                assertThat(part(more[0], Objects.requireNonNull(byName.get(block.name()))))
                        .containsExactly(part(gradients[0], block), within(1e-12));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatSparesMemoryGivesTheSame(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                Adapter adapter = moved(model.decoder());
                PointerScope scope = new PointerScope()) {
            adapter.merge();
            GradientFeatures features = GradientFeatures.of(adapter, Projection.none());
            double[][] usual = rows(model.decoder(), features, ROWS, Remade.GATES);
            for (Remade remade : List.of(Remade.ATTENTION, Remade.WIDE_LAYERS)) {
                double[][] sparing = rows(model.decoder(), features, ROWS, remade);
                for (int row = 0; row < usual.length; row++) {
                    assertThat(sparing[row]).as("%s", remade).containsExactly(usual[row], within(1e-12));
                }
            }
        }
    }

    private static LoraConfig config() {
        return LoraConfig.of(2, 3, new LoraConfig.Targets.AllLinear());
    }

    /** An adapter whose B is not zero. */
    private static Adapter moved(Decoder decoder) {
        Adapter adapter = Adapter.fresh(decoder, config(), 5);
        Random random = new Random(6);
        for (Adapter.Site site : adapter.sites()) {
            double[] values = random.doubles((long) site.rank() * site.linear().out(), -0.3, 0.3)
                    .toArray();
            site.b().copy_(Tensors.of(values, site.linear().out(), site.rank()));
        }
        return adapter;
    }

    private static double[][] rows(Decoder decoder, GradientFeatures features, List<Sequence> rows) {
        return rows(decoder, features, rows, Remade.GATES);
    }

    private static double[][] rows(Decoder decoder, GradientFeatures features, List<Sequence> rows, Remade remade) {
        try (PointerScope scope = new PointerScope();
                Trunk trunk = new Trunk(decoder, 0, 0)) {
            LossBatch batch = LossBatch.of(rows);
            GradientFeatures.Gathering gathering = features.of(batch.packed(), decoder.type());
            Signals.pass(decoder, trunk, batch, remade, gathering);
            double[] flat = Tensors.doubles(gathering.rows());
            int width = features.width();
            double[][] each = new double[rows.size()][];
            for (int i = 0; i < each.length; i++) {
                each[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
            }
            return each;
        }
    }

    private static double[] part(double[] row, Block block) {
        return Arrays.copyOfRange(row, block.offset(), block.offset() + block.width());
    }

    /** Moves by a step along what is tested. */
    private interface Move {
        void by(double step);
    }

    private static double slope(Decoder decoder, Sequence row, Move move) {
        move.by(STEP);
        double above = loss(decoder, row);
        move.by(-2 * STEP);
        double below = loss(decoder, row);
        move.by(STEP);
        return (above - below) / (2 * STEP);
    }

    private static double loss(Decoder decoder, Sequence row) {
        return Scorer.loss(row, new Scorer(decoder).logProbabilities(row));
    }

    /** The gradient's own direction and a random one together: every entry counts, and the slope is not near zero. */
    private static double[] direction(double[] gradient, Random random) {
        double[] noise = random.doubles(gradient.length, -1, 1).toArray();
        double[] direction = new double[gradient.length];
        for (int i = 0; i < direction.length; i++) {
            direction[i] = gradient[i] / norm(gradient) + noise[i] / norm(noise);
        }
        return direction;
    }

    private static void assertSlope(double slope, double[] gradient, double[] direction, String name) {
        double expected = 0;
        for (int i = 0; i < gradient.length; i++) {
            expected += gradient[i] * direction[i];
        }
        assertThat(norm(gradient)).as(name).isGreaterThan(1e-6);
        assertThat(slope).as(name).isCloseTo(expected, within(RELATIVE * Math.abs(expected)));
    }

    private static Tensor identity(int n) {
        Tensor identity = Tensors.zeros(ScalarType.Double, n, n);
        identity.fill_diagonal_(Tensors.scalar(1));
        return identity;
    }

    private static double norm(double[] vector) {
        return Math.sqrt(Arrays.stream(vector).map(v -> v * v).sum());
    }
}
