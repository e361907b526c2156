package dev.ascribe.report;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.TableRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What the page and the text say of predictions of a model of trees and of the table's rows behind them.
 *
 * <p>A row is a look-alike of the query when both fall into the same leaf in at least {@link #ALIKE} of the trees. Only of look-alikes
 * that have the predicted class, and whose score says that they pushed the prediction there, it is said that the prediction is "because"
 * of them. Of all others the facts are told.
 *
 * @param model that predicted
 * @param query what was traced
 */
record Tabular(Attribution.Model model, Attribution.Query query, boolean influence) {
    /** The share of common leaves from which on two rows count as alike. */
    static final double ALIKE = 0.5;

    private static final int LONGEST_NUMBER = 8;

    /** Of an attribution's query, where it is of a model of trees. */
    static Optional<Tabular> of(Attribution attribution, Attribution.Query query) {
        Attribution.Model model = attribution.model();
        boolean influence = switch (attribution.scale()) {
            case "similarity", "cosine" -> false;
            default -> true;
        };
        return model == null ? Optional.empty() : Optional.of(new Tabular(model, query, influence));
    }

    private List<Double> prediction() {
        List<Double> prediction = query.prediction();
        return prediction == null ? List.of() : prediction;
    }

    /** The probability of each class, or nothing where the model predicts none. */
    private List<Double> probabilities() {
        List<String> classes = model.classes();
        List<Double> margins = prediction();
        if (classes == null || query.contrast() != null || margins.isEmpty()) {
            return List.of();
        }
        if (margins.size() == 1 && classes.size() == 2) {
            double p = 1 / (1 + Math.exp(-margins.getFirst()));
            return List.of(1 - p, p);
        }
        if (margins.size() != classes.size() || model.kind().equals("forest")) {
            return margins.size() == classes.size() ? margins : List.of();
        }
        double most = margins.stream().mapToDouble(v -> v).max().orElse(0);
        double sum = margins.stream().mapToDouble(v -> Math.exp(v - most)).sum();
        return margins.stream().map(v -> Math.exp(v - most) / sum).toList();
    }

    /** The class with the highest probability. */
    private Optional<String> predictedClass() {
        List<Double> probabilities = probabilities();
        List<String> classes = model.classes();
        return classes == null
                ? Optional.empty()
                : IntStream.range(0, probabilities.size())
                        .boxed()
                        .max((a, b) -> Double.compare(probabilities.get(a), probabilities.get(b)))
                        .map(classes::get);
    }

    /** What was predicted, in a few words: a class, a number, or how far two groups are apart. */
    String decision() {
        Attribution.Contrast contrast = query.contrast();
        if (contrast != null) {
            Decimals decimals = Decimals.of(List.of(contrast.meanA(), contrast.meanB()));
            return "%s %s, %s %s"
                    .formatted(
                            contrast.a(),
                            decimals.signed(contrast.meanA()),
                            contrast.b(),
                            decimals.signed(contrast.meanB()));
        }
        return predictedClass().orElseGet(this::margins);
    }

    private String margins() {
        Decimals decimals = Decimals.of(prediction());
        return String.join(
                ", ",
                prediction().stream()
                        .map(model.classes() == null ? decimals::plain : decimals::signed)
                        .toList());
    }

    /** What there is to say about the prediction beside {@link #decision}. */
    String about(String unit) {
        Attribution.Contrast contrast = query.contrast();
        List<String> said = new ArrayList<>();
        if (contrast != null) {
            Decimals decimals = Decimals.of(List.of(contrast.difference()));
            said.add("Mean margin of %s whose %s is %s, and of %s whose %s is %s"
                    .formatted(
                            Wording.count(contrast.rowsA(), "row"),
                            contrast.column(),
                            contrast.a(),
                            Wording.count(contrast.rowsB(), "row"),
                            contrast.column(),
                            contrast.b()));
            said.add("difference " + decimals.signed(contrast.difference()));
        } else {
            Object row = query.query().get("row");
            if (row != null) {
                said.add("Row %s of the queries".formatted(row));
            }
            List<Double> probabilities = probabilities();
            if (!probabilities.isEmpty()) {
                double p = probabilities.stream().mapToDouble(v -> v).max().orElse(0);
                said.add(String.format(Locale.ROOT, "probability %.3f", p));
                said.add((prediction().size() == 1 ? "margin " : "margins ") + margins());
            }
            TableRow fields = query.fields();
            if (fields != null) {
                said.add("its %s is %s".formatted(model.target(), fields.label()));
            }
            Double loss = query.loss();
            if (loss != null) {
                said.add("loss %s %s"
                        .formatted(
                                Decimals.of(List.of(loss)).plain(loss),
                                unit.equals("half-squared-error") ? "(half the squared error)" : unit));
            }
        }
        return String.join(" · ", said);
    }

    /** What the rows with the highest scores do. */
    String helpful() {
        if (query.contrast() != null) {
            return "Rows that hold the two groups together";
        }
        TableRow fields = query.fields();
        return !influence || fields == null
                ? "Rows most alike"
                : "Rows that push the prediction towards %s".formatted(labelled(fields.label()));
    }

    /** What the rows with the lowest scores do. */
    String harmful() {
        if (query.contrast() != null) {
            return "Rows that drive the two groups apart";
        }
        TableRow fields = query.fields();
        return !influence || fields == null
                ? "Rows with the most negative likeness"
                : "Rows that push the prediction away from %s".formatted(labelled(fields.label()));
    }

    private String labelled(String label) {
        return model.target() + " " + number(label);
    }

    /** How the list of the lowest scores is to be read. */
    String harmfulNote() {
        return query.contrast() != null
                ? "Most negative first: without such a row the groups' mean predictions are predicted to be nearer to each other."
                : influence
                        ? "Most negative first: without such a row the loss of the prediction is predicted to fall."
                        : "Most negative first: alike, with another label or the opposite explanation.";
    }

    /** One row in a sentence. */
    String sentence(Influence row) {
        TableRow fields = row.fields();
        if (fields == null) {
            return row.text();
        }
        Attribution.Contrast contrast = query.contrast();
        if (contrast != null) {
            int at = model.features().indexOf(contrast.column());
            return at < 0
                    ? "Its %s.".formatted(isLabel(fields))
                    : "Its %s is %s, its %s."
                            .formatted(contrast.column(), fields.values().get(at), isLabel(fields));
        }
        Double shared = fields.sharedLeaves();
        String percent = shared == null ? "" : String.format(Locale.ROOT, "%.0f %%", Math.floor(100 * shared));
        if (shared == null || shared < ALIKE) {
            return "Shares %s of the leaves: not a look-alike. Its %s.".formatted(percent, isLabel(fields));
        }
        Optional<String> predicted = predictedClass();
        TableRow asked = query.fields();
        if (predicted.isPresent() && asked != null && influence) {
            boolean same = fields.label().equals(predicted.get());
            boolean right = asked.label().equals(predicted.get());
            if (same && row.score() != 0 && (row.score() > 0) == right) {
                return "Predicted %s because it looks like row %d, which also is %s: they share %s of the leaves."
                        .formatted(predicted.get(), row.row(), fields.label(), percent);
            }
        }
        return "A look-alike: shares %s of the leaves. Its %s%s."
                .formatted(
                        percent,
                        isLabel(fields),
                        predicted.isEmpty() && model.classes() == null ? ", the prediction " + margins() : "");
    }

    private String isLabel(TableRow fields) {
        return model.target() + " is " + number(fields.label());
    }

    /** Which features of a row differ from the query's, in the model's order; none where there is no query row. */
    List<Boolean> differing(TableRow row) {
        TableRow asked = query.fields();
        return IntStream.range(0, row.values().size())
                .mapToObj(f -> asked != null
                        && !same(asked.values().get(f), row.values().get(f)))
                .toList();
    }

    /** The fields that differ, as {@code name=value}, or all where there is nothing to compare with. */
    String differences(TableRow row) {
        List<Boolean> differing = differing(row);
        boolean alone = query.fields() == null;
        List<String> named = IntStream.range(0, differing.size())
                .filter(f -> alone || differing.get(f))
                .mapToObj(
                        f -> model.features().get(f) + "=" + number(row.values().get(f)))
                .toList();
        return named.isEmpty() ? "no feature differs" : String.join(", ", named);
    }

    private static boolean same(String a, String b) {
        if (a.strip().equals(b.strip())) {
            return true;
        }
        Double x = parsed(a);
        return x != null && x.equals(parsed(b));
    }

    /** A field, a long number rounded to be read. */
    static String number(String field) {
        Double value = field.length() <= LONGEST_NUMBER ? null : parsed(field);
        if (value == null) {
            return field.strip();
        }
        if (value == 0) {
            return "0";
        }
        Decimals decimals = new Decimals(Math.clamp(4 - (int) Math.ceil(Math.log10(Math.abs(value))), 0, 8));
        return decimals.plain(value);
    }

    private static @Nullable Double parsed(String field) {
        try {
            double value = Double.parseDouble(field);
            return Double.isFinite(value) ? value : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
