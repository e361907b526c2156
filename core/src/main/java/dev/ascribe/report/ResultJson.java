package dev.ascribe.report;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.core.util.Separators.Spacing;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.AnnotatedParameter;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import dev.ascribe.AscribeException;
import dev.ascribe.Attribution;
import dev.ascribe.FileTrouble;
import dev.ascribe.Proof;
import dev.ascribe.Result;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The JSON documents: {@code schema} first, {@code provenance} last, every other key in the order of its record.
 *
 * <p>Writing is a function of the value: the same result gives the same bytes. Reading is strict: an unknown key, a
 * missing key, a repeated key, a null where the record has none and a number too large for a double are errors that name
 * the place. {@code parse(write(r))} equals {@code r}, up to the width of the integers in its free maps.
 */
public final class ResultJson {
    private static final String SCHEMA = "schema";
    private static final String PROVENANCE = "provenance";

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(
                    LogicalType.Textual,
                    scalars -> scalars.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Float, CoercionAction.Fail))
            .annotationIntrospector(new NullableIsOptional())
            .addModule(new SimpleModule().addSerializer(Map.class, new OrderedMap()))
            .build();

    private static final DefaultPrettyPrinter LAYOUT = new DefaultPrettyPrinter(
                    Separators.createDefaultInstance().withObjectFieldValueSpacing(Spacing.AFTER))
            .withObjectIndenter(new DefaultIndenter("  ", "\n"));

    private ResultJson() {}

    /**
     * The document of a result, ending in a line feed.
     *
     * @throws IllegalArgumentException when a number in it is not finite; the message names the place
     */
    public static String write(Result result) {
        ObjectNode body = MAPPER.valueToTree(result);
        JsonNode provenance = body.remove(PROVENANCE);
        ObjectNode document = MAPPER.createObjectNode();
        document.put(SCHEMA, result.schema());
        document.setAll(body);
        document.set(PROVENANCE, provenance);
        String infinite = firstNonFinite(document, "");
        if (!infinite.isEmpty()) {
            throw new IllegalArgumentException(infinite + " is not a finite number and cannot be written as JSON");
        }
        try {
            return escapeLoneSurrogates(MAPPER.writer(LAYOUT).writeValueAsString(document)) + "\n";
        } catch (JsonProcessingException e) {
            throw new AssertionError("a tree in memory can be written", e);
        }
    }

    /** Reads a document from a file in UTF-8. */
    public static Result read(Path file) {
        try {
            String json = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString();
            return parse(json, file.toString());
        } catch (NoSuchFileException e) {
            throw new UserInputException(
                    file + " does not exist; give a file that trace or prove wrote with --json", e);
        } catch (CharacterCodingException e) {
            throw new UserInputException(file + " is not UTF-8; give a file that trace or prove wrote with --json", e);
        } catch (IOException e) {
            throw new UserInputException(file + " cannot be read: " + FileTrouble.of(e), e);
        }
    }

    /**
     * Reads a document.
     *
     * @param name where it came from, for error messages
     */
    public static Result parse(String json, String name) {
        try {
            if (!(MAPPER.readTree(json) instanceof ObjectNode document)) {
                throw new UserInputException(
                        name + ": a result is one JSON object, which starts with { and \"schema\"");
            }
            String infinite = firstNonFinite(document, "");
            if (!infinite.isEmpty()) {
                throw new UserInputException(name + ": " + infinite + " is larger than a 64-bit float can hold");
            }
            Class<? extends Result> type = type(document.remove(SCHEMA), name);
            return MAPPER.treeToValue(document, type);
        } catch (JsonMappingException e) {
            throw new UserInputException(name + ": " + place(e) + cause(e), e);
        } catch (JsonProcessingException e) {
            throw new UserInputException(
                    "%s: line %d, column %d: %s"
                            .formatted(
                                    name,
                                    e.getLocation().getLineNr(),
                                    e.getLocation().getColumnNr(),
                                    e.getOriginalMessage()),
                    e);
        }
    }

    /** A map that has an order keeps it; of any other the keys are sorted, so that a document does not vary by run. */
    static <K, V> Map<K, V> ordered(Map<K, V> map) {
        return map instanceof SequencedMap<K, V> ? map : new TreeMap<>(map);
    }

    private static Class<? extends Result> type(@Nullable JsonNode schema, String name) {
        String text = schema == null ? "" : schema.asText();
        return switch (text) {
            case Attribution.SCHEMA -> Attribution.class;
            case Proof.SCHEMA -> Proof.class;
            default ->
                throw new UserInputException("%s: schema %s is not known here; expected \"%s\" or \"%s\""
                        .formatted(name, schema, Attribution.SCHEMA, Proof.SCHEMA));
        };
    }

    /** The place and value of the first number that JSON cannot hold, or nothing. */
    private static String firstNonFinite(JsonNode node, String at) {
        if (node.isFloatingPointNumber()) {
            return Double.isFinite(node.doubleValue()) ? "" : at + " = " + node.asText();
        }
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            String found = firstNonFinite(field.getValue(), at.isEmpty() ? field.getKey() : at + "." + field.getKey());
            if (!found.isEmpty()) {
                return found;
            }
        }
        if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                String found = firstNonFinite(node.get(i), at + "[" + i + "]");
                if (!found.isEmpty()) {
                    return found;
                }
            }
        }
        return "";
    }

    /** UTF-8 has no half surrogate pairs, but a row of text may: those are written as JSON escapes. */
    private static String escapeLoneSurrogates(String json) {
        if (StandardCharsets.UTF_8.newEncoder().canEncode(json)) {
            return json;
        }
        StringBuilder out = new StringBuilder(json.length() + 16);
        json.codePoints().forEach(c -> {
            if (Character.MIN_SURROGATE <= c && c <= Character.MAX_SURROGATE) {
                out.append("\\u%04X".formatted(c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }

    private static String place(JsonMappingException e) {
        StringBuilder at = new StringBuilder();
        for (JsonMappingException.Reference step : e.getPath()) {
            if (step.getFieldName() == null) {
                at.append('[').append(step.getIndex()).append(']');
            } else {
                at.append(at.isEmpty() ? "" : ".").append(step.getFieldName());
            }
        }
        return at.isEmpty() ? "" : at + ": ";
    }

    private static String cause(JsonMappingException e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof AscribeException told) {
                return String.valueOf(told.getMessage());
            }
        }
        if (e instanceof MismatchedInputException mismatch && mismatch.getTargetType() == JsonNode.class) {
            return "more follows the document; give a file that holds one, as trace and prove write it with --json";
        }
        return e.getOriginalMessage();
    }

    /** Reads the records as their types say: a component may be null or left out exactly where it is {@link Nullable}. */
    private static final class NullableIsOptional extends JacksonAnnotationIntrospector {
        private static final long serialVersionUID = 1L;

        @Override
        public @Nullable Boolean hasRequiredMarker(AnnotatedMember member) {
            return member instanceof AnnotatedParameter parameter
                    ? Boolean.valueOf(!isNullable(parameter))
                    : super.hasRequiredMarker(member);
        }

        @Override
        public JsonSetter.Value findSetterInfo(Annotated annotated) {
            return annotated instanceof AnnotatedParameter parameter && !isNullable(parameter)
                    ? JsonSetter.Value.construct(Nulls.FAIL, Nulls.FAIL)
                    : super.findSetterInfo(annotated);
        }

        private static boolean isNullable(AnnotatedParameter parameter) {
            return parameter.getOwner().getAnnotated() instanceof Executable constructor
                    && constructor.getAnnotatedParameterTypes()[parameter.getIndex()].isAnnotationPresent(
                            Nullable.class);
        }
    }

    private static final class OrderedMap extends JsonSerializer<Object> {
        @Override
        public void serialize(Object map, JsonGenerator out, SerializerProvider provider) throws IOException {
            out.writeStartObject();
            for (Map.Entry<?, ?> entry : ordered((Map<?, ?>) map).entrySet()) {
                provider.defaultSerializeField(String.valueOf(entry.getKey()), entry.getValue(), out);
            }
            out.writeEndObject();
        }
    }
}
