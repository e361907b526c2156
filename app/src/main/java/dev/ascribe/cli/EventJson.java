package dev.ascribe.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.EventBody;
import java.util.Arrays;
import java.util.UUID;
import java.util.stream.Collectors;

/** A decoded event as a JSON object: the header's fields and the body's, by the names of the format. */
final class EventJson {
    private static final String RUN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

    private EventJson() {}

    static ObjectNode write(Event event) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        JsonFields.Into to = new JsonFields.Into(object);
        to.number("version", Event.VERSION);
        to.text("type", event.body().type().label());
        to.number("time", event.time());
        to.text("run", event.run().toString());
        to.hash("subject", event.subject());
        to.number("sequence", event.sequence());
        to.hash("previous", event.previous());
        event.body().write(to);
        return object;
    }

    static Event read(JsonNode node) {
        if (!(node instanceof ObjectNode object)) {
            throw new VerificationException("an event must be a JSON object");
        }
        JsonFields.From from = new JsonFields.From(object);
        long version = from.number("version");
        if (version != Event.VERSION) {
            throw new VerificationException("version " + version + " is not known");
        }
        EventBody.Type type = type(from.text("type"));
        Event event = new Event(
                from.number("time"),
                run(from.text("run")),
                from.hash("subject"),
                from.number("sequence"),
                from.hash("previous"),
                EventBody.read(type, from));
        from.end();
        return event;
    }

    static EventBody.Type type(String label) {
        return Arrays.stream(EventBody.Type.values())
                .filter(type -> type.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new VerificationException("the type \"%s\" is not known; types are %s"
                        .formatted(
                                label,
                                Arrays.stream(EventBody.Type.values())
                                        .map(EventBody.Type::label)
                                        .collect(Collectors.joining(", ")))));
    }

    static UUID run(String text) {
        if (!text.matches(RUN)) {
            throw new VerificationException("\"run\" is '" + text + "'; it must be a UUID in lower case");
        }
        return UUID.fromString(text);
    }
}
