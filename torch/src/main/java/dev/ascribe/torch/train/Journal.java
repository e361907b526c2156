package dev.ascribe.torch.train;

import java.util.List;

/**
 * Is told what a run does, so that it can be recorded. What is told, and in which order, depends on rows, recipe, plan and seed alone: a
 * run that was interrupted tells all of it again, from the beginning, when it goes on. So a journal may lose its end at a crash, and
 * must leave out what it has already.
 *
 * <p>Nothing that it does may change the training, and no call but the last should wait.
 */
public interface Journal {
    /** Writes nothing. */
    Journal NONE = new Journal() {
        @Override
        public void begun(List<Integer> learned, List<Integer> heldOut) {}

        @Override
        public void step(int epoch, int step, List<Integer> rows) {}

        @Override
        public void checkpoint(Checkpoint checkpoint, boolean selected) {}

        @Override
        public void finished(Checkpoint last) {}
    };

    /**
     * The rows are read and divided.
     *
     * @param learned row numbers
     * @param heldOut row numbers
     */
    void begun(List<Integer> learned, List<Integer> heldOut);

    /**
     * The weights were updated.
     *
     * @param epoch passes over the rows, this one included
     * @param step updates, this one included
     * @param rows row numbers of the batch, in its order
     */
    void step(int epoch, int step, List<Integer> rows);

    /**
     * A checkpoint is kept and it is known whether it is selected: told when the next one is kept, or at the end.
     *
     * @param checkpoint its file is complete; the training loss of the start is that of the first batch
     * @param selected as {@link Run#selected}
     */
    void checkpoint(Checkpoint checkpoint, boolean selected);

    /** The last thing to be told, before {@code run.json} makes the run complete: returns when all of it is durable. */
    void finished(Checkpoint last);
}
