package dev.ascribe.tree;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A feature of a model.
 *
 * @param name as the model says it, or {@code feature N} where it has none
 * @param categorical whether its values are categories
 * @param categories the categories in the order of their codes, each a text as a CSV field has it, or null when the model does not say
 * @param zeroIsMissing whether zeros count as missing
 */
public record Feature(
        String name, boolean categorical, @Nullable List<String> categories, boolean zeroIsMissing) {
    public Feature {
        categories = categories == null ? null : List.copyOf(categories);
    }

    static Feature numeric(String name) {
        return new Feature(name, false, null, false);
    }
}
