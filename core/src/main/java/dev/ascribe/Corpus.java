package dev.ascribe;

import java.util.AbstractList;
import java.util.List;

/** An ordered, random-access view of samples, named by the Merkle root of their ids. Safe for use by many threads. */
public interface Corpus extends AutoCloseable {

    /** How many rows there are. */
    int size();

    /**
     * The sample at a row.
     *
     * @param row zero-based
     */
    Sample sample(int row);

    /** The identity of the sample at a row, without reading its content again where it is known. */
    SampleId id(int row);

    /** {@code sha256:<hex>} of the RFC 6962 Merkle tree over the ids in order: changes when any row or their order does. */
    String digest();

    /** Where it came from, for people and error messages. */
    String name();

    /** All samples in order, read when asked for. */
    default List<Sample> samples() {
        return new AbstractList<>() {
            @Override
            public Sample get(int row) {
                return sample(row);
            }

            @Override
            public int size() {
                return Corpus.this.size();
            }
        };
    }

    @Override
    void close();
}
