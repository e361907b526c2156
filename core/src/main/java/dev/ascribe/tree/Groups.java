package dev.ascribe.tree;

import dev.ascribe.UserInputException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Two groups of rows, told apart by what a column says.
 *
 * @param column any column of the table, a feature or not
 * @param a the value of the first group, as it stands in the file
 * @param b the value of the second
 */
public record Groups(String column, String a, String b) {
    private static final int VALUES_TOLD = 8;

    public Groups {
        if (a.equals(b)) {
            throw new UserInputException(
                    "--contrast %s=%s,%s names the same value twice; name two that differ".formatted(column, a, b));
        }
    }

    /** @param text {@code COLUMN=a,b} */
    public static Groups parse(String text) {
        int equals = text.indexOf('=');
        int comma = text.indexOf(',', equals);
        if (equals < 1 || comma < equals + 2 || comma == text.length() - 1 || text.indexOf(',', comma + 1) >= 0) {
            throw new UserInputException(
                    "--contrast '%s' must be COLUMN=a,b: a column of --query and two of its values, as in sex=Female,Male"
                            .formatted(text));
        }
        return new Groups(text.substring(0, equals), text.substring(equals + 1, comma), text.substring(comma + 1));
    }

    /** The rows of each group, in their order. */
    record Members(List<Integer> a, List<Integer> b) {}

    /**
     * Finds the groups.
     *
     * @throws UserInputException when the column is not there, or a value has no row
     */
    Members in(Table table) {
        int at = table.rows().columns().indexOf(column);
        if (at < 0) {
            throw new UserInputException("%s has no column '%s', which --contrast names; its columns are %s"
                    .formatted(
                            table.rows().path(),
                            column,
                            String.join(", ", table.rows().columns())));
        }
        Members members = new Members(new ArrayList<>(), new ArrayList<>());
        Set<String> seen = new LinkedHashSet<>();
        for (int row = 0; row < table.size(); row++) {
            String value = table.rows().row(row).get(at).strip();
            seen.add(value);
            if (value.equals(a)) {
                members.a.add(row);
            } else if (value.equals(b)) {
                members.b.add(row);
            }
        }
        for (String value : List.of(a, b)) {
            if (!seen.contains(value)) {
                throw new UserInputException("%s has no row whose '%s' is '%s', which --contrast names; it has %s"
                        .formatted(
                                table.rows().path(),
                                column,
                                value,
                                String.join(
                                                ", ",
                                                seen.stream().limit(VALUES_TOLD).toList())
                                        + (seen.size() > VALUES_TOLD ? ", …" : "")));
            }
        }
        return members;
    }
}
