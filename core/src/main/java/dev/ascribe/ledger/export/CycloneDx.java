package dev.ascribe.ledger.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Hash;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** A CycloneDX 1.6 bill of materials: each model of the log with its model card, and the samples as one data set. */
final class CycloneDx implements LogExport {
    private static final String SAMPLES = "samples";

    @Override
    public void write(Excerpt excerpt, OutputStream to) throws IOException {
        Checkpoint checkpoint = excerpt.checkpoint();
        Contents contents = excerpt.contents();
        ObjectNode document = Json.object();
        document.put("bomFormat", "CycloneDX").put("specVersion", "1.6");
        document.put("serialNumber", "urn:uuid:" + serial(excerpt)).put("version", 1);
        ArrayNode about = document.putObject("metadata").putArray("properties");
        property(about, "origin", checkpoint.origin());
        property(about, "size", checkpoint.size());
        property(about, "root", checkpoint.root());
        excerpt.run().ifPresent(run -> property(about, "run", run));
        ArrayNode components = document.putArray("components");
        ArrayNode dependencies = document.putArray("dependencies");
        components.add(samples(excerpt, contents));
        dependencies.addObject().put("ref", SAMPLES);
        contents.models().forEach((digest, model) -> {
            components.add(model(digest, model));
            dependencies
                    .addObject()
                    .put("ref", reference(digest))
                    .putArray("dependsOn")
                    .add(SAMPLES);
        });
        Json.write(document, to);
    }

    /** A UUID (version 8, RFC 9562) of its own for each checkpoint and run. */
    private static UUID serial(Excerpt excerpt) {
        String about = "ascribe-cyclonedx-v1\n" + excerpt.checkpoint().text()
                + excerpt.run().map(UUID::toString).orElse("");
        ByteBuffer bytes = ByteBuffer.wrap(
                Hash.sha256(about.getBytes(StandardCharsets.UTF_8)).bytes());
        long high = (bytes.getLong() & ~0xf000L) | 0x8000L;
        long low = (bytes.getLong() >>> 2) | Long.MIN_VALUE;
        return new UUID(high, low);
    }

    private static ObjectNode samples(Excerpt excerpt, Contents contents) {
        ObjectNode component = Json.object().put("type", "data").put("bom-ref", SAMPLES);
        component.put("name", excerpt.title());
        component.putArray("data").addObject().put("type", "dataset").put("name", "samples of the log");
        ArrayNode properties = component.putArray("properties");
        property(properties, "samples", contents.samples());
        property(properties, "deleted", contents.deleted());
        contents.sources().forEach((source, count) -> property(properties, "ingested", count + " from " + source));
        return component;
    }

    private static ObjectNode model(Hash digest, Contents.Model model) {
        ObjectNode component =
                Json.object().put("type", "machine-learning-model").put("bom-ref", reference(digest));
        component.put("name", reference(digest));
        component.putArray("hashes").addObject().put("alg", "SHA-256").put("content", digest.toString());
        ObjectNode card = component.putObject("modelCard");
        card.putObject("modelParameters").putArray("datasets").addObject().put("ref", SAMPLES);
        ArrayNode metrics = card.putObject("quantitativeAnalysis").putArray("performanceMetrics");
        ArrayNode properties = component.putArray("properties");
        for (Contents.Measured measured : model.evaluations()) {
            metrics.addObject()
                    .put("type", measured.evaluation().metric())
                    .put("value", Double.toString(measured.evaluation().value()))
                    .put("slice", reference(measured.evaluation().data()));
            property(properties, "evaluation", measured.index());
        }
        for (Contents.Reached reached : model.checkpoints()) {
            String at = "checkpoint:" + reached.index() + ":";
            property(properties, at + "run", reached.run());
            property(properties, at + "step", reached.checkpoint().step());
            property(properties, at + "trainLoss", reached.checkpoint().trainLoss());
            reached.checkpoint().validationLoss().ifPresent(loss -> property(properties, at + "validationLoss", loss));
            property(properties, at + "selected", reached.checkpoint().selected());
        }
        return component;
    }

    private static String reference(Hash digest) {
        return "sha256:" + digest;
    }

    private static void property(ArrayNode properties, String name, Object value) {
        properties.addObject().put("name", "ascribe:" + name).put("value", value.toString());
    }
}
