package dev.ascribe.similarity;

/** How alike a text and each row of one corpus are. Safe for use by many threads. */
public interface Similarity extends AutoCloseable {

    /** What it is called in results and on the command line. */
    String name();

    /**
     * The score of every row, higher = more alike; scores of different similarities have different units.
     *
     * @param query any text; nothing in it is syntax
     * @return shape (rows), finite
     */
    double[] scores(String query);

    @Override
    void close();
}
