package dev.ascribe.torch.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.LossBatch;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.model.Tape;
import dev.ascribe.torch.model.Trunk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LoraLearnerTest {
    private static final List<Sequence> ROWS = TinyModels.sequences(31, 9, 4, 13);

    @TempDir
    private Path directory;

    /** Autograd through W + s·B·A, where A and B are leaves, knows nothing of signals and factors. */
    @ParameterizedTest
    @EnumSource
    void theGradientIsAutogradsOfTheUnmergedMatrices(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                LanguageModel twin = kind.open(directory.resolve("twin"), Precision.F64);
                Adapter adapter = moved(model, new LoraConfig.Targets.AllLinear());
                Adapter same = moved(twin, new LoraConfig.Targets.AllLinear());
                Trunk trunk = new Trunk(model.decoder(), 0, 0);
                PointerScope scope = new PointerScope()) {
            List<Tensor> leaves = new ArrayList<>();
            for (Adapter.Site site : same.sites()) {
                Tensor a = site.a().clone().requires_grad_(true);
                Tensor b = site.b().clone().requires_grad_(true);
                leaves.addAll(List.of(a, b));
                // An in-place sum makes the layer's weight part of the graph.
                site.linear().base().add_(b.matmul(a).mul(Tensors.scalar(site.scale())));
            }
            LossBatch batch = LossBatch.of(ROWS);
            Tensor nats = batch.nats(twin.decoder(), twin.decoder().hidden(batch.packed(), Tape.NONE), Tape.NONE);
            Tensor loss = nats.mul(batch.weights(nats)).sum();
            TensorVector gradients =
                    torch.grad(new TensorVector(loss), new TensorVector(leaves.toArray(Tensor[]::new)));
            double[] expected = IntStream.range(0, leaves.size())
                    .mapToObj(gradients::get)
                    .flatMapToDouble(part -> Arrays.stream(Tensors.doubles(part)))
                    .toArray();
            LoraLearner learner = new LoraLearner(model.decoder(), adapter, trunk);
            Tensor gradient = torch.zeros_like(learner.parameters());
            assertThat(learner.accumulate(ROWS, gradient)).isCloseTo(loss.item_double(), within(1e-12));
            double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            assertThat(largest).isGreaterThan(1e-3);
            assertThat(Tensors.doubles(gradient)).containsExactly(expected, within(1e-11 * largest));
            assertThat(Arrays.stream(learner.losses(ROWS)).sum()).isCloseTo(loss.item_double(), within(1e-12));
            adapter.unmerge();
        }
    }

    @Test
    void gradientsAddUp() {
        try (LanguageModel model = TinyModels.QWEN2.open(directory, Precision.F64);
                Adapter adapter = moved(model, new LoraConfig.Targets.AllLinear());
                Trunk trunk = new Trunk(model.decoder(), 0, 0);
                PointerScope scope = new PointerScope()) {
            LoraLearner learner = new LoraLearner(model.decoder(), adapter, trunk);
            Tensor together = torch.zeros_like(learner.parameters());
            learner.accumulate(ROWS, together);
            Tensor apart = torch.zeros_like(learner.parameters());
            ROWS.forEach(row -> learner.accumulate(List.of(row), apart));
            assertThat(Tensors.doubles(apart)).containsExactly(Tensors.doubles(together), within(1e-12));
            adapter.unmerge();
        }
    }

    @Test
    void anOutputProjectionIsAdaptedTooWhereItIsNamed() {
        try (LanguageModel model = TinyModels.LLAMA_GROUPED_TIED_LINEAR.open(directory, Precision.F64);
                Adapter adapter = moved(model, new LoraConfig.Targets.Names(List.of("lm_head")));
                Trunk trunk = new Trunk(model.decoder(), TinyModels.LAYERS, 1 << 20);
                PointerScope scope = new PointerScope()) {
            LoraLearner learner = new LoraLearner(model.decoder(), adapter, trunk);
            Tensor gradient = torch.zeros_like(learner.parameters());
            learner.accumulate(ROWS, gradient);
            double[] found = Tensors.doubles(gradient);
            double step = 1e-5;
            double norm = Math.sqrt(Arrays.stream(found).map(x -> x * x).sum());
            double[] losses = new double[2];
            for (int side = 0; side < 2; side++) {
                adapter.parameters().add_(gradient, Tensors.scalar((side == 0 ? step : -2 * step) / norm));
                learner.changed();
                losses[side] = Arrays.stream(learner.losses(ROWS)).sum();
            }
            assertThat((losses[0] - losses[1]) / (2 * step)).isCloseTo(norm, within(1e-6 * norm));
            adapter.unmerge();
        }
    }

    private static Adapter moved(LanguageModel model, LoraConfig.Targets targets) {
        Adapter adapter = Adapter.fresh(model.decoder(), LoraConfig.of(3, 5, targets), 5);
        Random random = new Random(6);
        for (Adapter.Site site : adapter.sites()) {
            double[] values = random.doubles((long) site.rank() * site.linear().out(), -0.3, 0.3)
                    .toArray();
            site.b().copy_(Tensors.of(values, site.linear().out(), site.rank()));
        }
        return adapter;
    }
}
