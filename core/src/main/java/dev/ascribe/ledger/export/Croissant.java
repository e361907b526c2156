package dev.ascribe.ledger.export;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Hash;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/**
 * Croissant 1.1: the samples as a data set that is described, not given. Its one file is the checkpoint; its record sets tell what was ingested
 * from where, and what the models are that were trained. The log knows no licence, and says so.
 */
final class Croissant implements LogExport {
    private static final String CONFORMS = "http://mlcommons.org/croissant/1.1";

    /** Terms of the Croissant vocabulary, as its context names them. */
    private static final List<String> TERMS = List.of(
            "arrayShape",
            "citeAs",
            "column",
            "containedIn",
            "equivalentProperty",
            "extract",
            "field",
            "fileObject",
            "fileProperty",
            "fileSet",
            "format",
            "includes",
            "isArray",
            "isLiveDataset",
            "jsonPath",
            "key",
            "md5",
            "parentField",
            "path",
            "recordSet",
            "references",
            "regex",
            "repeated",
            "replace",
            "samplingRate",
            "separator",
            "source",
            "subField",
            "transform");

    @Override
    public void write(Excerpt excerpt, OutputStream to) throws IOException {
        Checkpoint checkpoint = excerpt.checkpoint();
        Contents contents = excerpt.contents();
        ObjectNode document = Json.object();
        document.set("@context", context());
        document.put("@type", "sc:Dataset").put("name", excerpt.title());
        document.put(
                "description",
                "%d samples that have entries in the log %s%s, %d of them deleted since. The log holds commitments to samples, not the samples."
                        .formatted(
                                contents.samples(),
                                checkpoint.origin(),
                                excerpt.run()
                                        .map(run -> " under the run " + run)
                                        .orElse(""),
                                contents.deleted()));
        document.put("conformsTo", CONFORMS);
        document.put(
                "citeAs",
                "%s, checkpoint of %d entries, root %s"
                        .formatted(checkpoint.origin(), checkpoint.size(), checkpoint.root()));
        document.put("license", "not stated by the log").put("url", Json.uri(checkpoint, ""));
        document.put("version", "1." + checkpoint.size() + ".0"); // a log only grows: new data, the old unchanged
        published(excerpt, document);
        document.putObject("creator").put("@type", "sc:Organization").put("name", checkpoint.origin());
        identify(document.putArray("identifier"), checkpoint);
        file(document.putArray("distribution").addObject(), excerpt);
        ArrayNode recordSets = document.putArray("recordSet");
        sources(recordSets, contents);
        models(recordSets, contents);
        Json.write(document, to);
    }

    private static ObjectNode context() {
        ObjectNode context = Json.object().put("@language", "en").put("@vocab", "https://schema.org/");
        context.put("sc", "https://schema.org/").put("cr", "http://mlcommons.org/croissant/");
        context.put("rai", "http://mlcommons.org/croissant/RAI/").put("dct", "http://purl.org/dc/terms/");
        context.put("conformsTo", "dct:conformsTo");
        TERMS.forEach(term -> context.put(term, "cr:" + term));
        context.putObject("data").put("@id", "cr:data").put("@type", "@json");
        context.putObject("dataType").put("@id", "cr:dataType").put("@type", "@vocab");
        context.putObject("examples").put("@id", "cr:examples").put("@type", "@json");
        context.putObject("name").put("@container", "@language");
        context.putObject("description").put("@container", "@language");
        return context;
    }

    /** When the log's keeper closed the tree with its last entry. */
    private static void published(Excerpt excerpt, ObjectNode document) {
        long time = excerpt.log().event(excerpt.checkpoint().size() - 1).time();
        Json.time(time).ifPresent(text -> document.put("datePublished", text));
    }

    private static void identify(ArrayNode identifiers, Checkpoint checkpoint) {
        Json.checkpoint(checkpoint)
                .properties()
                .forEach(field -> identifiers
                        .addObject()
                        .put("@type", "sc:PropertyValue")
                        .put("propertyID", field.getKey())
                        .put("value", field.getValue().asText()));
    }

    private static void file(ObjectNode file, Excerpt excerpt) {
        file.put("@type", "cr:FileObject").put("@id", "checkpoint").put("name", "checkpoint");
        file.put("description", "The signed checkpoint; the log's entries lie beside it under tile/.");
        file.put("contentUrl", Json.uri(excerpt.checkpoint(), "checkpoint"))
                .put("encodingFormat", "text/plain")
                .put("sha256", Hash.sha256(excerpt.log().note().bytes()).toString());
    }

    private static void sources(ArrayNode recordSets, Contents contents) {
        ArrayNode data = Json.MAPPER.createArrayNode();
        contents.sources()
                .forEach((source, count) ->
                        data.addObject().put("sources/source", source).put("sources/samples", count));
        recordSet(recordSets, "sources", "What was ingested from where.", data, List.of("source", "samples"));
    }

    private static void models(ArrayNode recordSets, Contents contents) {
        ArrayNode data = Json.MAPPER.createArrayNode();
        contents.models()
                .forEach((digest, model) -> model.checkpoints()
                        .forEach(reached -> data.addObject()
                                .put("models/sha256", digest.toString())
                                .put("models/run", reached.run().toString())
                                .put("models/step", reached.checkpoint().step())
                                .put("models/index", reached.index())));
        recordSet(
                recordSets,
                "models",
                "Checkpoints of runs, and where they stand in the log.",
                data,
                List.of("sha256", "run", "step", "index"));
    }

    /** Records that are given in place; a set without any is no set. */
    private static void recordSet(
            ArrayNode recordSets, String id, String description, ArrayNode data, List<String> fields) {
        if (data.isEmpty()) {
            return;
        }
        ObjectNode set = recordSets
                .addObject()
                .put("@type", "cr:RecordSet")
                .put("@id", id)
                .put("name", id)
                .put("description", description);
        ArrayNode declared = set.putArray("field");
        for (String field : fields) {
            boolean number = data.get(0).get(id + "/" + field).isNumber();
            declared.addObject()
                    .put("@type", "cr:Field")
                    .put("@id", id + "/" + field)
                    .put("name", field)
                    .put("dataType", number ? "sc:Integer" : "sc:Text");
        }
        set.set("data", data);
    }
}
