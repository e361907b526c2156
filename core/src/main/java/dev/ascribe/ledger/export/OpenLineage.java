package dev.ascribe.ledger.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Checkpoint;
import java.io.IOException;
import java.io.OutputStream;

/**
 * OpenLineage 2-0-2: for each run a START at its first entry's time and a COMPLETE at its last one's, one JSON object a line. A run
 * reads the log's samples and writes models. COMPLETE means that the log holds no later entry of the run, not that the run succeeded.
 */
final class OpenLineage implements LogExport {
    private static final String SPECIFICATION = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
    private static final String PRODUCER = "urn:ascribe:ledger";

    @Override
    public void write(Excerpt excerpt, OutputStream to) throws IOException {
        for (Contents.Run run : excerpt.contents().runs()) {
            ObjectNode start = event(excerpt.checkpoint(), run, "START", run.first());
            start.putArray("outputs");
            line(start, to);
            ObjectNode complete = event(excerpt.checkpoint(), run, "COMPLETE", run.last());
            ArrayNode outputs = complete.putArray("outputs");
            run.checkpoints().forEach(reached -> outputs.add(model(excerpt.checkpoint(), reached)));
            line(complete, to);
        }
    }

    private static void line(ObjectNode event, OutputStream to) throws IOException {
        to.write(Json.MAPPER.writeValueAsBytes(event));
        to.write('\n');
    }

    private static ObjectNode event(Checkpoint checkpoint, Contents.Run run, String type, long time) {
        ObjectNode event = Json.object();
        event.put("eventType", type);
        event.put(
                "eventTime",
                Json.time(time)
                        .orElseThrow(() -> new VerificationException(
                                "an entry of run %s tells the time %d ms, which is later than OpenLineage can say"
                                        .formatted(run.id(), time))));
        event.put("producer", PRODUCER).put("schemaURL", SPECIFICATION + "#/$defs/RunEvent");
        ObjectNode about = event.putObject("run").put("runId", run.id().toString());
        about.putObject("facets").set("ascribe_ledger", facet("RunFacet", Json.checkpoint(checkpoint)));
        event.putObject("job").put("namespace", checkpoint.origin()).put("name", "training");
        ObjectNode samples = event.putArray("inputs").addObject();
        samples.put("namespace", checkpoint.origin()).put("name", "samples");
        samples.putObject("inputFacets")
                .set(
                        "ascribe_samples",
                        facet(
                                "InputDatasetFacet",
                                Json.object().put("batches", run.batches()).put("samples", run.samples())));
        return event;
    }

    private static ObjectNode model(Checkpoint checkpoint, Contents.Reached reached) {
        ObjectNode model = Json.object()
                .put("namespace", checkpoint.origin())
                .put("name", "sha256:" + reached.checkpoint().model());
        model.putObject("outputFacets").set("ascribe_checkpoint", facet("OutputDatasetFacet", Json.reached(reached)));
        return model;
    }

    private static ObjectNode facet(String kind, ObjectNode fields) {
        ObjectNode facet =
                Json.object().put("_producer", PRODUCER).put("_schemaURL", SPECIFICATION + "#/$defs/" + kind);
        return facet.setAll(fields);
    }
}
