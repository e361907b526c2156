package dev.ascribe.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Dsse;
import dev.ascribe.ledger.VerifierKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A DSSE envelope: a payload, its type and signatures over both. The {@code keyid} of a signature is the whole verifier key.
 */
final class Envelope {
    private final String payloadType;
    private final byte[] payload;
    private final Map<VerifierKey, byte[]> signatures;

    /** @param signatures in their order */
    Envelope(String payloadType, byte[] payload, Map<VerifierKey, byte[]> signatures) {
        this.payloadType = payloadType;
        this.payload = payload.clone();
        this.signatures = new LinkedHashMap<>(signatures);
    }

    /** What the payload is. */
    String payloadType() {
        return payloadType;
    }

    /** A copy of what is signed. */
    byte[] payload() {
        return payload.clone();
    }

    /** The envelope as JSON, ending in a line feed. */
    byte[] json() {
        ObjectNode envelope = LedgerCommand.JSON
                .createObjectNode()
                .put("payload", Base64.getEncoder().encodeToString(payload))
                .put("payloadType", payloadType);
        ArrayNode array = envelope.putArray("signatures");
        signatures.forEach((key, signature) -> array.addObject()
                .put("keyid", key.toString())
                .put("sig", Base64.getEncoder().encodeToString(signature)));
        return (envelope.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** Reads an envelope; what is none is bad input. */
    static Envelope read(Path file) {
        try {
            JsonNode tree = LedgerCommand.JSON.readTree(LedgerCommand.bytes(file));
            Map<VerifierKey, byte[]> signatures = new LinkedHashMap<>();
            for (JsonNode signature : tree.path("signatures")) {
                signatures.put(
                        VerifierKey.parse(text(signature, "keyid")),
                        Base64.getDecoder().decode(text(signature, "sig")));
            }
            return new Envelope(
                    text(tree, "payloadType"), Base64.getDecoder().decode(text(tree, "payload")), signatures);
        } catch (JacksonException e) {
            throw new UserInputException("%s is no DSSE envelope: %s".formatted(file, e.getOriginalMessage()), e);
        } catch (IOException | IllegalArgumentException e) {
            throw new UserInputException("%s is no DSSE envelope: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static String text(JsonNode object, String name) {
        JsonNode value = object.path(name);
        if (!value.isTextual()) {
            throw new IllegalArgumentException("'" + name + "' is missing or no text");
        }
        return value.textValue();
    }

    /**
     * Checks every signature.
     *
     * @param required keys that must have signed
     * @return the keys that signed
     * @throws VerificationException when there is none, one is wrong, or a required one is missing
     */
    List<VerifierKey> verify(List<VerifierKey> required) {
        if (signatures.isEmpty()) {
            throw new VerificationException("it is not signed");
        }
        signatures.forEach((key, signature) -> {
            if (!Dsse.verify(payloadType, payload, signature, key)) {
                throw new VerificationException("the signature of " + key.name() + " is wrong");
            }
        });
        for (VerifierKey key : required) {
            if (!signatures.containsKey(key)) {
                throw new VerificationException("not signed by " + key);
            }
        }
        return new ArrayList<>(signatures.keySet());
    }
}
