package dev.ascribe;

/**
 * Names the training samples behind an output.
 *
 * @param <Q> a query: what was asked and answered
 */
public interface Attributor<Q> extends AutoCloseable {

    /**
     * @param query the output to trace
     * @param top how many rows to name, at least 1
     */
    Attribution attribute(Q query, int top);

    @Override
    void close();
}
