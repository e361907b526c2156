package dev.ascribe.ledger.export;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.ledger.Checkpoint;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;

/** JSON and names that the formats share. */
final class Json {
    /** Same bytes on every system: two spaces, line feeds. */
    static final JsonMapper MAPPER = new JsonMapper();

    private static final DefaultIndenter INDENT = new DefaultIndenter("  ", "\n");
    private static final ObjectWriter PRETTY = MAPPER.writer(new DefaultPrettyPrinter(
                    Separators.createDefaultInstance().withObjectFieldValueSpacing(Separators.Spacing.AFTER))
            .withObjectIndenter(INDENT)
            .withArrayIndenter(INDENT));

    /** The last year that RFC 3339 can tell. */
    private static final int LAST_YEAR = 9999;

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern(
                    "uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    /** RFC 3986's unreserved characters, and the slash and colon, which an origin may have. */
    private static final String UNRESERVED = "-._~/:";

    private Json() {}

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    static void write(JsonNode document, OutputStream to) throws IOException {
        to.write(PRETTY.writeValueAsBytes(document));
        to.write('\n');
    }

    /** What every document names: the checkpoint that it speaks of. */
    static ObjectNode checkpoint(Checkpoint checkpoint) {
        return object().put("origin", checkpoint.origin())
                .put("size", checkpoint.size())
                .put("root", checkpoint.root().toString());
    }

    /** What the log says about a run's checkpoint, without its digest. */
    static ObjectNode reached(Contents.Reached reached) {
        ObjectNode node = object().put("index", reached.index())
                .put("run", reached.run().toString())
                .put("step", reached.checkpoint().step())
                .put("trainLoss", reached.checkpoint().trainLoss());
        reached.checkpoint().validationLoss().ifPresent(loss -> node.put("validationLoss", loss));
        return node.put("selected", reached.checkpoint().selected());
    }

    /** A time as RFC 3339 tells it; the log holds later ones than that can. */
    static Optional<String> time(long millis) {
        Instant instant = Instant.ofEpochMilli(millis);
        return instant.atOffset(ZoneOffset.UTC).getYear() <= LAST_YEAR
                ? Optional.of(TIME.format(instant))
                : Optional.empty();
    }

    /** A name in the log's own name space: its origin is by convention where it is served, without the scheme. */
    static String uri(Checkpoint checkpoint, String path) {
        StringBuilder uri = new StringBuilder("https://");
        for (byte b : checkpoint.origin().getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || UNRESERVED.indexOf(c) >= 0);
            uri.append(plain ? String.valueOf(c) : "%%%02X".formatted((int) c));
        }
        return uri.append('/').append(path).toString();
    }
}
