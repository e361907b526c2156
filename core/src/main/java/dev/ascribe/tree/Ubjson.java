package dev.ascribe.tree;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.CorruptDataException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Universal Binary JSON, draft 12 (<a href="https://ubjson.org">ubjson.org</a>), as XGBoost writes it: big-endian, arrays with an
 * optional type ({@code $}) and count ({@code #}).
 */
final class Ubjson {
    private static final int DEEPEST = 100;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final Path file;
    private final ByteBuffer bytes;

    private Ubjson(Path file, byte[] bytes) {
        this.file = file;
        this.bytes = ByteBuffer.wrap(bytes);
    }

    /** @throws CorruptDataException at a byte that is not UBJSON */
    static JsonNode parse(Path file, byte[] bytes) {
        Ubjson reader = new Ubjson(file, bytes);
        try {
            JsonNode value = reader.value(reader.marker(), 0);
            if (reader.bytes.hasRemaining()) {
                throw reader.wrong("%,d bytes after its end".formatted(reader.bytes.remaining()));
            }
            return value;
        } catch (BufferUnderflowException e) {
            throw new CorruptDataException(
                    "%s ends in the middle of a value after %,d bytes; it was cut off, copy it again"
                            .formatted(file, bytes.length),
                    e);
        }
    }

    private CorruptDataException wrong(String what) {
        return new CorruptDataException(
                "%s, byte %,d: %s; the file is damaged".formatted(file, bytes.position(), what));
    }

    private char marker() {
        char marker = (char) (bytes.get() & 0xFF);
        return marker == 'N' ? marker() : marker; // no-op
    }

    private JsonNode value(char marker, int depth) {
        if (depth > DEEPEST) {
            throw wrong("values within values, more than " + DEEPEST + " deep");
        }
        return switch (marker) {
            case 'Z' -> NODES.nullNode();
            case 'T' -> NODES.booleanNode(true);
            case 'F' -> NODES.booleanNode(false);
            case 'i', 'U', 'I', 'l', 'L' -> NODES.numberNode(integer(marker));
            case 'd' -> NODES.numberNode((double) bytes.getFloat());
            case 'D' -> NODES.numberNode(bytes.getDouble());
            case 'C' -> NODES.textNode(String.valueOf((char) (bytes.get() & 0x7F)));
            case 'S' -> NODES.textNode(text());
            case '[' -> array(depth);
            case '{' -> object(depth);
            default ->
                throw wrong("a value of type '%c' (0x%02x) is not known"
                        .formatted(marker >= ' ' && marker < 0x7F ? marker : '?', (int) marker));
        };
    }

    private long integer(char marker) {
        return switch (marker) {
            case 'i' -> bytes.get();
            case 'U' -> bytes.get() & 0xFF;
            case 'I' -> bytes.getShort();
            case 'l' -> bytes.getInt();
            case 'L' -> bytes.getLong();
            default -> throw wrong("a length of type '%c'".formatted(marker >= ' ' && marker < 0x7F ? marker : '?'));
        };
    }

    /** @param least bytes that each of the things counted takes */
    private int count(int least) {
        long count = integer(marker());
        if (count < 0) {
            throw wrong("a length of %,d".formatted(count));
        }
        if (count > bytes.remaining() / Math.max(1, least)) {
            throw wrong(
                    "a length of %,d, but only %,d bytes follow: was it cut off?".formatted(count, bytes.remaining()));
        }
        return (int) count;
    }

    private String text() {
        byte[] text = new byte[count(1)];
        bytes.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private char peek() {
        if (!bytes.hasRemaining()) {
            throw new BufferUnderflowException();
        }
        return (char) (bytes.get(bytes.position()) & 0xFF);
    }

    private JsonNode array(int depth) {
        ArrayNode array = NODES.arrayNode();
        char type = 0;
        if (peek() == '$') {
            bytes.get();
            type = marker();
            if (peek() != '#') {
                throw wrong("a type without a count");
            }
        }
        if (peek() == '#') {
            bytes.get();
            int count = count(type == 0 ? 1 : width(type));
            for (int i = 0; i < count; i++) {
                array.add(value(type == 0 ? marker() : type, depth + 1));
            }
            return array;
        }
        for (char marker = marker(); marker != ']'; marker = marker()) {
            array.add(value(marker, depth + 1));
        }
        return array;
    }

    /** The fewest bytes of a value without its marker; types of no bytes at all are not taken in counted arrays. */
    private int width(char type) {
        return switch (type) {
            case 'i', 'U', 'C', 'S', '[', '{' -> 1;
            case 'I' -> 2;
            case 'l', 'd' -> 4;
            case 'L', 'D' -> 8;
            default ->
                throw wrong("an array of values of type '%c' (0x%02x)"
                        .formatted(type >= ' ' && type < 0x7F ? type : '?', (int) type));
        };
    }

    private JsonNode object(int depth) {
        ObjectNode object = NODES.objectNode();
        if (peek() == '$') {
            throw wrong("an object with a type");
        }
        int count = -1;
        if (peek() == '#') {
            bytes.get();
            count = count(1);
        }
        while (count < 0 ? peek() != '}' : object.size() < count) {
            String key = text();
            if (object.has(key)) {
                throw wrong("the key \"" + key + "\" stands twice");
            }
            object.set(key, value(marker(), depth + 1));
        }
        if (count < 0) {
            bytes.get();
        }
        return object;
    }
}
