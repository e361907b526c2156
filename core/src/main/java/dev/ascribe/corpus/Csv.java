package dev.ascribe.corpus;

import dev.ascribe.Content;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * RFC 4180 with a header: values that hold a comma, a quote or a line end stand in quotes, a quote inside is doubled. The columns
 * are named as the keys of a JSON row. Blank lines may stand at the end only.
 */
final class Csv implements RowFormat {
    private static final String NAMES =
            "the first line names the columns: instruction, input (optional), output; or prompt, completion; or text";

    private List<String> columns = List.of();
    private Shape shape = Shape.TEXT;

    @Override
    public void split(MappedFile file, RowRanges rows) throws MalformedException {
        records(file, (start, length) -> readHeader(file, start, length), rows);
    }

    /** Told where the header stands. */
    @FunctionalInterface
    interface Header {
        void read(long start, int length) throws MalformedException;
    }

    /** Finds the header, which is told first, and every record after it. */
    static void records(MappedFile file, Header header, RowRanges rows) throws MalformedException {
        long end = file.size();
        while (end > file.start() && (file.at(end - 1) == '\n' || file.at(end - 1) == '\r')) {
            end--;
        }
        boolean first = true;
        for (long at = file.start(); at < end; ) {
            long next = recordEnd(file, at, end);
            long last = next > at && next < end && file.at(next - 1) == '\r' ? next - 1 : next;
            if (first) {
                header.read(at, (int) Math.min(last - at, Integer.MAX_VALUE - 8));
                first = false;
            } else {
                rows.add(at, last);
            }
            at = next + 1;
        }
    }

    /** The line end, outside quotes, of the record that begins here, or {@code end}. */
    private static long recordEnd(MappedFile file, long start, long end) throws MalformedException {
        long at = start;
        while (at < end) {
            if (file.at(at) == '"') {
                long quote = at;
                do { // a doubled quote closes and opens again
                    at = file.find((byte) '"', at + 1, end) + 1;
                    if (at > end) {
                        throw new MalformedException(quote, "a quote that is never closed; close it with \"");
                    }
                } while (at < end && file.at(at) == '"');
            }
            while (at < end && file.at(at) != ',' && file.at(at) != '\n') {
                at++;
            }
            if (at == end || file.at(at) == '\n') {
                return at;
            }
            at++;
        }
        return end;
    }

    private void readHeader(MappedFile file, long start, int length) throws MalformedException {
        List<String> names;
        byte[] bytes = file.read(start, length);
        try {
            names = values(Utf8.decode(bytes));
            for (String name : names) {
                if (!Shape.isKey(name)) {
                    throw new MalformedException(0, "unknown column \"%s\"; %s".formatted(name, NAMES));
                }
            }
            shape = Shape.of(distinct(names));
        } catch (MalformedException e) {
            throw new MalformedException(start + Utf8.byteOf(bytes, e.at()), e.what());
        }
        columns = names;
    }

    /** The names of columns, each of which stands once. */
    static Set<String> distinct(List<String> names) throws MalformedException {
        Set<String> keys = new LinkedHashSet<>();
        for (String name : names) {
            if (!keys.add(name)) {
                throw new MalformedException(0, "column \"%s\" stands twice; remove one".formatted(name));
            }
        }
        return keys;
    }

    @Override
    public Content parse(String row) throws MalformedException {
        List<String> values = values(row, columns);
        Map<String, String> byColumn = new LinkedHashMap<>();
        for (int i = 0; i < columns.size(); i++) {
            byColumn.put(columns.get(i), values.get(i));
        }
        return shape.content(byColumn);
    }

    /** The values of a record that has one for each column, without their quotes. */
    static List<String> values(String row, List<String> columns) throws MalformedException {
        if (row.isEmpty()) {
            throw new MalformedException(0, "an empty line; remove it, or write \"\" for an empty value");
        }
        List<String> values = values(row);
        if (values.size() != columns.size()) {
            throw new MalformedException(
                    0,
                    "%d values for %d columns (%s); a value with a comma in it must stand in quotes"
                            .formatted(values.size(), columns.size(), String.join(", ", columns)));
        }
        return values;
    }

    /** The values of a record, without their quotes. */
    static List<String> values(String record) throws MalformedException {
        List<String> values = new ArrayList<>();
        int at = 0;
        while (true) {
            int end;
            if (record.startsWith("\"", at)) {
                end = closingQuote(record, at) + 1;
                values.add(record.substring(at + 1, end - 1).replace("\"\"", "\""));
                if (end < record.length() && record.charAt(end) != ',') {
                    throw new MalformedException(
                            end, "a comma was expected after the closing quote; double a quote inside a value");
                }
            } else {
                int comma = record.indexOf(',', at);
                end = comma < 0 ? record.length() : comma;
                int quote = record.indexOf('"', at);
                if (quote >= 0 && quote < end) {
                    throw new MalformedException(
                            quote, "a quote inside a value without quotes; put it in quotes and double the one inside");
                }
                values.add(record.substring(at, end));
            }
            if (end == record.length()) {
                return values;
            }
            at = end + 1;
        }
    }

    private static int closingQuote(String record, int open) throws MalformedException {
        int at = record.indexOf('"', open + 1);
        while (at >= 0 && record.startsWith("\"", at + 1)) {
            at = record.indexOf('"', at + 2);
        }
        if (at < 0) {
            throw new MalformedException(open, "a quote that is never closed; close it with \"");
        }
        return at;
    }
}
