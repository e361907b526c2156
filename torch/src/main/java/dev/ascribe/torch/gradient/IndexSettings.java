package dev.ascribe.torch.gradient;

import dev.ascribe.UserInputException;
import dev.ascribe.store.Block;
import dev.ascribe.store.Dtype;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.train.Run.TextSettings;
import java.util.List;
import java.util.function.Supplier;

/**
 * What an index's features depend on beside model, corpus and checkpoint.
 *
 * @param sites {@code lora}, {@code all}, {@code last} or a regular expression
 * @param projection numbers a matrix on average, such as {@code 256}; or the sides of {@link Projection}, such as {@code 16x16};
 *     or {@code none}
 * @param width {@code all}, or columns of a sketch of the whole row, in which case no matrix has numbers of its own
 * @param dtype of the stored numbers
 * @param products precision of the model's linear products
 * @param text how rows become tokens
 * @param seed of projection and sketch, and of A at the start where no run says it
 */
public record IndexSettings(
        String sites, String projection, String width, Dtype dtype, Precision products, TextSettings text, long seed) {
    public IndexSettings {
        if (!projection.matches("none|[1-9][0-9]{0,6}") && !projection.matches("[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")) {
            throw new UserInputException("--projection '" + projection
                    + "' must be numbers a matrix such as 256, two sides such as 16x16, or none");
        }
        if (!width.equals("all") && !width.matches("[1-9][0-9]{0,7}")) {
            throw new UserInputException("--width '" + width + "' must be all or a number of columns such as 4096");
        }
    }

    /** The projection of both sides. */
    Projection sides() {
        int cross = projection.indexOf('x');
        return cross < 0
                ? Projection.none()
                : new Projection(
                        Integer.parseInt(projection.substring(0, cross)),
                        Integer.parseInt(projection.substring(cross + 1)),
                        seed);
    }

    /**
     * The blocks to store.
     *
     * @param full those of features whose sides are projected
     * @param shares of each block in inner products, asked for only where they matter
     */
    List<Block> stored(List<Block> full, Supplier<double[]> shares) {
        if (!width.equals("all")) {
            return Sketch.whole(full, Integer.parseInt(width));
        }
        boolean each = !projection.equals("none") && projection.indexOf('x') < 0;
        return each ? Sketch.each(full, Integer.parseInt(projection), shares) : full;
    }
}
