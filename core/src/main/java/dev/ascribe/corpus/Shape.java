package dev.ascribe.corpus;

import dev.ascribe.Content;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The kinds of row that are recognised by their keys, all values strings. */
enum Shape {
    INSTRUCTION("instruction", "input", "output") {
        @Override
        Content content(Map<String, String> row) {
            return new Content.Instruction(value(row, "instruction"), value(row, "input"), value(row, "output"));
        }
    },
    COMPLETION("prompt", "completion") {
        @Override
        Content content(Map<String, String> row) {
            return new Content.Completion(value(row, "prompt"), value(row, "completion"));
        }
    },
    TEXT("text") {
        @Override
        Content content(Map<String, String> row) {
            return new Content.Text(value(row, "text"));
        }
    };

    /** What every message about keys ends with. */
    static final String RECOGNISED =
            "a row has instruction, input (optional) and output; or prompt and completion; or messages; or text";

    private static final Set<String> ALL_KEYS =
            Stream.of(values()).flatMap(shape -> shape.keys.stream()).collect(Collectors.toUnmodifiableSet());

    @SuppressWarnings("ImmutableEnumChecker") // List.of
    private final List<String> keys;

    Shape(String... keys) {
        this.keys = List.of(keys);
    }

    abstract Content content(Map<String, String> row);

    static boolean isKey(String key) {
        return ALL_KEYS.contains(key);
    }

    /** The shape of rows with these recognised keys. */
    static Shape of(Set<String> keys) throws MalformedException {
        for (Shape shape : values()) {
            if (Collections.disjoint(shape.keys, keys)) {
                continue;
            }
            if (!shape.keys.containsAll(keys)) {
                throw new MalformedException(
                        0, "keys of different kinds of row (%s); %s".formatted(String.join(", ", keys), RECOGNISED));
            }
            for (String key : shape.keys) {
                if (!keys.contains(key) && !key.equals("input")) {
                    throw new MalformedException(0, "no \"%s\"; %s".formatted(key, RECOGNISED));
                }
            }
            return shape;
        }
        throw new MalformedException(0, "none of the keys of a row; " + RECOGNISED);
    }

    private static String value(Map<String, String> row, String key) {
        return row.getOrDefault(key, "");
    }
}
