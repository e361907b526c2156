package dev.ascribe.corpus;

import java.util.function.Consumer;

/**
 * How a corpus is opened.
 *
 * @param skipBad leave out rows that cannot be used, count them and say so in a warning, instead of refusing the file
 * @param warnings told, a message at a time, of skipped rows and of rows that repeat an earlier one
 */
public record CorpusOptions(boolean skipBad, Consumer<String> warnings) {

    /** Refuses a file with a bad row, and tells nobody of repeated rows. */
    public static CorpusOptions strict() {
        return new CorpusOptions(false, message -> {});
    }
}
