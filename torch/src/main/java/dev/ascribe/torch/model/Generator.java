package dev.ascribe.torch.model;

import dev.ascribe.UserInputException;
import dev.ascribe.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Writes on from a prompt, greedily or by chance, a token at a time. */
public final class Generator {
    private final LanguageModel model;

    /** A generator of a model; it takes the model as it is, with whatever adapter is merged. */
    public Generator(LanguageModel model) {
        this.model = model;
    }

    /**
     * How to choose.
     *
     * @param maxTokens new tokens at most
     * @param temperature 0 = always the likeliest
     * @param topP only the likeliest tokens that together have this probability
     * @param seed of the chance
     */
    public record Settings(int maxTokens, double temperature, double topP, long seed) {
        public Settings {
            require(maxTokens >= 1, "--max-tokens", maxTokens, "at least 1");
            require(temperature >= 0 && temperature <= 100, "--temperature", temperature, "within 0 and 100");
            require(topP > 0 && topP <= 1, "--top-p", topP, "above 0 and at most 1");
        }

        private static void require(boolean holds, String option, Number value, String limit) {
            if (!holds) {
                throw new UserInputException(option + " " + value + " must be " + limit);
            }
        }

        /** Always the likeliest token. */
        public static Settings greedy(int maxTokens) {
            return new Settings(maxTokens, 0, 1, 0);
        }
    }

    /**
     * What was written.
     *
     * @param tokens the new ones, without the one that ended it
     * @param stop {@code eos} or {@code length}
     */
    public record Result(List<Integer> tokens, String stop) {
        /** The tokens as an array. */
        public int[] ids() {
            return tokens.stream().mapToInt(Integer::intValue).toArray();
        }
    }

    /**
     * Writes on.
     *
     * @param prompt at least one token
     * @param onToken told each token as it comes
     */
    public Result generate(int[] prompt, Settings settings, IntConsumer onToken) {
        int context = model.decoder().config().context();
        if (prompt.length == 0) {
            throw new UserInputException("the prompt has no tokens; give --prompt some text");
        }
        if (prompt.length >= context) {
            throw new UserInputException("the prompt has %d tokens, but the model sees only %d; shorten it"
                    .formatted(prompt.length, context));
        }
        int room = Math.min(settings.maxTokens(), context - prompt.length);
        SplittableRandom random = new SplittableRandom(settings.seed());
        List<Integer> written = new ArrayList<>();
        try (NoGradGuard guard = new NoGradGuard();
                Cache cache = new Cache(model.decoder().config(), prompt.length + room)) {
            int[] next = prompt;
            while (written.size() < room) {
                int token;
                try (PointerScope scope = new PointerScope()) {
                    token = choose(lastLogits(next, cache), settings, random);
                }
                if (model.endings().contains(token)) {
                    return new Result(List.copyOf(written), "eos");
                }
                written.add(token);
                onToken.accept(token);
                next = new int[] {token};
            }
        }
        return new Result(List.copyOf(written), "length");
    }

    private Tensor lastLogits(int[] tokens, Cache cache) {
        Decoder decoder = model.decoder();
        Packed batch = Packed.continuing(tokens, cache.length());
        Tensor x = decoder.run(decoder.embed(batch), batch, 0, decoder.config().layers(), Tape.NONE, cache);
        cache.advance(tokens.length);
        return decoder.logits(decoder.finish(x.narrow(0, tokens.length - 1, 1)), Tape.NONE);
    }

    private static int choose(Tensor logits, Settings settings, SplittableRandom random) {
        float[] scores = Tensors.floats(logits);
        int best = IntStream.range(0, scores.length)
                .reduce((a, b) -> scores[b] > scores[a] ? b : a)
                .orElseThrow();
        if (settings.temperature() == 0) {
            return best;
        }
        double[] weights = new double[scores.length];
        double total = 0;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Math.exp((scores[i] - scores[best]) / settings.temperature());
            total += weights[i];
        }
        double budget = settings.topP() * total;
        Integer[] order = IntStream.range(0, weights.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> -weights[i]));
        double kept = 0;
        int count = 0;
        while (count < order.length && (count == 0 || kept < budget)) {
            kept += weights[order[count++]];
        }
        double at = random.nextDouble() * kept;
        for (int i = 0; i < count; i++) {
            at -= weights[order[i]];
            if (at < 0) {
                return order[i];
            }
        }
        return order[count - 1];
    }
}
