package dev.ascribe.corpus;

import dev.ascribe.Content;

/**
 * Documents of plain text with one or more blank lines between them. A line of nothing but spaces and tabs is blank. A document
 * is kept whole however long it is, with its line ends and indents as they are; only the end of its last line is not part of it.
 */
final class PlainText implements RowFormat {

    @Override
    public void split(MappedFile file, RowRanges rows) throws MalformedException {
        long documentStart = -1;
        long documentEnd = -1;
        for (long at = file.start(); at < file.size(); ) {
            long next = file.find((byte) '\n', at, file.size());
            long end = next > at && file.at(next - 1) == '\r' ? next - 1 : next;
            if (!isBlank(file, at, end)) {
                documentStart = documentStart < 0 ? at : documentStart;
                documentEnd = end;
            } else if (documentStart >= 0) {
                rows.add(documentStart, documentEnd);
                documentStart = -1;
            }
            at = next + 1;
        }
        if (documentStart >= 0) {
            rows.add(documentStart, documentEnd);
        }
    }

    private static boolean isBlank(MappedFile file, long from, long to) {
        for (long at = from; at < to; at++) {
            if (!JsonLines.isSpace(file.at(at))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Content parse(String row) {
        return new Content.Text(row);
    }
}
