package dev.ascribe.ledger.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Base64;

/**
 * An in-toto Statement v1 about the models in the log, in a DSSE envelope that the log's Ed25519 key signs; {@code keyid} is the verifier
 * key. The predicate says what the log says about each model and under which runs it came about.
 */
final class InToto implements LogExport {
    private static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";
    private static final String STATEMENT = "https://in-toto.io/Statement/v1";
    private static final String PREDICATE = "urn:ascribe:ledger:1";

    @Override
    public void write(Excerpt excerpt, OutputStream to) throws IOException {
        byte[] payload = Json.MAPPER.writeValueAsBytes(statement(excerpt));
        ObjectNode envelope = Json.object();
        envelope.put("payload", Base64.getEncoder().encodeToString(payload)).put("payloadType", PAYLOAD_TYPE);
        envelope.putArray("signatures")
                .addObject()
                .put("keyid", excerpt.log().signingKey().toString())
                .put("sig", excerpt.log().signEnvelope(PAYLOAD_TYPE, payload));
        Json.write(envelope, to);
    }

    private static ObjectNode statement(Excerpt excerpt) {
        Contents contents = excerpt.contents();
        if (contents.models().isEmpty()) {
            throw new VerificationException(
                    "%s: no model is named in the first %d entries, so there is nothing that a statement could be about; log a 'checkpoint' first"
                            .formatted(excerpt.title(), excerpt.checkpoint().size()));
        }
        ObjectNode statement = Json.object().put("_type", STATEMENT);
        ArrayNode subjects = statement.putArray("subject");
        ObjectNode predicate = Json.object();
        predicate.set("checkpoint", Json.checkpoint(excerpt.checkpoint()));
        ArrayNode models = predicate.putArray("models");
        contents.models().forEach((digest, model) -> {
            ObjectNode subject = subjects.addObject().put("name", "sha256:" + digest);
            subject.putObject("digest").put("sha256", digest.toString());
            models.add(model(digest.toString(), model));
        });
        ArrayNode runs = predicate.putArray("runs");
        for (Contents.Run run : contents.runs()) {
            ObjectNode node = runs.addObject().put("run", run.id().toString());
            Json.time(run.first()).ifPresent(time -> node.put("firstEntryTime", time));
            Json.time(run.last()).ifPresent(time -> node.put("lastEntryTime", time));
            node.put("batches", run.batches()).put("samples", run.samples());
        }
        return statement.put("predicateType", PREDICATE).set("predicate", predicate);
    }

    private static ObjectNode model(String digest, Contents.Model model) {
        ObjectNode node = Json.object().put("sha256", digest);
        ArrayNode checkpoints = node.putArray("checkpoints");
        model.checkpoints().forEach(reached -> checkpoints.add(Json.reached(reached)));
        ArrayNode evaluations = node.putArray("evaluations");
        for (Contents.Measured measured : model.evaluations()) {
            evaluations
                    .addObject()
                    .put("index", measured.index())
                    .put("run", measured.run().toString())
                    .put("metric", measured.evaluation().metric())
                    .put("value", measured.evaluation().value())
                    .put("data", measured.evaluation().data().toString());
        }
        return node;
    }
}
