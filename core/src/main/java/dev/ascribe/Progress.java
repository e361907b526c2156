package dev.ascribe;

/** Told how far a long piece of work has come. */
@FunctionalInterface
public interface Progress {
    /** Tells nobody. */
    Progress SILENT = (job, done, total) -> {};

    /**
     * Called often; the receiver decides what to show.
     *
     * @param job what is being done, in a few words
     * @param done units finished
     * @param total units in all
     */
    void at(String job, long done, long total);
}
