package dev.ascribe.corpus;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.CorruptDataException;
import dev.ascribe.Sample;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import java.util.BitSet;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A mapped file with the range and the id of every row in memory, 44 bytes a row; a row is parsed when it is asked for. */
final class FileCorpus implements Corpus {
    private final MappedFile file;
    private final RowFormat format;
    private final RowRanges rows = new RowRanges();
    private final SampleIds ids;
    private final String digest;

    /** Owns the file only once it is made: a caller closes the file when this fails. */
    FileCorpus(MappedFile file, RowFormat format, CorpusOptions options) {
        this.file = file;
        this.format = format;
        MalformedException broken = split();
        this.ids = new SampleIds(rows.size());
        BitSet bad = hash();
        if (!bad.isEmpty() && !options.skipBad()) {
            throw new UserInputException(
                    problem(bad.nextSetBit(0)) + ". Correct it, or leave bad rows out (--skip-bad)");
        }
        if (broken != null) { // after bad rows before it, one of which may be its cause
            throw new UserInputException(file.place(broken.at()) + ": " + broken.what());
        }
        if (!bad.isEmpty()) {
            options.warnings().accept(skipped(bad));
            rows.removeAll(bad);
            ids.removeAll(bad);
        }
        if (rows.size() == 0) {
            throw new UserInputException(
                    file.path() + " holds no rows" + (bad.isEmpty() ? "; is it empty?" : " that can be used"));
        }
        ids.reportRepeated(name(), options.warnings());
        this.digest = ids.digest();
    }

    private @Nullable MalformedException split() {
        try {
            format.split(file, rows);
            return null;
        } catch (MalformedException e) {
            return e;
        }
    }

    /** Sets the ids of all good rows and returns the bad ones. */
    private BitSet hash() {
        boolean[] bad = new boolean[rows.size()];
        IntStream.range(0, rows.size()).parallel().forEach(row -> {
            try {
                ids.set(row, CanonicalJson.id(content(row)));
            } catch (MalformedException e) {
                bad[row] = true;
            }
        });
        BitSet set = new BitSet();
        for (int row = 0; row < bad.length; row++) {
            if (bad[row]) {
                set.set(row);
            }
        }
        return set;
    }

    private Content content(int row) throws MalformedException {
        return format.parse(Utf8.decode(file.read(rows.start(row), rows.length(row))));
    }

    /** What is wrong with a bad row, and where. */
    private String problem(int row) {
        try {
            content(row);
        } catch (MalformedException e) {
            byte[] bytes = file.read(rows.start(row), rows.length(row));
            return file.place(rows.start(row) + Utf8.byteOf(bytes, e.at())) + ": " + e.what();
        }
        throw new CorruptDataException(file.path() + " changed while it was opened; open it again");
    }

    private String skipped(BitSet bad) {
        StringJoiner examples = new StringJoiner("; ");
        bad.stream().limit(SampleIds.EXAMPLES).forEach(row -> examples.add(problem(row)));
        return "%s: skipped %,d of %,d rows; the others are numbered as if these were not there: %s%s"
                .formatted(
                        name(),
                        bad.cardinality(),
                        rows.size(),
                        examples,
                        bad.cardinality() > SampleIds.EXAMPLES ? "; …" : "");
    }

    @Override
    public int size() {
        return rows.size();
    }

    @Override
    public Sample sample(int row) {
        SampleId id = id(row);
        try {
            Content content = content(row);
            if (CanonicalJson.id(content).equals(id)) {
                return new Sample(row, id, content);
            }
        } catch (MalformedException | InternalError changedOrCut) {
            // It was a row when the file was opened.
        }
        throw new CorruptDataException(
                "row %d of %s is not what it was when the file was opened; open it again".formatted(row, name()));
    }

    @Override
    public SampleId id(int row) {
        return ids.get(Objects.checkIndex(row, rows.size()));
    }

    @Override
    public String digest() {
        return digest;
    }

    @Override
    public String name() {
        return file.path().toString();
    }

    @Override
    public void close() {
        file.close();
    }
}
