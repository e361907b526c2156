package dev.ascribe.torch.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.util.HasObjectTruthValue;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The filters and tests that jinjava has otherwise than Jinja2, and those that rewritten templates call. */
final class PythonFilters {
    /** As {@code json.dumps(value, ensure_ascii=False)}: a space after each comma and colon. */
    private static final ObjectWriter JSON =
            TokenizerDefinition.JSON.writer(new DefaultPrettyPrinter(Separators.createDefaultInstance()
                            .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                            .withObjectEntrySpacing(Separators.Spacing.AFTER)
                            .withArrayValueSpacing(Separators.Spacing.AFTER)
                            .withObjectEmptySeparator("")
                            .withArrayEmptySeparator(""))
                    .withObjectIndenter(new DefaultPrettyPrinter.NopIndenter())
                    .withArrayIndenter(new DefaultPrettyPrinter.NopIndenter()));

    private static final Pattern ESCAPE = Pattern.compile("\\\\(u[0-9A-F]{4}|.)");

    /** Python's None, which is defined and false. */
    enum None implements HasObjectTruthValue {
        NONE;

        @Override
        public boolean getObjectTruthValue() {
            return false;
        }
    }

    /** A parameter that a call of a macro did not give: undefined, yet hides a caller's variable of its name. */
    enum Missing implements HasObjectTruthValue {
        MISSING;

        @Override
        public boolean getObjectTruthValue() {
            return false;
        }
    }

    /** A filter without arguments. */
    private interface Plain {
        @Nullable
        Object apply(@Nullable Object value, Rendering rendering);
    }

    /** A filter with arguments, which jinjava gives as strings. */
    private interface WithArguments {
        @Nullable
        Object apply(@Nullable Object value, Rendering rendering, String... arguments);
    }

    private PythonFilters() {}

    static void register(Context context) {
        filter(context, JinjaSource.PRINTED, PythonFilters::printed);
        filter(context, "string", PythonFilters::printed);
        filter(context, JinjaSource.ASSIGNED, PythonFilters::assigned);
        filter(context, "safe", (value, rendering) -> value);
        filter(context, "trim", (value, rendering) -> rendering.guarded(Python.strip(string(value, rendering))));
        filter(
                context,
                "capitalize",
                (value, rendering) ->
                        rendering.guarded(Python.capitalize(rendering.unguarded(string(value, rendering)))));
        withArguments(context, "replace", PythonFilters::replace);
        filter(context, "length", PythonFilters::length);
        filter(context, "count", PythonFilters::length);
        test(context, "defined", value -> value != null && value != Missing.MISSING);
        test(context, "undefined", value -> value == null || value == Missing.MISSING);
        test(context, "none", value -> value == None.NONE);
        filter(context, "tojson", PythonFilters::json);
        test(
                context,
                "iterable",
                value -> value instanceof Iterable || value instanceof Map || value instanceof String);
        test(context, "sequence", value -> value instanceof List || value instanceof Map || value instanceof String);
    }

    private static Object printed(@Nullable Object value, Rendering rendering) {
        return switch (value) {
            case null -> ""; // undefined
            case String text -> rendering.checked(text);
            case Missing missing -> "";
            case None none -> "None";
            case Integer number -> number.toString();
            case Long number -> number.toString();
            default -> throw rendering.refusal("printing a " + value.getClass().getSimpleName());
        };
    }

    private static @Nullable Object assigned(@Nullable Object value, Rendering rendering) {
        return value instanceof String text ? rendering.checked(text) : value;
    }

    private static Object length(@Nullable Object value, Rendering rendering) {
        return switch (value) {
            case null -> throw rendering.refusal("the length of nothing");
            case String text -> {
                String real = rendering.unguarded(text);
                yield (long) real.codePointCount(0, real.length());
            }
            case Collection<?> items -> (long) items.size();
            case Map<?, ?> map -> (long) map.size();
            default ->
                throw rendering.refusal("the length of a " + value.getClass().getSimpleName());
        };
    }

    private static Object json(@Nullable Object value, Rendering rendering) {
        try {
            // Jackson writes the control characters in upper-case hexadecimals.
            String json = ESCAPE.matcher(JSON.writeValueAsString(value))
                    .replaceAll(escape -> Matcher.quoteReplacement(
                            escape.group().startsWith("u", 1)
                                    ? escape.group().toLowerCase(Locale.ROOT)
                                    : escape.group()));
            return rendering.checked(json);
        } catch (JsonProcessingException e) {
            throw rendering.refusal("the filter tojson of a value that is no JSON");
        }
    }

    private static String string(@Nullable Object value, Rendering rendering) {
        return switch (value) {
            case null -> ""; // undefined
            case String text -> text;
            default -> throw rendering.refusal("the filter trim of what is no string");
        };
    }

    private static Object replace(@Nullable Object value, Rendering rendering, String... arguments) {
        if (arguments.length != 2) {
            throw rendering.refusal("the filter replace with %d arguments".formatted(arguments.length));
        }
        return rendering.guarded(rendering.unguarded(string(value, rendering)).replace(arguments[0], arguments[1]));
    }

    private static void filter(Context context, String name, Plain filter) {
        withArguments(context, name, (value, rendering, arguments) -> filter.apply(value, rendering));
    }

    private static void withArguments(Context context, String name, WithArguments filter) {
        context.registerFilter(new Filter() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public @Nullable Object filter(
                    @Nullable Object value, JinjavaInterpreter interpreter, String... arguments) {
                Object rendering = interpreter.getContext().get(JinjaSource.RENDERING);
                return filter.apply(value, (Rendering) Objects.requireNonNull(rendering), arguments);
            }
        });
    }

    private static void test(Context context, String name, Predicate<@Nullable Object> test) {
        context.registerExpTest(new ExpTest() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public boolean evaluate(@Nullable Object value, JinjavaInterpreter interpreter, Object... arguments) {
                return test.test(value);
            }
        });
    }
}
