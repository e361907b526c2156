package dev.ascribe.torch.text;

import java.util.Arrays;

/**
 * A row as a model reads it: prompt, response and EOS in one sequence, cut on the right.
 *
 * <p>Targets are the tokens whose loss counts. They are the end of the sequence, from {@link #firstTarget} on.
 */
public final class Example {
    private final int[] tokens;
    private final int responseStart;
    private final int firstTarget;
    private final boolean cut;

    /**
     * @param tokens ids of prompt, response and EOS; may be empty
     * @param responseStart where the response starts, or would start had it not been cut off
     * @param loss which tokens are targets; the first of the sequence never is
     * @param maxTokens longer sequences lose their right end
     */
    Example(int[] tokens, int responseStart, Loss loss, int maxTokens) {
        if (responseStart < 0 || responseStart > tokens.length) {
            throw new IllegalArgumentException(
                    "responseStart (%d) must be in 0..%d".formatted(responseStart, tokens.length));
        }
        this.tokens = Arrays.copyOf(tokens, Math.min(tokens.length, maxTokens));
        this.responseStart = responseStart;
        this.cut = tokens.length > maxTokens;
        int first = Math.max(1, loss == Loss.RESPONSE ? responseStart : 0);
        this.firstTarget = Math.min(first, this.tokens.length);
    }

    /** Ids, shape (length). */
    public int[] tokens() {
        return tokens.clone();
    }

    /** The number of tokens. */
    public int length() {
        return tokens.length;
    }

    /** The position of the response's first token; at or beyond the length where it was cut off entirely. */
    public int responseStart() {
        return responseStart;
    }

    /** The position of the first target; the length where there is none. */
    public int firstTarget() {
        return firstTarget;
    }

    /** The number of targets: all tokens from {@link #firstTarget} on. */
    public int targets() {
        return tokens.length - firstTarget;
    }

    public boolean isTarget(int position) {
        return position >= firstTarget && position < tokens.length;
    }

    /** Whether the sequence was longer than allowed and lost its right end. */
    public boolean cut() {
        return cut;
    }
}
