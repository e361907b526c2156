package dev.ascribe.tree;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ascribe.CorruptDataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A value of a model file with the place that people find it at. What is not there or of another type is a {@link CorruptDataException}
 * that names file and place.
 *
 * @param file the model
 * @param at {@code learner.gradient_booster.model}; empty at the top
 */
record ModelValue(Path file, String at, JsonNode node) {
    private static final int MOST_DIGITS = 40;

    /** A field of an object. */
    ModelValue get(String field) {
        return find(field).orElseThrow(() -> wrong("has no \"" + field + "\""));
    }

    /** A field, where the object has it and it is not null. */
    Optional<ModelValue> find(String field) {
        if (!node.isObject()) {
            throw wrong("is no object");
        }
        JsonNode found = node.get(field);
        return found == null || found.isNull()
                ? Optional.empty()
                : Optional.of(new ModelValue(file, at.isEmpty() ? field : at + "." + field, found));
    }

    /** The elements of an array. */
    List<ModelValue> list() {
        if (!node.isArray()) {
            throw wrong("is no array");
        }
        List<ModelValue> list = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            list.add(new ModelValue(file, at + "[" + i + "]", node.get(i)));
        }
        return list;
    }

    String text() {
        if (!node.isTextual()) {
            throw wrong("is no text");
        }
        return node.textValue();
    }

    /** A number, or a text that is one, as XGBoost writes its parameters. */
    double number() {
        double number = Double.NaN;
        if (node.isNumber()) {
            number = node.doubleValue();
        } else if (node.isTextual() && node.textValue().length() <= MOST_DIGITS) {
            try {
                number = Double.parseDouble(node.textValue());
            } catch (NumberFormatException e) {
                throw wrong("is '" + node.textValue() + "', not a number");
            }
        } else {
            throw wrong("is not a number");
        }
        if (!Double.isFinite(number)) {
            throw wrong("is " + number + ", not a finite number");
        }
        return number;
    }

    int integer() {
        double number = number();
        if (number != Math.rint(number) || Math.abs(number) > Integer.MAX_VALUE) {
            throw wrong("is " + number + ", not an integer of 32 bits");
        }
        return (int) number;
    }

    boolean flag() {
        return node.isBoolean() ? node.booleanValue() : integer() != 0;
    }

    List<String> texts() {
        return list().stream().map(ModelValue::text).toList();
    }

    int[] integers() {
        return list().stream().mapToInt(ModelValue::integer).toArray();
    }

    double[] numbers() {
        return list().stream().mapToDouble(ModelValue::number).toArray();
    }

    int[] integers(int length) {
        return sized(integers(), list().size(), length);
    }

    double[] numbers(int length) {
        return sized(numbers(), list().size(), length);
    }

    boolean[] flags(int length) {
        List<ModelValue> list = list();
        boolean[] flags = new boolean[list.size()];
        for (int i = 0; i < flags.length; i++) {
            flags[i] = list.get(i).flag();
        }
        return sized(flags, flags.length, length);
    }

    private <T> T sized(T array, int length, int wanted) {
        if (length != wanted) {
            throw wrong("has %d values, but %d are needed".formatted(length, wanted));
        }
        return array;
    }

    CorruptDataException wrong(String what) {
        return wrong(what, null);
    }

    private CorruptDataException wrong(String what, @Nullable Throwable cause) {
        String message = "%s: %s %s; the file is damaged or of another program"
                .formatted(file, at.isEmpty() ? "the document" : at, what);
        return cause == null ? new CorruptDataException(message) : new CorruptDataException(message, cause);
    }
}
