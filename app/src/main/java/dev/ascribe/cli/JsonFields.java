package dev.ascribe.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.FieldReader;
import dev.ascribe.ledger.FieldWriter;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.Primitives;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;

/** The fields of an event as the keys of a JSON object. */
final class JsonFields {
    private static final BigDecimal GREATEST = BigDecimal.valueOf(Event.GREATEST);

    private JsonFields() {}

    /** Puts fields into an object, in their order. */
    record Into(ObjectNode object) implements FieldWriter {
        @Override
        public void number(String name, long value) {
            object.put(name, Primitives.number(name, value));
        }

        @Override
        public void real(String name, double value) {
            object.put(name, Primitives.real(name, value));
        }

        @Override
        public void optionalReal(String name, OptionalDouble value) {
            object.set(
                    name,
                    value.isPresent()
                            ? JsonNodeFactory.instance.numberNode(value.getAsDouble())
                            : JsonNodeFactory.instance.nullNode());
        }

        @Override
        public void flag(String name, boolean value) {
            object.put(name, value);
        }

        @Override
        public void choice(String name, List<String> values, String value) {
            object.put(name, value);
        }

        @Override
        public void text(String name, String value) {
            object.put(name, value);
        }

        @Override
        public void hash(String name, Hash value) {
            object.put(name, value.toString());
        }

        @Override
        public void hashes(String name, List<Hash> values) {
            ArrayNode array = object.putArray(name);
            values.forEach(value -> array.add(value.toString()));
        }
    }

    /** Takes fields out of an object; what is missing, of another type or left over is refused by name. */
    static class From implements FieldReader {
        private final ObjectNode object;
        private final Set<String> left = new TreeSet<>();

        From(ObjectNode object) {
            this.object = object;
            for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
                left.add(names.next());
            }
        }

        /** Whether there is such a key that was not taken yet. */
        boolean has(String name) {
            return left.contains(name);
        }

        /** Counts a key that was set since as one of the object's. */
        void keep(String name) {
            left.add(name);
        }

        /** The value of a key, which must be there. */
        JsonNode take(String name) {
            if (!left.remove(name)) {
                throw new VerificationException("the key \"" + name + "\" is missing");
            }
            return object.get(name);
        }

        /** Refuses keys that were not taken. */
        void end() {
            if (!left.isEmpty()) {
                throw new VerificationException("the key \"" + left.iterator().next() + "\" is not known here");
            }
        }

        private JsonNode take(String name, boolean fits, String wanted) {
            JsonNode value = take(name);
            if (!fits) {
                throw new VerificationException("\"%s\" is %s; it must be %s".formatted(name, value, wanted));
            }
            return value;
        }

        private JsonNode peek(String name) {
            JsonNode value = object.get(name);
            return value == null ? JsonNodeFactory.instance.missingNode() : value;
        }

        @Override
        public long number(String name) {
            JsonNode value = peek(name); // 1.0 and 1e3 are whole numbers too
            boolean fits = value.isNumber()
                    && value.decimalValue().signum() >= 0
                    && value.decimalValue().compareTo(GREATEST) <= 0
                    && value.canConvertToExactIntegral();
            return take(name, fits, "a whole number from 0 to 2^53 - 1").longValue();
        }

        @Override
        public double real(String name) {
            return real(name, take(name, peek(name).isNumber(), "a number"));
        }

        private static double real(String name, JsonNode value) {
            double real = Primitives.real(name, value.doubleValue());
            boolean vanishes = real == 0 && value.decimalValue().signum() != 0;
            boolean rounded = value.isIntegralNumber() && new BigDecimal(real).compareTo(value.decimalValue()) != 0;
            if (vanishes || rounded) {
                throw new VerificationException(
                        "\"%s\" is %s, which its 64 bits cannot hold exactly".formatted(name, value));
            }
            return real;
        }

        @Override
        public OptionalDouble optionalReal(String name) {
            JsonNode value = take(name, peek(name).isNumber() || peek(name).isNull(), "a number or null");
            return value.isNull() ? OptionalDouble.empty() : OptionalDouble.of(real(name, value));
        }

        @Override
        public boolean flag(String name) {
            return take(name, peek(name).isBoolean(), "true or false").booleanValue();
        }

        @Override
        public String choice(String name, List<String> values) {
            String wanted = "one of " + String.join(", ", values);
            return take(name, values.contains(peek(name).asText()) && peek(name).isTextual(), wanted)
                    .textValue();
        }

        @Override
        public String text(String name) {
            return Primitives.text(
                    name, take(name, peek(name).isTextual(), "text").textValue());
        }

        @Override
        public Hash hash(String name) {
            return digest(name, text(name));
        }

        @Override
        public List<Hash> hashes(String name) {
            JsonNode values = take(name, peek(name).isArray(), "a list");
            List<Hash> hashes = new ArrayList<>();
            for (JsonNode value : values) {
                if (!value.isTextual()) {
                    throw new VerificationException("\"%s\" holds %s; it must hold digests".formatted(name, value));
                }
                hashes.add(digest(name, value.textValue()));
            }
            return Primitives.some(name, hashes);
        }

        /** The digest that a field's text stands for. */
        Hash digest(String name, String text) {
            return Hash.ofHex(text);
        }
    }
}
