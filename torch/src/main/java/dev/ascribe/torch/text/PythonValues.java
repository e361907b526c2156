package dev.ascribe.torch.text;

import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.util.ForLoop;
import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;
import org.jspecify.annotations.Nullable;

/**
 * Attributes, indices and methods of the values in a template, as Python has them. Nothing else of the Java objects can
 * be reached.
 */
final class PythonValues extends ELResolver {
    private final Rendering rendering;

    /** @param rendering guards every string that a method makes */
    PythonValues(Rendering rendering) {
        this.rendering = rendering;
    }

    @Override
    public @Nullable Object getValue(ELContext context, @Nullable Object base, Object property) {
        context.setPropertyResolved(true);
        return switch (base) {
            case Map<?, ?> map -> map.get(property.toString());
            case List<?> list -> at(property, list.size()) < 0 ? null : list.get(at(property, list.size()));
            case String text -> {
                int i = at(property, text.length());
                yield i < 0 ? null : rendering.guarded(text.substring(i, i + 1));
            }
            case ForLoop loop -> loop(loop, property.toString());
            case null -> null;
            default -> null;
        };
    }

    private static int at(Object property, int size) {
        try {
            int i = property instanceof Number number ? number.intValue() : Integer.parseInt(property.toString());
            int place = i < 0 ? i + size : i;
            return place < size ? place : -1;
        } catch (NumberFormatException e) {
            return -1; // a name: strings and lists have no attributes that templates read
        }
    }

    private Object loop(ForLoop loop, String name) {
        return switch (name) {
            case "index" -> loop.getIndex();
            case "index0" -> loop.getIndex0();
            case "revindex" -> loop.getRevindex();
            case "revindex0" -> loop.getRevindex0();
            case "length" -> loop.getLength();
            case "first" -> loop.isFirst();
            case "last" -> loop.isLast();
            default -> throw rendering.refusal("loop." + name);
        };
    }

    @Override
    public @Nullable Object invoke(
            ELContext context, @Nullable Object base, Object method, Class<?> @Nullable [] types, Object[] arguments) {
        if (base instanceof Filter || base instanceof ExpTest) {
            return JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY.invoke(
                    context, base, method, types, arguments);
        }
        context.setPropertyResolved(true);
        String name = method.toString();
        return switch (base) {
            case Rendering own -> own.call(name, arguments);
            case String text -> guarded(ofString(rendering.unguarded(text), name, arguments));
            case Map<?, ?> map -> ofMap(map, name, arguments);
            case List<?> list -> ofList(list, name, arguments);
            case null -> throw rendering.refusal("the method " + name + signature(arguments) + " of nothing");
            default -> throw rendering.refusal("the method " + name + signature(arguments));
        };
    }

    private @Nullable Object guarded(Object value) {
        return switch (value) {
            case String text -> rendering.guarded(text);
            case List<?> parts ->
                new ArrayList<>(parts.stream()
                        .map(part -> rendering.guarded((String) part))
                        .toList());
            default -> value;
        };
    }

    private Object ofString(String text, String name, @Nullable Object[] arguments) {
        if (name.equals(JinjaSource.SLICE)) {
            StringBuilder part = new StringBuilder();
            slice(text.codePoints().boxed().toList(), arguments).forEach(part::appendCodePoint);
            return part.toString();
        }
        boolean strings = Arrays.stream(arguments).allMatch(String.class::isInstance);
        String first = strings && arguments.length > 0 ? (String) arguments[0] : "";
        String second = strings && arguments.length > 1 ? (String) arguments[1] : "";
        boolean undefined = !strings || (name.equals("split") && arguments.length == 1 && first.isEmpty());
        return switch (undefined ? "" : name + arguments.length) {
            case "strip0" -> Python.strip(text);
            case "strip1" -> Python.lstrip(Python.rstrip(text, first), first);
            case "lstrip0" -> Python.lstrip(text);
            case "lstrip1" -> Python.lstrip(text, first);
            case "rstrip0" -> Python.rstrip(text);
            case "rstrip1" -> Python.rstrip(text, first);
            case "split0" -> Python.split(text);
            case "split1" -> Python.split(text, first);
            case "startswith1" -> text.startsWith(first);
            case "endswith1" -> text.endsWith(first);
            case "upper0" -> text.toUpperCase(Locale.ROOT);
            case "lower0" -> text.toLowerCase(Locale.ROOT);
            case "capitalize0" -> Python.capitalize(text);
            case "replace2" -> text.replace(first, second);
            default -> throw rendering.refusal("the method str." + name + signature(arguments));
        };
    }

    private @Nullable Object ofMap(Map<?, ?> map, String name, @Nullable Object[] arguments) {
        return switch (name + arguments.length) {
            case "get1" -> map.get(String.valueOf(arguments[0]));
            case "get2" -> map.containsKey(arguments[0]) ? map.get(arguments[0]) : arguments[1];
            case "items0" -> map.entrySet();
            case "keys0" -> new ArrayList<>(map.keySet());
            case "values0" -> new ArrayList<>(map.values());
            default -> throw rendering.refusal("the method dict." + name + signature(arguments));
        };
    }

    private Object ofList(List<?> list, String name, @Nullable Object[] arguments) {
        if (name.equals(JinjaSource.SLICE)) {
            return slice(list, arguments);
        }
        throw rendering.refusal("the method list." + name + signature(arguments));
    }

    /** {@code values[start:end:step]}; steps are 1 or -1, and with -1 neither start nor end. */
    private <T> List<T> slice(List<T> values, @Nullable Object[] bounds) {
        boolean bounded = bounds[0] != null || bounds[1] != null;
        long step = bounds.length > 2 ? bound(bounds[2], 1) : 1;
        if (step == -1 && !bounded) {
            return new ArrayList<>(values.reversed());
        }
        if (step != 1) {
            throw rendering.refusal("a slice with the step " + step);
        }
        int size = values.size();
        int start = place(bound(bounds[0], 0), size);
        return new ArrayList<>(values.subList(start, Math.max(start, place(bound(bounds[1], size), size))));
    }

    private long bound(@Nullable Object value, long absent) {
        return switch (value) {
            case null -> absent;
            case Number number -> number.longValue();
            default -> throw rendering.refusal("a slice whose bound is no number");
        };
    }

    private static int place(long bound, int size) {
        return Math.clamp(bound < 0 ? bound + size : bound, 0, size);
    }

    private static String signature(@Nullable Object[] arguments) {
        return "(" + String.join(", ", Collections.nCopies(arguments.length, "…")) + ")";
    }

    @Override
    public Class<?> getType(ELContext context, @Nullable Object base, Object property) {
        context.setPropertyResolved(true);
        return Object.class;
    }

    @Override
    public void setValue(ELContext context, @Nullable Object base, Object property, @Nullable Object value) {
        throw rendering.refusal("an assignment to " + property);
    }

    @Override
    public boolean isReadOnly(ELContext context, @Nullable Object base, Object property) {
        return true;
    }

    @Override
    public Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, @Nullable Object base) {
        return Collections.emptyIterator();
    }

    @Override
    public Class<?> getCommonPropertyType(ELContext context, @Nullable Object base) {
        return Object.class;
    }
}
