package dev.ascribe.torch.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What Python's strings do, where Java's do otherwise. */
final class Python {
    private Python() {}

    /** {@code str.isspace} of one character: Unicode white space and the separators 0x1c to 0x1f. */
    static boolean isSpace(char c) {
        return Character.isSpaceChar(c) || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f) || c == 0x85;
    }

    static boolean isSpace(String text) {
        return !text.isEmpty() && lstrip(text).isEmpty();
    }

    /** Whether jinjava would take the string for a falsehood, which in Python only the empty string is. */
    static boolean isFalse(String text) {
        return text.equalsIgnoreCase("false");
    }

    static String lstrip(String text) {
        int start = 0;
        while (start < text.length() && isSpace(text.charAt(start))) {
            start++;
        }
        return text.substring(start);
    }

    static String rstrip(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    static String strip(String text) {
        return lstrip(rstrip(text));
    }

    static String lstrip(String text, String characters) {
        int start = 0;
        while (start < text.length() && characters.indexOf(text.charAt(start)) >= 0) {
            start++;
        }
        return text.substring(start);
    }

    static String rstrip(String text, String characters) {
        int end = text.length();
        while (end > 0 && characters.indexOf(text.charAt(end - 1)) >= 0) {
            end--;
        }
        return text.substring(0, end);
    }

    /** {@code str.capitalize()}. */
    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = Character.charCount(text.codePointAt(0));
        return Character.toString(Character.toTitleCase(text.codePointAt(0)))
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    /** {@code str.split(separator)}: empty parts are kept. */
    static List<String> split(String text, String separator) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int i = text.indexOf(separator); i >= 0; i = text.indexOf(separator, from)) {
            parts.add(text.substring(from, i));
            from = i + separator.length();
        }
        parts.add(text.substring(from));
        return parts;
    }

    /** {@code str.split()}: at runs of white space. */
    static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (char c : (text + " ").toCharArray()) {
            if (!isSpace(c)) {
                part.append(c);
            } else if (!part.isEmpty()) {
                parts.add(part.toString());
                part.setLength(0);
            }
        }
        return parts;
    }
}
