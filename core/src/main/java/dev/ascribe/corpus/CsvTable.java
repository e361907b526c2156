package dev.ascribe.corpus;

import dev.ascribe.CorruptDataException;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A CSV file whose columns are the user's own: RFC 4180 with a header, mapped; a row is parsed when it is asked for. Twelve bytes
 * of memory a row. Safe for use by many threads.
 *
 * <p>The identity of a row is the SHA-256 of {@link CanonicalJson}'s form of the object whose keys are the columns in the file's order
 * and whose values are the fields as they stand, unquoted: {@code {"age":"39","job":"State-gov"}}.
 */
public final class CsvTable implements AutoCloseable {
    private final MappedFile file;
    private final RowRanges rows = new RowRanges();
    private List<String> columns = List.of();

    private CsvTable(MappedFile file) {
        this.file = file;
    }

    /**
     * Opens a file and finds its rows.
     *
     * @throws UserInputException when it cannot be read, has no header or no rows, or a quote is never closed
     */
    public static CsvTable open(Path path) {
        MappedFile file = MappedFile.open(path);
        CsvTable table = new CsvTable(file);
        boolean opened = false;
        try {
            Csv.records(file, table::readHeader, table.rows);
            if (table.rows.size() == 0) {
                throw new UserInputException(
                        path + " holds no rows; its first line names the columns, each other line is a row");
            }
            opened = true;
            return table;
        } catch (MalformedException e) {
            throw new UserInputException(file.place(e.at()) + ": " + e.what(), e);
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    private void readHeader(long start, int length) throws MalformedException {
        try {
            columns = List.copyOf(Csv.values(Utf8.decode(file.read(start, length))));
            Csv.distinct(columns);
        } catch (MalformedException e) {
            throw new MalformedException(start, e.what());
        }
    }

    /** The file, for people and error messages. */
    public Path path() {
        return file.path();
    }

    /** The columns' names in the file's order. */
    public List<String> columns() {
        return columns;
    }

    /** How many rows there are, the header not counted. */
    public int size() {
        return rows.size();
    }

    /**
     * The fields of a row as they stand, one a column.
     *
     * @param row zero-based
     * @throws UserInputException when the row has not one value for each column; the message names line and column
     */
    public List<String> row(int row) {
        Objects.checkIndex(row, rows.size());
        try {
            return Csv.values(Utf8.decode(file.read(rows.start(row), rows.length(row))), columns);
        } catch (MalformedException e) {
            byte[] bytes = file.read(rows.start(row), rows.length(row));
            throw new UserInputException(
                    file.place(rows.start(row) + Utf8.byteOf(bytes, e.at())) + " (row " + row + "): " + e.what(), e);
        } catch (InternalError e) {
            throw new CorruptDataException(path() + " became shorter while it was read; start again", e);
        }
    }

    /** The identity of a row. */
    public SampleId id(int row) {
        List<String> fields = row(row);
        StringBuilder json = new StringBuilder();
        for (int i = 0; i < fields.size(); i++) {
            CanonicalJson.string(json.append(i == 0 ? '{' : ','), columns.get(i));
            CanonicalJson.string(json.append(':'), fields.get(i));
        }
        return SampleId.of(json.append('}').toString().getBytes(StandardCharsets.UTF_8));
    }

    /** A row for people: {@code age=39, job=State-gov}. */
    public String text(int row) {
        List<String> fields = row(row);
        List<String> named = new ArrayList<>();
        for (int i = 0; i < fields.size(); i++) {
            named.add(columns.get(i) + "=" + fields.get(i));
        }
        return String.join(", ", named);
    }

    /** {@code sha256:<hex>} of the Merkle tree over the ids in order, as of every corpus. */
    public String digest() {
        SampleIds ids = new SampleIds(size());
        IntStream.range(0, size()).parallel().forEach(row -> ids.set(row, id(row)));
        return ids.digest();
    }

    @Override
    public void close() {
        file.close();
    }
}
