package dev.ascribe.torch.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.UserInputException;
import dev.ascribe.torch.TinyModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratorTest {
    private static final int[] PROMPT = {20, 31, 42, 53};

    @TempDir
    private Path directory;

    private LanguageModel model;
    private Generator generator;

    @BeforeEach
    void open() {
        model = TinyModels.LLAMA.open(directory, Precision.F32);
        generator = new Generator(model);
    }

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void aSeedGivesTheSameTextAndAnotherAnother() {
        List<Integer> one = write(1, 1, 7);
        assertThat(write(1, 1, 7)).isEqualTo(one);
        assertThat(write(1, 1, 8)).isNotEqualTo(one);
    }

    @Test
    void tokensAreToldAsTheyCome() {
        List<Integer> told = new ArrayList<>();
        Generator.Result result = generator.generate(PROMPT, Generator.Settings.greedy(12), told::add);
        assertThat(result.tokens()).isEqualTo(told).isNotEmpty();
        assertThat(result.ids()).containsExactly(told.stream().mapToInt(i -> i).toArray());
    }

    @Test
    void hardlyAnyTemperatureOrShareIsGreedy() {
        List<Integer> greedy = write(0, 1, 1);
        assertThat(write(1e-4, 1, 1)).isEqualTo(greedy);
        assertThat(write(1, 1e-9, 1)).isEqualTo(greedy);
    }

    /** First tokens of many seeds come as often as the softmax of the logits says. */
    @Test
    void sampledTokensHaveTheModelsProbabilities() {
        double temperature = 0.7;
        double topP = 0.6;
        double[] logs = IntStream.range(0, model.decoder().config().vocabulary())
                .mapToDouble(token -> new Scorer(model.decoder())
                        .logProbabilities(new Sequence(append(token), PROMPT.length))[PROMPT.length])
                .toArray();
        double[] weights =
                Arrays.stream(logs).map(p -> Math.exp(p / temperature)).toArray();
        double total = Arrays.stream(weights).sum();
        Integer[] order = IntStream.range(0, weights.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, (a, b) -> Double.compare(weights[b], weights[a]));
        Map<Integer, Double> kept = new HashMap<>();
        double sum = 0;
        for (int i = 0; sum < topP * total; i++) {
            kept.put(order[i], weights[order[i]]);
            sum += weights[order[i]];
        }
        assertThat(kept).hasSizeBetween(2, weights.length - 1);
        int trials = 500;
        Map<Integer, Integer> found = new HashMap<>();
        for (int seed = 0; seed < trials; seed++) {
            Generator.Result result =
                    generator.generate(PROMPT, new Generator.Settings(1, temperature, topP, seed), token -> {});
            int token = result.stop().equals("eos") ? model.endings().iterator().next() : result.ids()[0];
            found.merge(token, 1, Integer::sum);
        }
        assertThat(kept.keySet()).containsAll(found.keySet());
        double whole = sum;
        kept.forEach((token, weight) -> {
            double p = weight / whole;
            assertThat(found.getOrDefault(token, 0) / (double) trials)
                    .isCloseTo(p, within(5 * Math.sqrt(p * (1 - p) / trials)));
        });
    }

    private static int[] append(int token) {
        int[] tokens = Arrays.copyOf(PROMPT, PROMPT.length + 1);
        tokens[PROMPT.length] = token;
        return tokens;
    }

    @Test
    void theContextIsTheLimit() {
        int[] almost = new int[TinyModels.CONTEXT - 2];
        Arrays.fill(almost, 30);
        Generator.Result result = generator.generate(almost, Generator.Settings.greedy(50), token -> {});
        assertThat(result.tokens().size()).isLessThanOrEqualTo(2);
        int[] full = new int[TinyModels.CONTEXT];
        assertThatThrownBy(() -> generator.generate(full, Generator.Settings.greedy(1), token -> {}))
                .isInstanceOf(UserInputException.class)
                .hasMessage("the prompt has 96 tokens, but the model sees only 96; shorten it");
        assertThatThrownBy(() -> generator.generate(new int[0], Generator.Settings.greedy(1), token -> {}))
                .isInstanceOf(UserInputException.class)
                .hasMessage("the prompt has no tokens; give --prompt some text");
    }

    @Test
    void settingsAreRefusedWithTheirLimits() {
        assertThatThrownBy(() -> new Generator.Settings(0, 0, 1, 0))
                .isInstanceOf(UserInputException.class)
                .hasMessage("--max-tokens 0 must be at least 1");
        assertThatThrownBy(() -> new Generator.Settings(1, -1, 1, 0))
                .hasMessage("--temperature -1.0 must be within 0 and 100");
        assertThatThrownBy(() -> new Generator.Settings(1, 0, 1.5, 0))
                .hasMessage("--top-p 1.5 must be above 0 and at most 1");
    }

    private List<Integer> write(double temperature, double topP, long seed) {
        return generator
                .generate(PROMPT, new Generator.Settings(20, temperature, topP, seed), token -> {})
                .tokens();
    }
}
