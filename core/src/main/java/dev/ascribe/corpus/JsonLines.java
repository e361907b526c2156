package dev.ascribe.corpus;

import dev.ascribe.Content;

/** One JSON object a line. Lines end at {@code \n} and nowhere else: U+2028 is text. Blank lines may stand at the end only. */
final class JsonLines implements RowFormat {

    @Override
    public void split(MappedFile file, RowRanges rows) throws MalformedException {
        long end = file.size();
        while (end > file.start() && isSpace(file.at(end - 1))) {
            end--;
        }
        for (long at = file.start(); at < end; ) {
            long next = file.find((byte) '\n', at, end);
            rows.add(at, next);
            at = next + 1;
        }
    }

    @Override
    public Content parse(String row) throws MalformedException {
        return JsonRow.parse(row);
    }

    /** White space of JSON. */
    static boolean isSpace(byte b) {
        return b == ' ' || b == '\t' || b == '\r' || b == '\n';
    }
}
