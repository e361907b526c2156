package dev.ascribe.torch.text;

import java.util.ArrayList;
import java.util.List;

/** Decodes token by token. Not for several threads. */
public final class PieceDecoder {
    /** A UTF-8 character has at most four bytes: what four tokens have not completed is no character. */
    private static final int MOST_TOKENS_OF_A_CHARACTER = 4;

    private static final char REPLACEMENT = '\uFFFD';

    private final Tokenizer tokenizer;
    /** The tokens of the last piece, then those that no piece has shown yet. Decoders look back one word at most. */
    private final List<Integer> window = new ArrayList<>();

    private int shownTokens;
    private String shown = "";

    PieceDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** What the token adds to the text; empty while a character is incomplete. */
    public String next(int id) {
        window.add(id);
        String text = tokenizer.display(window);
        boolean incomplete = !text.isEmpty() && text.charAt(text.length() - 1) == REPLACEMENT;
        if (incomplete && window.size() - shownTokens < MOST_TOKENS_OF_A_CHARACTER) {
            return "";
        }
        return show(text);
    }

    /** What is left when no more tokens come: the incomplete character, shown as {@code �}. */
    public String rest() {
        return window.size() == shownTokens ? "" : show(tokenizer.display(window));
    }

    private String show(String text) {
        String piece = text.substring(sharedStart(text, shown));
        window.subList(0, shownTokens).clear();
        shownTokens = window.size();
        shown = tokenizer.display(window);
        return piece;
    }

    private static int sharedStart(String a, String b) {
        int i = 0;
        while (i < a.length() && i < b.length() && a.charAt(i) == b.charAt(i)) {
            i++;
        }
        return i;
    }
}
