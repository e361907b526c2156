package dev.ascribe.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Commitment;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.MapProof;
import dev.ascribe.ledger.Merkle;
import dev.ascribe.ledger.PrefixMap;
import dev.ascribe.ledger.SignedNote;
import dev.ascribe.ledger.VerifierKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Judges test vectors, so that anybody can hold this implementation against another. */
final class LedgerVectors {
    private static final Set<String> IGNORED = Set.of("kind", "desc", "name", "wantErr", "want");
    private static final HexFormat HEX = HexFormat.of();

    /** Inputs of each kind. */
    private static final Map<String, List<String>> INPUTS = new TreeMap<>(Map.of(
            "inclusion", List.of("leafIdx", "treeSize", "root", "leafHash", "proof"),
            "consistency", List.of("size1", "size2", "root1", "root2", "proof"),
            "event", List.of("entry"),
            "event-encode", List.of("event"),
            "commitment", List.of("bucketKey", "sample"),
            "map-root", List.of("batches"),
            "map-prove", List.of("entries", "key"),
            "map-proof", List.of("root", "key", "proof"),
            "note", List.of("note", "keys"),
            "checkpoint", List.of("note", "keys")));

    private LedgerVectors() {}

    /**
     * Judges one vector.
     *
     * @param where it stands, for messages
     * @return verdict, reason and outputs
     * @throws UserInputException when it is no vector
     */
    static ObjectNode judge(JsonNode vector, String where) {
        if (!(vector instanceof ObjectNode object)) {
            throw new UserInputException(where + " is not a JSON object");
        }
        String kind = kind(object, where);
        List<String> inputs = INPUTS.get(kind);
        if (inputs == null) {
            throw new UserInputException("%s is of the kind \"%s\"; kinds are %s"
                    .formatted(where, kind, String.join(", ", INPUTS.keySet())));
        }
        for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!inputs.contains(name) && !IGNORED.contains(name)) {
                throw new UserInputException("%s has the unknown key \"%s\"".formatted(where, name));
            }
        }
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        try {
            ObjectNode outputs = JsonNodeFactory.instance.objectNode();
            judge(kind, object, outputs);
            result.put("verdict", "accept").put("reason", "");
            result.setAll(outputs);
        } catch (VerificationException e) {
            result.put("verdict", "reject").put("reason", e.getMessage());
        }
        return result;
    }

    private static String kind(ObjectNode vector, String where) {
        if (vector.has("kind")) {
            return vector.get("kind").asText();
        }
        if (vector.has("leafIdx") || vector.has("leafHash")) {
            return "inclusion";
        }
        if (vector.has("size1") || vector.has("root1")) {
            return "consistency";
        }
        throw new UserInputException(where + " is of no known kind");
    }

    private static void judge(String kind, ObjectNode vector, ObjectNode out) {
        switch (kind) {
            case "inclusion" ->
                Merkle.verifyInclusion(
                        number(vector, "leafIdx"),
                        number(vector, "treeSize"),
                        base64(vector, "leafHash"),
                        path(vector),
                        base64(vector, "root"));
            case "consistency" ->
                Merkle.verifyConsistency(
                        number(vector, "size1"),
                        number(vector, "size2"),
                        base64(vector, "root1"),
                        base64(vector, "root2"),
                        path(vector));
            case "event" -> {
                byte[] entry = hex(vector, "entry");
                out.set("event", EventJson.write(Event.decode(entry)));
                out.put("leafHash", Hash.leaf(entry).toString());
            }
            case "event-encode" ->
                out.put(
                        "entry",
                        HEX.formatHex(EventJson.read(value(vector, "event")).encode()));
            case "commitment" -> {
                SampleId sample =
                        SampleId.fromDigest(Hash.of(hex(vector, "sample")).bytes());
                Hash salt = Commitment.salt(Hash.of(hex(vector, "bucketKey")), sample);
                out.put("salt", salt.toString());
                out.put("commitment", Commitment.of(salt, sample).toString());
            }
            case "map-root" -> {
                PrefixMap map = PrefixMap.empty();
                ArrayNode roots = out.putArray("roots");
                for (JsonNode batch : list(vector, "batches")) {
                    put(map, batch);
                    roots.add(map.root().toString());
                }
            }
            case "map-prove" -> {
                PrefixMap map = PrefixMap.empty();
                put(map, value(vector, "entries"));
                out.put("proof", HEX.formatHex(map.prove(Hash.of(hex(vector, "key")))));
            }
            case "map-proof" -> {
                Optional<PrefixMap.Value> found = MapProof.parse(hex(vector, "proof"))
                        .verify(Hash.of(hex(vector, "key")), Hash.of(hex(vector, "root")));
                out.put("present", found.isPresent());
                found.ifPresent(value ->
                        out.put("count", value.count()).put("last", value.last().toString()));
            }
            case "note" -> SignedNote.parse(text(vector, "note")).verify(keys(vector));
            case "checkpoint" -> {
                Checkpoint checkpoint = Checkpoint.open(SignedNote.parse(text(vector, "note")), keys(vector));
                out.put("origin", checkpoint.origin());
                out.put("size", checkpoint.size());
                out.put("root", checkpoint.root().toString());
            }
            default -> throw new AssertionError(kind);
        }
    }

    private static void put(PrefixMap map, JsonNode batch) {
        if (!batch.isArray()) {
            throw new VerificationException("a batch must be a list");
        }
        for (JsonNode entry : batch) {
            if (!(entry instanceof ObjectNode object)) {
                throw new VerificationException("an entry of the map must be a JSON object");
            }
            JsonFields.From from = new JsonFields.From(object);
            map.put(from.hash("key"), from.number("count"), from.hash("last"));
            from.end();
        }
    }

    private static List<VerifierKey> keys(ObjectNode vector) {
        List<VerifierKey> keys = new ArrayList<>();
        for (JsonNode key : list(vector, "keys")) {
            try {
                keys.add(VerifierKey.parse(key.asText()));
            } catch (UserInputException e) {
                throw new VerificationException(e.getMessage(), e);
            }
        }
        return keys;
    }

    private static JsonNode value(ObjectNode vector, String name) {
        JsonNode value = vector.get(name);
        if (value == null) {
            throw new VerificationException("\"" + name + "\" is missing");
        }
        return value;
    }

    private static JsonNode list(ObjectNode vector, String name) {
        JsonNode value = value(vector, name);
        if (!value.isArray()) {
            throw new VerificationException("\"" + name + "\" must be a list");
        }
        return value;
    }

    private static String text(ObjectNode vector, String name) {
        JsonNode value = value(vector, name);
        if (!value.isTextual()) {
            throw new VerificationException("\"" + name + "\" must be text");
        }
        return value.textValue();
    }

    /** A size or an index, which may be beyond what 64 bits hold. */
    private static long number(ObjectNode vector, String name) {
        JsonNode value = value(vector, name);
        if (!value.isIntegralNumber()) {
            throw new VerificationException("\"" + name + "\" must be a whole number");
        }
        return Merkle.number(value.bigIntegerValue());
    }

    private static byte[] hex(ObjectNode vector, String name) {
        String text = text(vector, name);
        if (!text.matches("([0-9a-f]{2})*")) {
            throw new VerificationException("\"" + name + "\" is not hexadecimal in lower case");
        }
        return HEX.parseHex(text);
    }

    private static Hash base64(ObjectNode vector, String name) {
        return base64(value(vector, name), name);
    }

    private static Hash base64(JsonNode value, String name) {
        try {
            return Hash.of(Base64.getDecoder().decode(value.asText()));
        } catch (IllegalArgumentException e) {
            throw new VerificationException("\"" + name + "\" is not base64", e);
        }
    }

    /** A list of hashes; null is the empty one. */
    private static List<Hash> path(ObjectNode vector) {
        JsonNode value = value(vector, "proof");
        List<Hash> path = new ArrayList<>();
        if (!value.isNull()) {
            for (JsonNode hash : list(vector, "proof")) {
                path.add(base64(hash, "proof"));
            }
        }
        return path;
    }
}
