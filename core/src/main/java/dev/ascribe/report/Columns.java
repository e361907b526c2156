package dev.ascribe.report;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Text measured in terminal columns: a CJK character or an emoji takes two, a combining mark none. */
final class Columns {
    /** What a reader sees as one character. */
    private static final Pattern CHARACTER = Pattern.compile("\\X");
    /** The wide blocks of Unicode's East Asian Width; emoji are found by their own property. */
    private static final Pattern WIDE = Pattern.compile("[\\u1100-\\u115F\\u2E80-\\u303E\\u3041-\\uA4CF\\uA960-\\uA97F"
            + "\\uAC00-\\uD7A3\\uF900-\\uFAFF\\uFE30-\\uFE6F\\uFF01-\\uFF60\\uFFE0-\\uFFE6\\x{20000}-\\x{3FFFD}]");

    private static final Pattern INVISIBLE = Pattern.compile("[\\p{Mn}\\p{Me}\\p{Cf}]");
    /** Turns the direction of what follows: on a terminal that could rewrite the rest of the line. */
    private static final Pattern TURNS = Pattern.compile("[\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]");

    private static final int EMOJI_STYLE = 0xFE0F;

    private Columns() {}

    /** Foreign text on one line: runs of white space as one, and nothing that a terminal would obey. */
    static String line(String text) {
        return exact(text.strip().replaceAll("\\s+", " "));
    }

    /** Foreign text on one line, every space as it is. */
    static String exact(String text) {
        return TURNS.matcher(Passage.visible(text))
                .replaceAll("")
                .replace('\n', '↵')
                .replace('\t', '⇥');
    }

    static int width(String text) {
        int width = 0;
        Matcher character = CHARACTER.matcher(text);
        while (character.find()) {
            width += characterWidth(character.group());
        }
        return width;
    }

    /** The text if it fits, else its beginning and an ellipsis: at most {@code width} columns. */
    static String cut(String text, int width) {
        StringBuilder kept = new StringBuilder();
        int used = 0;
        int fits = 0;
        Matcher character = CHARACTER.matcher(text);
        while (character.find()) {
            used += characterWidth(character.group());
            if (used > width) {
                return kept.substring(0, fits) + "…";
            }
            kept.append(character.group());
            if (used <= width - 1) {
                fits = kept.length();
            }
        }
        return text;
    }

    static String padRight(String text, int width) {
        return text + " ".repeat(Math.max(0, width - width(text)));
    }

    static String padLeft(String text, int width) {
        return " ".repeat(Math.max(0, width - width(text))) + text;
    }

    /** The text in lines of at most {@code width} columns, broken at spaces where there are any. */
    static List<String> wrap(String text, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        int used = 0;
        for (String word : text.split(" ", -1)) {
            int wide = width(word);
            if (used > 0 && used + 1 + wide > width) {
                lines.add(line.toString());
                line.setLength(0);
                used = 0;
            }
            if (used > 0) {
                line.append(' ');
                used++;
            }
            if (wide <= width) {
                line.append(word);
                used += wide;
                continue;
            }
            Matcher character = CHARACTER.matcher(word);
            while (character.find()) {
                int own = characterWidth(character.group());
                if (used + own > width) {
                    lines.add(line.toString());
                    line.setLength(0);
                    used = 0;
                }
                line.append(character.group());
                used += own;
            }
        }
        if (used > 0 || lines.isEmpty()) {
            lines.add(line.toString());
        }
        return List.copyOf(lines);
    }

    private static int characterWidth(String character) {
        int first = character.codePointAt(0);
        if (Character.isEmojiPresentation(first)
                || character.indexOf(EMOJI_STYLE) > 0
                || WIDE.matcher(character).find()) {
            return 2;
        }
        return INVISIBLE.matcher(character).lookingAt() ? 0 : 1;
    }
}
