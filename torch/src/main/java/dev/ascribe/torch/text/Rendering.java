package dev.ascribe.torch.text;

import dev.ascribe.Content;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The state of one rendering: its limits, and a mark that keeps jinjava from reading words as truth values. */
final class Rendering {
    private static final int MOST_STEPS = 200_000;
    private static final int MOST_CHARACTERS_BESIDE_MESSAGES = 1 << 20;
    private static final char FIRST_NONCHARACTER = '\uFDD0';
    private static final char LAST_NONCHARACTER = '\uFDEF';

    private final List<Content.Message> messages;
    private final JinjaSource source;
    private final String mark;
    private final long mostCharacters;
    private int steps;
    private Optional<TemplateStop> stop = Optional.empty();

    Rendering(List<Content.Message> messages, JinjaSource source) {
        this.messages = messages;
        this.source = source;
        long characters = MOST_CHARACTERS_BESIDE_MESSAGES;
        StringBuilder all = new StringBuilder(source.text());
        for (Content.Message message : messages) {
            characters += 4L * message.content().length();
            all.append(message.role()).append(message.content());
        }
        this.mostCharacters = characters;
        char free = FIRST_NONCHARACTER;
        while (free < LAST_NONCHARACTER && all.indexOf(String.valueOf(free)) >= 0) {
            free++;
        }
        this.mark = String.valueOf(free);
    }

    Map<String, Object> variables(String bos, String eos) {
        Map<String, Object> variables = new HashMap<>(source.constants());
        variables.put("add_generation_prompt", true);
        variables.put("bos_token", bos);
        variables.put("eos_token", eos);
        variables.put(JinjaSource.RENDERING, this);
        variables.put(JinjaSource.NONE, PythonFilters.None.NONE);
        variables.put(JinjaSource.MISSING, PythonFilters.Missing.MISSING);
        variables.put("messages", messages.stream().map(this::variable).toList());
        return variables;
    }

    private Map<String, Object> variable(Content.Message message) {
        Map<String, Object> variable = new LinkedHashMap<>();
        variable.put("role", message.role());
        variable.put("content", guarded(message.content()));
        return variable;
    }

    /** jinjava takes the string "false" for a falsehood: a mark inside, which no message has, prevents it. */
    String guarded(String text) {
        return Python.isFalse(text) ? text.charAt(0) + mark + text.substring(1) : text;
    }

    String unguarded(String text) {
        return text.replace(mark, "");
    }

    /** The methods that a rewritten template calls. */
    Object call(String method, @Nullable Object[] arguments) {
        switch (method) {
            case "raise_exception" -> throw first(TemplateStop.raised(unguarded(String.valueOf(arguments[0]))));
            case "refuse" -> throw refusal(String.valueOf(arguments[0]));
            case "step" -> step();
            case "equal" -> {
                return equal(arguments[0], arguments[1]);
            }
            case "unequal" -> {
                return !equal(arguments[0], arguments[1]);
            }
            case "items" -> {
                return items(arguments[0]);
            }
            case "list" -> {
                return new ArrayList<>();
            }
            case "dict" -> {
                return dict(arguments);
            }
            case "keep" -> keep(arguments);
            case "callable" -> {
                step();
                if (!String.valueOf(arguments[0]).isEmpty()) {
                    throw refusal(String.valueOf(arguments[0]));
                }
            }
            case "missing" -> {
                return arguments[0] == PythonFilters.Missing.MISSING;
            }
            case "text" -> {
                return guarded(
                        checked(unguarded(String.valueOf(arguments[0])))); // a macro's, which jinjava may call safe
            }
            default -> throw new IllegalArgumentException(method);
        }
        return "";
    }

    /** As Python compares: never by turning one type into another. */
    private static boolean equal(@Nullable Object left, @Nullable Object right) {
        if (left instanceof Number a && right instanceof Number b) {
            return a.longValue() == b.longValue();
        }
        return Objects.equals(left, right);
    }

    /** What a loop over the value runs over. */
    private List<@Nullable Object> items(@Nullable Object value) {
        return switch (value) {
            case null -> List.of(); // undefined
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case Collection<?> values -> new ArrayList<>(values);
            case String text ->
                new ArrayList<>(unguarded(text)
                        .codePoints()
                        .mapToObj(Character::toString)
                        .toList());
            default -> throw refusal("a loop over a " + value.getClass().getSimpleName());
        };
    }

    private Map<String, @Nullable Object> dict(@Nullable Object[] keysAndValues) {
        Map<String, @Nullable Object> dict = new LinkedHashMap<>();
        for (int i = 0; i + 1 < keysAndValues.length; i += 2) {
            if (!(keysAndValues[i] instanceof String key)) {
                throw refusal("a dict with keys that are no strings");
            }
            dict.put(key, keysAndValues[i + 1]);
        }
        return dict;
    }

    /** Keeps a turn for the loop that follows: its list first, then the values of its targets. */
    @SuppressWarnings("unchecked") // made by "list"
    private static void keep(@Nullable Object[] arguments) {
        List<@Nullable Object> kept = (List<@Nullable Object>) Objects.requireNonNull(arguments[0]);
        kept.add(
                arguments.length == 2
                        ? arguments[1]
                        : new ArrayList<>(Arrays.asList(arguments).subList(1, arguments.length)));
    }

    /** What to throw where the rendering cannot go on. */
    TemplateStop refusal(String what) {
        return first(TemplateStop.refused(what));
    }

    /** Why the rendering stopped, as far as we or the template stopped it: jinjava may wrap or lose what is thrown. */
    Optional<TemplateStop> stop() {
        return stop;
    }

    private TemplateStop first(TemplateStop next) {
        stop = stop.or(() -> Optional.of(next));
        return next;
    }

    private void step() {
        if (stop.isPresent()) {
            throw stop.get();
        }
        if (++steps > MOST_STEPS) {
            throw refusal("loops of more than %,d turns and calls".formatted(MOST_STEPS));
        }
    }

    String checked(String text) {
        if (text.length() > mostCharacters) {
            throw refusal("strings of more than %,d characters".formatted(mostCharacters));
        }
        return text;
    }
}
