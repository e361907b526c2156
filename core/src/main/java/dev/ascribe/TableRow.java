package dev.ascribe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A row of a table as a model of trees sees it.
 *
 * @param label its class by name, or its number, as text
 * @param values its fields as they stand, in the order of {@link Attribution.Model#features}
 * @param sharedLeaves the share of the model's trees in which it falls into the query's leaf, 0 to 1; null of a query itself, and where
 *     no single row is asked about
 */
public record TableRow(
        String label,
        List<String> values,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Double sharedLeaves) {
    public TableRow {
        values = List.copyOf(values);
    }
}
