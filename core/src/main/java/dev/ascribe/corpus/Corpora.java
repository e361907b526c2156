package dev.ascribe.corpus;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UserInputException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Opens corpora.
 *
 * <p>The format is told by the extension, and where that is not one of these by the content:
 *
 * <ul>
 *   <li>{@code .csv}: RFC 4180 with a header
 *   <li>{@code .txt}: documents with blank lines between them
 *   <li>{@code .json}, {@code .jsonl} and what else begins with <code>{</code> or {@code [}: a JSON array if it begins with {@code [},
 *       else one object a line
 * </ul>
 *
 * <p>A file is UTF-8, with or without a byte order mark. A row is an object with the keys {@code instruction}, {@code input} (optional)
 * and {@code output}; or {@code prompt} and {@code completion}; or {@code messages}, the last of them the assistant's; or {@code text}.
 * Any other key is an error, as is a key that stands twice: a misspelt key must not silently become an empty field.
 *
 * <p>Rows are numbered from 0 in the order of the file; bad rows that were skipped have no number, so numbers are positions among the rows
 * that are used.
 */
public final class Corpora {
    private Corpora() {}

    /**
     * Opens a file: finds its rows, checks and names each of them, keeps none. Rows of up to 2 GiB, files of any size.
     *
     * @throws UserInputException when the file or (unless they are skipped) a row cannot be used; the message names line and column
     */
    public static Corpus open(Path data, CorpusOptions options) {
        MappedFile file = MappedFile.open(data);
        boolean opened = false;
        try {
            Corpus corpus = new FileCorpus(file, format(file), options);
            opened = true;
            return corpus;
        } catch (InternalError e) {
            throw new CorruptDataException(data + " became shorter while it was opened; open it again", e);
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    /** A corpus of these rows, in memory. */
    public static Corpus of(String name, List<? extends Content> rows) {
        return new ListCorpus(name, rows);
    }

    private static RowFormat format(MappedFile file) {
        String name = String.valueOf(file.path().getFileName()).toLowerCase(Locale.ROOT);
        if (file.size() == file.start()) {
            throw new UserInputException(file.path() + " is empty; it must hold at least one row");
        }
        if (name.endsWith(".csv")) {
            return new Csv();
        }
        if (name.endsWith(".txt")) {
            return new PlainText();
        }
        long at = file.start();
        while (at < file.size() - 1 && JsonLines.isSpace(file.at(at))) {
            at++;
        }
        byte first = file.at(at);
        if (first == '[') {
            return new JsonArray();
        }
        if (first == '{' || name.endsWith(".json") || name.endsWith(".jsonl")) {
            return new JsonLines();
        }
        throw new UserInputException(
                file.path() + " is of no known format; name it .jsonl, .json, .csv or .txt after what it holds");
    }
}
