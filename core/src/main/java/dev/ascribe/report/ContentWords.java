package dev.ascribe.report;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The words of a question and its answer that carry content, so that they can be marked in a row. Words are equal
 * when they differ in case, in a final 's, in Unicode compatibility forms or in characters that nobody sees.
 */
record ContentWords(Set<String> words) {
    /** A stretch of text, marked or not. */
    record Piece(String text, boolean marked) {}

    // Joiners and soft hyphens belong to a word: without them in the class a hidden character would split it.
    private static final Pattern WORD =
            Pattern.compile("[\\p{L}\\p{N}\\p{M}]+(?:['’\\u00AD\\u200B-\\u200D\\u2060\\uFEFF][\\p{L}\\p{N}\\p{M}]+)*");

    private static final Pattern UNSEEN = Pattern.compile("[\\u00AD\\u200B-\\u200D\\u2060\\uFEFF]");
    private static final Pattern POSSESSIVE = Pattern.compile("['’]s$");

    /** English words that say nothing of a row's subject. */
    private static final Set<String> STOP_WORDS = Set.of("""
            a about above after again all also am an and any are as at be because been before being below between both
            but by can could did do does doing down during each few for from further had has have having he her here
            hers him his how i if in into is it its itself just may me might more most must my no nor not now of off on
            once one only or other our ours out over own please same shall she should so some such than that the their
            theirs them then there these they this those through to too under until up us very was we were what when
            where which while who whom whose why will with would yes you your yours
            """.strip().split("\\s+"));

    static ContentWords of(String... texts) {
        Set<String> words = new HashSet<>();
        for (String text : texts) {
            words(text).filter(ContentWords::hasContent).forEach(words::add);
        }
        return new ContentWords(Set.copyOf(words));
    }

    /** The text in order, cut where marks begin and end; neighbours that are marked become one. */
    List<Piece> mark(String text) {
        List<Piece> pieces = new ArrayList<>();
        int from = -1;
        int to = 0;
        int shown = 0;
        Matcher word = WORD.matcher(text);
        while (word.find()) {
            if (!words.contains(normal(word.group()))) {
                continue;
            }
            if (from >= 0 && text.substring(to, word.start()).isBlank()) {
                to = word.end();
                continue;
            }
            shown = flush(pieces, text, shown, from, to);
            from = word.start();
            to = word.end();
        }
        shown = flush(pieces, text, shown, from, to);
        if (shown < text.length()) {
            pieces.add(new Piece(text.substring(shown), false));
        }
        return List.copyOf(pieces);
    }

    private static int flush(List<Piece> pieces, String text, int shown, int from, int to) {
        if (from < 0) {
            return shown;
        }
        if (shown < from) {
            pieces.add(new Piece(text.substring(shown, from), false));
        }
        pieces.add(new Piece(text.substring(from, to), true));
        return to;
    }

    private static Stream<String> words(String text) {
        return WORD.matcher(text).results().map(match -> normal(match.group()));
    }

    private static String normal(String word) {
        String seen = UNSEEN.matcher(word).replaceAll("");
        String folded = Normalizer.normalize(seen, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
        return POSSESSIVE.matcher(folded).replaceAll("");
    }

    private static boolean hasContent(String word) {
        boolean letter = word.length() == 1 && word.charAt(0) < 128 && Character.isLetter(word.charAt(0));
        return !letter && !STOP_WORDS.contains(word);
    }
}
