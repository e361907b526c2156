package dev.ascribe.report;

import dev.ascribe.report.ContentWords.Piece;
import java.text.BreakIterator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Text that somebody else wrote, ready to be shown: shortened, without control characters, the matching words marked.
 *
 * @param shown characters (code points) shown
 * @param length characters in all
 * @param unseen how many characters that draw nothing, or that turn the direction of others, the whole text has
 */
record Passage(List<Piece> pieces, int shown, int length, int unseen) {
    /** Zero-width, direction and tag characters; joiners are left out, as scripts and emoji need them. */
    private static final Pattern UNSEEN = Pattern.compile(
            "[\\u00AD\\u200B\\u200E\\u200F\\u202A-\\u202E\\u2060-\\u206F\\uFEFF\\x{E0001}\\x{E0020}-\\x{E007F}]");

    /** How far back a cut looks for the end of a word. */
    private static final int WORD_END = 60;

    static Passage of(String text, ContentWords words, int limit) {
        String visible = visible(text);
        String kept = visible.length() <= limit ? visible : visible.substring(0, cut(visible, limit));
        return new Passage(
                words.mark(kept),
                kept.codePointCount(0, kept.length()),
                visible.codePointCount(0, visible.length()),
                (int) UNSEEN.matcher(visible).results().count());
    }

    static Passage of(String text, int limit) {
        return of(text, ContentWords.of(), limit);
    }

    boolean shortened() {
        return shown < length;
    }

    /** What a reader should know about the text besides the text, or nothing. */
    String note() {
        String cut = shortened()
                ? String.format(Locale.ROOT, "Shortened: the first %,d of %,d characters.", shown, length)
                : "";
        String hidden = unseen == 0
                ? ""
                : unseen == 1
                        ? "Has 1 character that cannot be seen."
                        : String.format(Locale.ROOT, "Has %,d characters that cannot be seen.", unseen);
        return (cut + " " + hidden).strip();
    }

    /** The text of all pieces. */
    String text() {
        return String.join("", pieces.stream().map(Piece::text).toList());
    }

    /**
     * The text with pictures in place of control characters, and a replacement character for what is no character.
     * Line feeds and tabs stay.
     */
    static String visible(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.replace("\r\n", "\n").codePoints().forEach(c -> {
            if (c == '\r') {
                out.append('\n');
            } else if (c == 0x7f) {
                out.append('␡');
            } else if (c < 0x20 && c != '\n' && c != '\t') {
                out.append((char) (0x2400 + c));
            } else if ((0x80 <= c && c < 0xa0) || (0xd800 <= c && c <= 0xdfff) || (c & 0xfffe) == 0xfffe) {
                out.append('\uFFFD');
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }

    private static int cut(String text, int limit) {
        for (int at = limit; at > limit - WORD_END && at > 0; at--) {
            if (Character.isWhitespace(text.charAt(at))) {
                return at;
            }
        }
        BreakIterator characters = BreakIterator.getCharacterInstance(Locale.ROOT);
        // A window is enough to find the boundary, and a long text need not be walked.
        int from = Math.max(0, limit - WORD_END);
        characters.setText(text.substring(from, Math.min(text.length(), limit + 1)));
        int boundary = characters.preceding(limit - from + 1);
        return boundary <= 0 ? limit : from + boundary;
    }
}
