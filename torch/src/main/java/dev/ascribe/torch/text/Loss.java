package dev.ascribe.torch.text;

import dev.ascribe.UserInputException;
import java.util.Locale;

/** Which tokens of a row are learned: option {@code --loss}. */
public enum Loss {
    /** The tokens of the response and the EOS after it. */
    RESPONSE,
    /** Every token but the first, which nothing predicts. */
    ALL;

    /** Reads {@code response} or {@code all}. */
    public static Loss parse(String value) {
        return switch (value) {
            case "response" -> RESPONSE;
            case "all" -> ALL;
            default -> throw new UserInputException("--loss is \"%s\"; give response or all.".formatted(value));
        };
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
