package dev.ascribe.torch.gradient;

import dev.ascribe.UserInputException;
import dev.ascribe.store.Dtype;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.train.Run.TextSettings;

/**
 * What an index's features depend on beside model, corpus and checkpoint.
 *
 * @param sites {@code lora}, {@code all}, {@code last} or a regular expression
 * @param projection {@code 16x16} or {@code none}
 * @param width {@code all}, or columns of a sketch
 * @param dtype of the stored numbers
 * @param products precision of the model's linear products
 * @param text how rows become tokens
 * @param seed of projection and sketch, and of A at the start where no run says it
 */
public record IndexSettings(
        String sites, String projection, String width, Dtype dtype, Precision products, TextSettings text, long seed) {
    public IndexSettings {
        Projection.parse(projection, seed);
        if (!width.equals("all") && !width.matches("[1-9][0-9]{0,7}")) {
            throw new UserInputException("--width '" + width + "' must be all or a number of columns such as 4096");
        }
    }

    /** The projection of both sides. */
    Projection signs() {
        return Projection.parse(projection, seed);
    }

    /** Features as these settings lay them out. */
    GradientFeatures layout(GradientFeatures features) {
        return width.equals("all") ? features : features.sketched(Integer.parseInt(width), seed);
    }
}
