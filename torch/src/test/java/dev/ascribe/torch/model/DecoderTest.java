package dev.ascribe.torch.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.TinyModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DecoderTest {
    private static final int STEPS = 16;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource
    void aTokenAtATimeGivesTheLogitsOfTheWholeSequence(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F32);
                NoGradGuard guard = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            Decoder decoder = model.decoder();
            int[] prompt = new Random(3).ints(9, 2, 90).toArray();
            List<Integer> written = new ArrayList<>();
            try (Cache cache = new Cache(decoder.config(), prompt.length + STEPS)) {
                int[] next = prompt;
                while (written.size() < STEPS) {
                    float[] stepwise = Tensors.floats(last(decoder, next, cache));
                    int[] all = append(prompt, written);
                    Packed packed = Packed.of(List.of(all));
                    Tensor hidden = decoder.hidden(packed, Tape.NONE);
                    float[] whole = Tensors.floats(decoder.logits(hidden.narrow(0, all.length - 1, 1), Tape.NONE));
                    assertThat(stepwise).containsExactly(whole, within(1e-5f));
                    int token = best(whole);
                    assertThat(best(stepwise)).isEqualTo(token);
                    written.add(token);
                    next = new int[] {token};
                }
            }
            List<Integer> generated = new Generator(model)
                    .generate(prompt, Generator.Settings.greedy(STEPS), token -> {})
                    .tokens();
            assertThat(generated).isNotEmpty().isEqualTo(written.subList(0, generated.size()));
        }
    }

    private static Tensor last(Decoder decoder, int[] tokens, Cache cache) {
        Packed batch = Packed.continuing(tokens, cache.length());
        Tensor x = decoder.run(decoder.embed(batch), batch, 0, decoder.config().layers(), Tape.NONE, cache);
        cache.advance(tokens.length);
        return decoder.logits(decoder.finish(x.narrow(0, tokens.length - 1, 1)), Tape.NONE);
    }

    private static int[] append(int[] prompt, List<Integer> written) {
        return IntStream.concat(Arrays.stream(prompt), written.stream().mapToInt(Integer::intValue))
                .toArray();
    }

    private static int best(float[] logits) {
        return IntStream.range(0, logits.length)
                .reduce((a, b) -> logits[b] > logits[a] ? b : a)
                .orElseThrow();
    }

    @ParameterizedTest
    @EnumSource
    void raggedRowsTogetherHaveTheLossesOfEachAlone(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                NoGradGuard guard = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            List<Sequence> rows = TinyModels.sequences(5, 12, 3, 20, 2, 12);
            LossBatch batch = LossBatch.of(rows);
            Decoder decoder = model.decoder();
            double[] together =
                    Tensors.doubles(batch.nats(decoder, decoder.hidden(batch.packed(), Tape.NONE), Tape.NONE));
            int at = 0;
            for (Sequence row : rows) {
                double[] alone = new Scorer(decoder).logProbabilities(row);
                for (int t = row.firstTarget(); t < row.length(); t++) {
                    assertThat(-together[at++]).isCloseTo(alone[t], within(1e-11));
                }
            }
            assertThat(at).isEqualTo(together.length);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTokenDependsOnNoLaterOne(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64)) {
            Sequence sequence = TinyModels.sequences(6, 24).getFirst();
            double[] whole = new Scorer(model.decoder()).logProbabilities(sequence);
            double[] cut =
                    new Scorer(model.decoder()).logProbabilities(new Sequence(Arrays.copyOf(sequence.tokens(), 15), 1));
            assertThat(whole[0]).isNaN();
            for (int t = 1; t < cut.length; t++) {
                assertThat(cut[t]).isCloseTo(whole[t], within(1e-11));
            }
        }
    }

    @Test
    void aSlidingWindowHidesWhatIsBeyondIt() {
        try (LanguageModel model = TinyModels.MISTRAL_SLIDING.open(directory, Precision.F64)) {
            int[] tokens = TinyModels.sequences(7, 30).getFirst().tokens();
            int[] other = tokens.clone();
            other[0] = tokens[0] == 2 ? 3 : 2;
            double[] one = new Scorer(model.decoder()).logProbabilities(new Sequence(tokens, 1));
            double[] two = new Scorer(model.decoder()).logProbabilities(new Sequence(other, 1));
            // Two layers that each see 5 tokens reach 2 · 4 tokens back; the prediction of t is made at t − 1.
            int reach = TinyModels.LAYERS * 4;
            assertThat(two[reach + 1]).isNotCloseTo(one[reach + 1], within(1e-9));
            for (int t = reach + 2; t < tokens.length; t++) {
                assertThat(two[t]).isEqualTo(one[t]);
            }
        }
    }

    @Test
    void aLossOfTheFirstTokensIsNotAskedFor() {
        try (LanguageModel model = TinyModels.LLAMA.open(directory, Precision.F64)) {
            Sequence sequence = new Sequence(new int[] {4, 5, 6, 7}, 2);
            double[] each = new Scorer(model.decoder()).logProbabilities(sequence);
            assertThat(Scorer.loss(sequence, each)).isCloseTo(-(each[2] + each[3]) / 2, within(1e-15));
            assertThat(Scorer.loss(sequence.predictingOnly(2), each)).isCloseTo(-each[2], within(1e-15));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFrozenTrunkChangesNoLossAndNoGradient(TinyModels kind) {
        try (LanguageModel model = kind.open(directory, Precision.F64);
                PointerScope scope = new PointerScope()) {
            Decoder decoder = model.decoder();
            List<Linear> sites =
                    decoder.sites().stream().filter(site -> site.block() >= 1).toList();
            List<Sequence> rows = TinyModels.sequences(8, 7, 13, 4);
            LossBatch batch = LossBatch.of(rows);
            try (Trunk none = new Trunk(decoder, 0, 0);
                    Trunk whole = new Trunk(decoder, 1, 1 << 20);
                    Trunk partial = new Trunk(decoder, 1, 8L * TinyModels.WIDTH * 20)) {
                HeardSignals plain = HeardSignals.of(decoder, none, batch, sites);
                for (Trunk trunk : List.of(whole, whole, partial, partial)) {
                    HeardSignals signals = HeardSignals.of(decoder, trunk, batch, sites);
                    assertThat(signals.losses()).containsExactly(plain.losses(), within(1e-12));
                    for (Linear site : sites) {
                        assertThat(Tensors.doubles(signals.delta(site)))
                                .containsExactly(Tensors.doubles(plain.delta(site)), within(1e-12));
                        assertThat(Tensors.doubles(signals.input(site)))
                                .containsExactly(Tensors.doubles(plain.input(site)), within(1e-12));
                    }
                }
            }
        }
    }

    @Test
    void whatATrunkRemembersDoesNotDependOnTheCompanyItWasSeenIn() {
        try (LanguageModel model = TinyModels.LLAMA.open(directory, Precision.F32);
                PointerScope scope = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            Decoder decoder = model.decoder();
            List<Sequence> rows = TinyModels.sequences(9, 7, 80, 33, 5, 61, 7, 12);
            try (Trunk together = new Trunk(decoder, 1, 1 << 24);
                    Trunk apart = new Trunk(decoder, 1, 1 << 24);
                    Trunk forgetful = new Trunk(decoder, 1, 0)) {
                rows.forEach(row -> apart.hidden(LossBatch.of(List.of(row)), Tape.NONE));
                float[] expected = Tensors.floats(together.hidden(LossBatch.of(rows), Tape.NONE));
                assertThat(Tensors.floats(apart.hidden(LossBatch.of(rows), Tape.NONE)))
                        .isEqualTo(expected);
                assertThat(Tensors.floats(forgetful.hidden(LossBatch.of(rows), Tape.NONE)))
                        .isEqualTo(expected);
            }
        }
    }
}
