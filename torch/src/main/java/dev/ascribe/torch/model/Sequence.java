package dev.ascribe.torch.model;

import java.util.Arrays;

/** Tokens, of which those from a first target on are to be predicted. Equal only to itself. */
public final class Sequence {
    private final int[] tokens;
    private final int firstTarget;

    /**
     * @param tokens at least one
     * @param firstTarget at least 1, because nothing predicts the first token; {@code tokens.length} or more means no target
     */
    public Sequence(int[] tokens, int firstTarget) {
        if (tokens.length == 0 || firstTarget < 1) {
            throw new IllegalArgumentException(
                    "a sequence needs a token and a first target of at least 1: " + tokens.length + ", " + firstTarget);
        }
        this.tokens = tokens.clone();
        this.firstTarget = firstTarget;
    }

    /** How many tokens there are. */
    public int length() {
        return tokens.length;
    }

    /** The token at a position. */
    public int token(int position) {
        return tokens[position];
    }

    /** All tokens. */
    public int[] tokens() {
        return tokens.clone();
    }

    /** The first token to be predicted. */
    public int firstTarget() {
        return firstTarget;
    }

    /** How many tokens are to be predicted. */
    public int targets() {
        return Math.max(0, tokens.length - firstTarget);
    }

    /** The sequence up to and with one of its tokens, that token alone to be predicted. */
    public Sequence predictingOnly(int position) {
        return new Sequence(Arrays.copyOf(tokens, position + 1), position);
    }
}
