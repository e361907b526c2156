package dev.ascribe.corpus;

import dev.ascribe.Content;

/** One JSON array of objects. */
final class JsonArray implements RowFormat {

    @Override
    public void split(MappedFile file, RowRanges rows) throws MalformedException {
        long open = skipSpace(file, file.start());
        long at = skipSpace(file, open + 1);
        if (at == file.size() || file.at(at) != ']') {
            at = splitRows(file, open, at, rows);
        }
        long after = skipSpace(file, at + 1);
        if (after < file.size()) {
            throw new MalformedException(after, "text after the end of the array; remove it");
        }
    }

    /** Adds the rows from {@code at} on and returns the place of the closing bracket. */
    private static long splitRows(MappedFile file, long open, long first, RowRanges rows) throws MalformedException {
        long at = first;
        while (true) {
            long end = rowEnd(file, at);
            rows.add(at, end);
            at = skipSpace(file, end);
            if (at == file.size()) {
                throw new MalformedException(open, "an array that is never closed; is the file complete?");
            }
            if (file.at(at) == ']') {
                return at;
            }
            if (file.at(at) != ',') {
                throw new MalformedException(at, "a comma or ] was expected after a row");
            }
            at = skipSpace(file, at + 1);
        }
    }

    /** The byte after the value that begins here: brackets and strings decide, whether they match is found when it is parsed. */
    private static long rowEnd(MappedFile file, long start) {
        int depth = 0;
        boolean inString = false;
        for (long at = start; at < file.size(); at++) {
            byte b = file.at(at);
            if (inString) {
                if (b == '\\') {
                    at++;
                } else if (b == '"') {
                    inString = false;
                }
            } else if (b == '"') {
                inString = true;
            } else if (b == '{' || b == '[') {
                depth++;
            } else if (depth == 0 && (b == ',' || b == ']' || JsonLines.isSpace(b))) {
                return at;
            } else if (b == '}' || b == ']') {
                if (--depth <= 0) {
                    return at + 1;
                }
            }
        }
        return file.size();
    }

    private static long skipSpace(MappedFile file, long from) {
        long at = from;
        while (at < file.size() && JsonLines.isSpace(file.at(at))) {
            at++;
        }
        return at;
    }

    @Override
    public Content parse(String row) throws MalformedException {
        return JsonRow.parse(row);
    }
}
