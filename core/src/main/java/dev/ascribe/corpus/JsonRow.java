package dev.ascribe.corpus;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.ascribe.Content;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A row written as a JSON object: the recognised keys and no other, each once, all values strings or messages. */
final class JsonRow {
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");

    /** A document may be one long string; nothing of a row nests deeper than its messages. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(1000)
                    .build())
            .build();

    private final JsonParser parser;

    private JsonRow(JsonParser parser) {
        this.parser = parser;
    }

    static Content parse(String json) throws MalformedException {
        if (json.isBlank()) {
            throw new MalformedException(0, "no row here; remove what is empty");
        }
        try (JsonParser parser = JSON.createParser(json)) {
            return new JsonRow(parser).row();
        } catch (JsonProcessingException e) {
            long at = e.getLocation() == null ? 0 : e.getLocation().getCharOffset();
            throw new MalformedException(
                    Math.clamp(at, 0, json.length()),
                    "broken JSON: " + e.getOriginalMessage().replaceAll("\\s+", " "));
        } catch (IOException e) {
            throw new UncheckedIOException("reading a string cannot fail", e);
        }
    }

    private Content row() throws IOException, MalformedException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw malformed("%s where a row, { … }, was expected".formatted(type()));
        }
        Map<String, String> values = new LinkedHashMap<>();
        List<Content.Message> messages = List.of();
        for (String key = parser.nextFieldName(); key != null; key = parser.nextFieldName()) {
            boolean chat = key.equals("messages");
            if (!chat && !Shape.isKey(key)) {
                throw malformed("unknown key \"%s\"; %s. Remove or rename it".formatted(key, Shape.RECOGNISED));
            }
            if (values.containsKey(key) || (chat && !messages.isEmpty())) {
                throw malformed("key \"%s\" stands twice; remove one".formatted(key));
            }
            parser.nextToken();
            if (chat) {
                messages = messages();
            } else {
                values.put(key, string(key));
            }
        }
        if (parser.nextToken() != null) {
            throw malformed("more text after the row; put each row on a line of its own");
        }
        if (messages.isEmpty()) {
            return Shape.of(values.keySet()).content(values);
        }
        if (!values.isEmpty()) {
            throw new MalformedException(
                    0,
                    "messages beside other keys (%s); %s"
                            .formatted(String.join(", ", values.keySet()), Shape.RECOGNISED));
        }
        return new Content.Chat(messages);
    }

    private List<Content.Message> messages() throws IOException, MalformedException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw malformed("\"messages\" is %s; it must be an array of messages".formatted(type()));
        }
        List<Content.Message> messages = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            messages.add(message());
        }
        if (messages.isEmpty() || !messages.getLast().role().equals("assistant")) {
            throw malformed("the last message is not the assistant's; it is the response to learn, end with it");
        }
        return messages;
    }

    private Content.Message message() throws IOException, MalformedException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw malformed("a message is %s; it must be an object with role and content".formatted(type()));
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (String key = parser.nextFieldName(); key != null; key = parser.nextFieldName()) {
            if (!key.equals("role") && !key.equals("content")) {
                throw malformed("unknown key \"%s\"; a message has role and content. Remove it".formatted(key));
            }
            if (values.containsKey(key)) {
                throw malformed("key \"%s\" stands twice; remove one".formatted(key));
            }
            parser.nextToken();
            String value = string(key);
            if (key.equals("role") && !ROLES.contains(value)) {
                throw malformed("role \"%s\"; a role is system, user or assistant".formatted(value));
            }
            values.put(key, value);
        }
        String role = values.get("role");
        String content = values.get("content");
        if (role == null || content == null) {
            throw malformed("a message without %s".formatted(role == null ? "role" : "content"));
        }
        return new Content.Message(role, content);
    }

    private String string(String key) throws IOException, MalformedException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw malformed("\"%s\" is %s; it must be a string".formatted(key, type()));
        }
        String value = parser.getText();
        if (value.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw malformed(
                    "\"%s\" holds half of a surrogate pair (\\ud800 to \\udfff), which is no character".formatted(key));
        }
        return value;
    }

    private String type() {
        return switch (parser.currentToken()) {
            case null -> "nothing";
            case START_OBJECT, END_OBJECT, FIELD_NAME -> "an object";
            case START_ARRAY, END_ARRAY -> "an array";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
            case VALUE_TRUE, VALUE_FALSE -> "a boolean";
            case VALUE_NULL -> "null";
            case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "not JSON";
        };
    }

    private MalformedException malformed(String what) {
        return new MalformedException(parser.currentTokenLocation().getCharOffset(), what);
    }
}
