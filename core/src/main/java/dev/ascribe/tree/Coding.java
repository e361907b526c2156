package dev.ascribe.tree;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Names and their codes 0, 1, …; a field that is no name but a number equal to one ({@code 1.0} and {@code 1}) has its code. */
final class Coding {
    private final Map<String, Integer> byName = new HashMap<>();
    private final Map<Double, Integer> byNumber = new HashMap<>();

    Coding(List<String> names) {
        for (int code = 0; code < names.size(); code++) {
            String name = names.get(code);
            byName.putIfAbsent(name, code);
            double number = Table.number(name);
            if (!Double.isNaN(number)) {
                byNumber.putIfAbsent(number, code);
            }
        }
    }

    OptionalInt code(String field) {
        Integer code = byName.get(field);
        if (code == null && !byNumber.isEmpty()) {
            double number = Table.number(field);
            code = Double.isNaN(number) ? null : byNumber.get(number);
        }
        return code == null ? OptionalInt.empty() : OptionalInt.of(code);
    }
}
