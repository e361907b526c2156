package dev.ascribe.tree;

import dev.ascribe.UserInputException;
import dev.ascribe.corpus.CsvTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a CSV file as a model sees them. Columns are matched with the model's features by name, in any order; by position only when
 * the model names none.
 *
 * <p>Holds 8 bytes a value, and the file stays mapped for the rows' texts and identities.
 */
public final class Table implements AutoCloseable {
    /** What a field says when its value is missing, beside an empty one. */
    private static final Set<String> MISSING = Set.of("", "NaN", "nan", "NA", "null");

    /**
     * What the columns are.
     *
     * @param target the label's column
     * @param weight the row weights' column, or null when each row weighs 1
     * @param ignored columns that are not looked at
     * @param missing texts that mean a missing value, beside the usual ones
     * @param categories the categories of columns, in the order of their codes, in place of the model's own
     * @param classes the labels' names in the model's order, or null when labels are numbers or the model names them
     */
    public record Layout(
            String target,
            @Nullable String weight,
            Set<String> ignored,
            Set<String> missing,
            Map<String, List<String>> categories,
            @Nullable List<String> classes) {
        public Layout {
            ignored = Set.copyOf(ignored);
            missing = Set.copyOf(missing);
            categories = Map.copyOf(categories);
            classes = classes == null ? null : List.copyOf(classes);
        }
    }

    /** What the rows are for. */
    public enum Role {
        /** The model was trained on them. */
        TRAINING,
        /** Predictions of them are traced. Their weights are not looked at. */
        QUERY
    }

    private final CsvTable rows;
    private final TreeEnsemble model;
    private final Layout layout;
    private final Role role;
    private final double[][] features; // (F, n)
    private final double[] labels; // (n)
    private final double[] weights; // (n)
    private final int target; // its column
    private final int[] columns; // of the features, (F)

    private Table(CsvTable rows, TreeEnsemble model, Layout layout, Role role) {
        this.rows = rows;
        this.model = model;
        this.layout = layout;
        this.role = role;
        this.features = new double[model.features().size()][rows.size()];
        this.labels = new double[rows.size()];
        this.weights = new double[rows.size()];
        Reading reading = new Reading();
        reading.readAll();
        this.target = reading.target;
        this.columns = reading.columns;
    }

    /**
     * Reads a file.
     *
     * @throws UserInputException when a column is missing or unknown, or a field cannot be used: the message names file, row, column
     *     and value
     */
    public static Table open(Path file, TreeEnsemble model, Layout layout, Role role) {
        CsvTable rows = CsvTable.open(file);
        boolean opened = false;
        try {
            Table table = new Table(rows, model, layout, role);
            opened = true;
            return table;
        } finally {
            if (!opened) {
                rows.close();
            }
        }
    }

    /** How many rows, n. */
    public int size() {
        return labels.length;
    }

    /** The file's rows as they stand. */
    public CsvTable rows() {
        return rows;
    }

    /** The column of the labels. */
    public String target() {
        return layout.target();
    }

    /** A row's label as it stands. */
    String labelText(int row) {
        return rows.row(row).get(target);
    }

    /** A row's fields as they stand, in the order of the model's features, (F). */
    List<String> fields(int row) {
        List<String> all = rows.row(row);
        return Arrays.stream(columns).mapToObj(all::get).toList();
    }

    /** Values of each feature, missing ones NaN, categories as their codes, (F, n). */
    public double[][] features() {
        return features;
    }

    /** Labels: numbers, or classes 0 … K − 1, (n). */
    public double[] labels() {
        return labels;
    }

    /** Row weights, (n). */
    public double[] weights() {
        return weights;
    }

    @Override
    public void close() {
        rows.close();
    }

    /** The number that a field is, or NaN when it is none or not finite. */
    static double number(String field) {
        int last = field.length() - 1;
        if (last < 0 || "dDfF".indexOf(field.charAt(last)) >= 0 || field.indexOf('x') >= 0 || field.indexOf('X') >= 0) {
            return Double.NaN; // Java's own suffixes and hexadecimal numbers
        }
        try {
            double number = Double.parseDouble(field);
            return Double.isFinite(number) ? number : Double.NaN;
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }

    /** Where each feature stands in the file, and how its fields become numbers. */
    private final class Reading {
        private final int[] columns = new int[model.features().size()];
        private final @Nullable Coding[] codings = new Coding[columns.length];
        private final Set<String> missing = new HashSet<>(MISSING);
        private final int target;
        private final int weight;
        private final @Nullable Coding classes;

        Reading() {
            missing.addAll(layout.missing());
            target = required(layout.target(), "the target (--target)");
            String weightColumn = layout.weight();
            weight = weightColumn == null || role == Role.QUERY ? -1 : required(weightColumn, "the weight (--weight)");
            layout.ignored().forEach(column -> {
                if (role == Role.TRAINING) {
                    required(column, "named by --ignore");
                }
            });
            matchColumns();
            for (int f = 0; f < codings.length; f++) {
                Feature feature = model.features().get(f);
                List<String> given = layout.categories().get(feature.name());
                List<String> names = given != null ? given : feature.categories();
                codings[f] = feature.categorical() && names != null ? new Coding(names) : null;
            }
            layout.categories().keySet().forEach(column -> {
                if (model.features().stream()
                        .noneMatch(feature ->
                                feature.categorical() && feature.name().equals(column))) {
                    throw new UserInputException("--categories names column '%s', which is no categorical feature of %s"
                            .formatted(column, model.path()));
                }
            });
            classes = classes();
        }

        private @Nullable Coding classes() {
            List<String> given = layout.classes();
            int count = model.labelClasses();
            if (given != null && count == 0) {
                throw new UserInputException("--classes %s: %s predicts numbers, not classes; leave it out"
                        .formatted(String.join(",", given), model.path()));
            }
            if (given != null && (given.size() != count || new HashSet<>(given).size() != count)) {
                throw new UserInputException(
                        "--classes %s must name the %d classes of %s, each once, in the model's order"
                                .formatted(String.join(",", given), count, model.path()));
            }
            List<String> names = given != null ? given : model.classes();
            return names == null ? null : new Coding(names);
        }

        private int required(String column, String what) {
            int at = rows.columns().indexOf(column);
            if (at < 0) {
                throw new UserInputException("%s has no column '%s', %s; its columns are %s"
                        .formatted(rows.path(), column, what, String.join(", ", rows.columns())));
            }
            return at;
        }

        private void matchColumns() {
            List<String> names = model.features().stream().map(Feature::name).toList();
            boolean byName = model.named() || rows.columns().containsAll(names);
            List<Integer> others = new ArrayList<>();
            for (int at = 0; at < rows.columns().size(); at++) {
                String column = rows.columns().get(at);
                if (column.equals(layout.target())
                        || column.equals(layout.weight())
                        || layout.ignored().contains(column)) {
                    if (byName && names.contains(column)) {
                        throw new UserInputException(
                                "column '%s' is a feature of %s and cannot be the target, the weight or ignored"
                                        .formatted(column, model.path()));
                    }
                    continue;
                }
                others.add(at);
                if (byName && !names.contains(column)) {
                    throw new UserInputException("%s: column '%s' is no feature of %s; leave it out with --ignore %s"
                            .formatted(rows.path(), column, model.path(), column));
                }
            }
            if (byName) {
                for (int f = 0; f < columns.length; f++) {
                    columns[f] = required(names.get(f), "a feature of " + model.path());
                }
                return;
            }
            if (others.size() != columns.length) {
                throw new UserInputException(
                        "%s has %d columns beside target, weight and ignored ones, but %s has %d features, which it does not name"
                                .formatted(rows.path(), others.size(), model.path(), columns.length));
            }
            Arrays.setAll(columns, others::get);
        }

        void readAll() {
            Chunks.of(rows.size()).forEach((chunk, from, to) -> {
                for (int row = from; row < to; row++) {
                    read(row, rows.row(row));
                }
            });
        }

        private void read(int row, List<String> fields) {
            for (int f = 0; f < columns.length; f++) {
                features[f][row] = feature(row, f, fields.get(columns[f]));
            }
            boolean single = model.precision().singleLabels();
            double label = label(row, fields.get(target));
            labels[row] = single ? (float) label : label;
            double one = weight < 0 ? 1 : weight(row, fields.get(weight));
            weights[row] = single ? (float) one : one;
        }

        private UserInputException wrong(int row, int column, String field, String what) {
            return new UserInputException("%s, row %d, column '%s': '%s' %s"
                    .formatted(rows.path(), row, rows.columns().get(column), field, what));
        }

        private double feature(int row, int f, String field) {
            if (missing.contains(field)) {
                return Double.NaN;
            }
            Feature feature = model.features().get(f);
            Coding coding = codings[f];
            if (coding != null) {
                OptionalInt code = coding.code(field);
                if (code.isPresent()) {
                    return code.getAsInt();
                }
                if (role == Role.QUERY && model.kind() == TreeEnsemble.Kind.LIGHTGBM) {
                    return Double.NaN; // as LightGBM has it
                }
                throw wrong(
                        row,
                        columns[f],
                        field,
                        "is no category that the model knows; correct it, or give all with --categories");
            }
            double number = number(field);
            if (Double.isNaN(number) || (model.precision().singleInputs() && Float.isInfinite((float) number))) {
                throw wrong(
                        row,
                        columns[f],
                        field,
                        feature.categorical()
                                ? "is no category code, and the model stores no names of categories that can be read; give them with --categories"
                                : "is not a number; a missing value is empty, NaN, NA, null or what --missing names");
            }
            if (feature.categorical() && (number < 0 || number != Math.rint(number))) {
                throw wrong(row, columns[f], field, "is no category code: codes are 0, 1, 2, …");
            }
            return number;
        }

        private double label(int row, String field) {
            if (missing.contains(field)) {
                throw wrong(row, target, field, "is a missing target; fill it in or leave the row out");
            }
            if (classes != null) {
                return classes.code(field)
                        .orElseThrow(() -> wrong(
                                row,
                                target,
                                field,
                                "is none of the classes %s; name them in the model's order with --classes"
                                        .formatted(layout.classes() != null ? layout.classes() : model.classes())));
            }
            double label = number(field);
            int count = model.labelClasses();
            if (Double.isNaN(label) || (count > 0 && (label < 0 || label >= count || label != Math.rint(label)))) {
                throw wrong(
                        row,
                        target,
                        field,
                        count > 0
                                ? "is no label: labels are 0 to %d, or named in the model's order with --classes"
                                        .formatted(count - 1)
                                : "is not a number, which the target must be");
            }
            return label;
        }

        private double weight(int row, String field) {
            double number = number(field);
            if (!(number > 0)) {
                throw wrong(row, weight, field, "is no weight, which must be a positive number");
            }
            return number;
        }
    }
}
