package dev.ascribe.ledger.export;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.EventBody;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.LedgerReader.Logged;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * W3C PROV-JSON: entities are samples (by their commitments), files of models and data (by their digests), measurements and the checkpoint;
 * activities are runs. Every relation is named after the entry that it stands for, so each can be proved. The log is passed once for each
 * section, and never held.
 */
final class Prov implements LogExport {
    /** Writes what an entry says in one section. */
    private interface Rule {
        void write(Logged logged, Section to);
    }

    /** One section: statements under their names. */
    private record Section(JsonGenerator out) {
        void put(String name, ObjectNode attributes) {
            try {
                out.writeFieldName(name);
                out.writeTree(attributes);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void write(Excerpt excerpt, OutputStream to) throws IOException {
        try (JsonGenerator out = Json.MAPPER.createGenerator(to)) {
            out.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            out.writeStartObject();
            out.writeFieldName("prefix");
            out.writeTree(prefixes(excerpt.checkpoint()));
            entities(excerpt, out);
            activities(excerpt, out);
            section(excerpt, out, "wasGeneratedBy", Prov::generation);
            section(excerpt, out, "used", Prov::use);
            section(excerpt, out, "wasDerivedFrom", Prov::derivation);
            section(excerpt, out, "wasInfluencedBy", Prov::influence);
            section(excerpt, out, "wasInvalidatedBy", Prov::invalidation);
            out.writeEndObject();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        to.write('\n');
    }

    private static ObjectNode prefixes(Checkpoint checkpoint) {
        return Json.object()
                .put("ascribe", "urn:ascribe:prov:")
                .put("log", Json.uri(checkpoint, ""))
                .put("entry", Json.uri(checkpoint, "entry/"))
                .put("sample", Json.uri(checkpoint, "sample/"))
                .put("file", Json.uri(checkpoint, "sha256/"))
                .put("run", "urn:uuid:");
    }

    private static void section(Excerpt excerpt, JsonGenerator out, String name, Rule rule) throws IOException {
        out.writeObjectFieldStart(name);
        Section section = new Section(out);
        excerpt.forEach(logged -> rule.write(logged, section));
        out.writeEndObject();
    }

    private static void entities(Excerpt excerpt, JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("entity");
        Section section = new Section(out);
        Checkpoint checkpoint = excerpt.checkpoint();
        section.put(
                "log:checkpoint",
                typed("Checkpoint")
                        .put("ascribe:origin", checkpoint.origin())
                        .put("ascribe:size", checkpoint.size())
                        .put("ascribe:root", checkpoint.root().toString()));
        Set<String> named = new HashSet<>();
        excerpt.forEach(logged -> {
            Event event = logged.event();
            if (event.body().type().about() == EventBody.About.SAMPLE) {
                once(named, sample(event.subject()), "Sample", section);
            }
            switch (event.body()) {
                case EventBody.Transform body ->
                    body.parents().forEach(parent -> once(named, sample(parent), "Sample", section));
                case EventBody.Contribution body -> once(named, sample(body.query()), "Sample", section);
                case EventBody.Checkpoint body -> once(named, file(body.model()), "Model", section);
                case EventBody.Evaluate body -> {
                    once(named, file(body.model()), "Model", section);
                    once(named, file(body.data()), "Data", section);
                    section.put(
                            entry(logged),
                            typed("Measurement")
                                    .put("ascribe:metric", body.metric())
                                    .put("ascribe:value", body.value()));
                }
                case EventBody.Ledger body -> {}
                case EventBody.Map body -> {}
                case EventBody.Ingest body -> {}
                case EventBody.Batch body -> {}
                case EventBody.Delete body -> {}
            }
        });
        out.writeEndObject();
    }

    private static void once(Set<String> named, String name, String type, Section to) {
        if (named.add(name)) {
            to.put(name, typed(type));
        }
    }

    private static ObjectNode typed(String type) {
        ObjectNode node = Json.object();
        node.putObject("prov:type").put("$", "ascribe:" + type).put("type", "prov:QUALIFIED_NAME");
        return node;
    }

    private static void activities(Excerpt excerpt, JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("activity");
        Section section = new Section(out);
        for (Contents.Run run : excerpt.contents().runs()) {
            ObjectNode node = Json.object();
            Json.time(run.first()).ifPresent(time -> node.put("prov:startTime", time));
            Json.time(run.last()).ifPresent(time -> node.put("prov:endTime", time));
            section.put("run:" + run.id(), node);
        }
        excerpt.forEach(
                logged -> { // a batch that names no run is an activity of its own
                    if (logged.event().body() instanceof EventBody.Batch && !Excerpt.hasRun(logged.event())) {
                        section.put(entry(logged), Json.object());
                    }
                });
        out.writeEndObject();
    }

    private static void generation(Logged logged, Section to) {
        switch (logged.event().body()) {
            case EventBody.Ingest body ->
                to.put(
                        entry(logged),
                        by(logged, sample(logged.event().subject())).put("ascribe:source", body.source()));
            case EventBody.Transform body ->
                to.put(
                        entry(logged),
                        by(logged, sample(logged.event().subject()))
                                .put("ascribe:kind", body.kind())
                                .put("ascribe:detail", body.detail()));
            case EventBody.Checkpoint body -> {
                ObjectNode node = by(logged, file(body.model()))
                        .put("ascribe:step", body.step())
                        .put("ascribe:trainLoss", body.trainLoss());
                body.validationLoss().ifPresent(loss -> node.put("ascribe:validationLoss", loss));
                to.put(entry(logged), node.put("ascribe:selected", body.selected()));
            }
            case EventBody.Evaluate body -> to.put(entry(logged), by(logged, entry(logged)));
            case EventBody.Ledger body -> {}
            case EventBody.Map body -> {}
            case EventBody.Batch body -> {}
            case EventBody.Contribution body -> {}
            case EventBody.Delete body -> {}
        }
    }

    private static void use(Logged logged, Section to) {
        if (logged.event().body() instanceof EventBody.Batch body) {
            ObjectNode node = by(logged, sample(logged.event().subject()));
            if (!Excerpt.hasRun(logged.event())) {
                node.put("prov:activity", entry(logged));
            }
            to.put(
                    entry(logged),
                    node.put("ascribe:epoch", body.epoch())
                            .put("ascribe:step", body.step())
                            .put("ascribe:position", body.position()));
        }
    }

    private static void derivation(Logged logged, Section to) {
        if (logged.event().body() instanceof EventBody.Transform body) {
            String child = sample(logged.event().subject());
            derive(logged, child, body.parents().stream().map(Prov::sample).toList(), to);
        } else if (logged.event().body() instanceof EventBody.Evaluate body) {
            derive(logged, entry(logged), List.of(file(body.model()), file(body.data())), to);
        }
    }

    private static void derive(Logged logged, String child, List<String> parents, Section to) {
        for (int i = 0; i < parents.size(); i++) {
            to.put(
                    entry(logged) + "-" + (i + 1),
                    Json.object().put("prov:generatedEntity", child).put("prov:usedEntity", parents.get(i)));
        }
    }

    private static void influence(Logged logged, Section to) {
        if (logged.event().body() instanceof EventBody.Contribution body) {
            ObjectNode node = Json.object()
                    .put("prov:influencee", sample(body.query()))
                    .put("prov:influencer", sample(logged.event().subject()))
                    .put("ascribe:method", body.method())
                    .put("ascribe:score", body.score());
            ArrayNode checkpoints = node.putArray("ascribe:checkpoints");
            body.checkpoints().forEach(digest -> checkpoints.add(digest.toString()));
            to.put(entry(logged), node);
        }
    }

    private static void invalidation(Logged logged, Section to) {
        if (logged.event().body() instanceof EventBody.Delete body) {
            to.put(entry(logged), by(logged, sample(logged.event().subject())).put("ascribe:reason", body.reason()));
        }
    }

    /** A relation of an entity to the entry's run, at the entry's time. */
    private static ObjectNode by(Logged logged, String entity) {
        ObjectNode node = Json.object().put("prov:entity", entity);
        if (Excerpt.hasRun(logged.event())) {
            node.put("prov:activity", "run:" + logged.event().run());
        }
        Json.time(logged.event().time()).ifPresent(time -> node.put("prov:time", time));
        return node;
    }

    private static String entry(Logged logged) {
        return "entry:" + logged.index();
    }

    private static String sample(Hash commitment) {
        return "sample:" + commitment;
    }

    private static String file(Hash digest) {
        return "file:" + digest;
    }
}
