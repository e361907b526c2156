package dev.ascribe.ledger.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.apicatalog.jsonld.JsonLd;
import com.apicatalog.jsonld.document.JsonDocument;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.ascribe.SampleId;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Draft;
import dev.ascribe.ledger.EventBody;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.Ledger;
import dev.ascribe.ledger.LedgerReader;
import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.UUID;
import java.util.stream.Stream;
import org.cyclonedx.Version;
import org.cyclonedx.model.Bom;
import org.cyclonedx.model.Component;
import org.cyclonedx.parsers.JsonParser;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LogExportTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final UUID RUN = new UUID(0x0b5e_3c52_9a4e_4f59L, 0x8a39_0d5d_7ee0_b0a6L);
    private static final UUID OTHER = new UUID(3, 4);
    private static final Hash MODEL = Hash.sha256("model".getBytes(StandardCharsets.UTF_8));
    private static final Hash MODEL_OF_OTHER = Hash.sha256("other".getBytes(StandardCharsets.UTF_8));
    private static final Hash DATA = Hash.sha256("data".getBytes(StandardCharsets.UTF_8));
    private static final String ORIGIN = "example.com/tést";

    @TempDir
    private Path folder;

    private Path home;

    private static SampleId sample(int number) {
        return SampleId.of(("sample " + number).getBytes(StandardCharsets.UTF_8));
    }

    /** A log of every type of event, of more than one bundle, with an erased sample and events that name no run. */
    @BeforeEach
    void makeALedger() {
        home = folder.resolve("ledger");
        Ledger.init(home, ORIGIN, List.of(), Optional.of(folder.resolve("guard")));
        try (Ledger ledger = Ledger.open(home)) {
            List<Draft> ingests = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                ingests.add(Draft.ingest(1_763_782_620_123L + i, new UUID(0, 0), sample(i), "rows \"é\" " + i % 3));
            }
            ledger.append(ingests);
            ledger.append(List.of(
                    Draft.transform(1, RUN, sample(900), "tokenize", List.of(sample(7), sample(8)), "bpe"),
                    Draft.batch(1_763_782_621_000L, RUN, sample(7), 1, 2, 3),
                    Draft.batch(1_763_782_622_000L, RUN, sample(7), 2, 4, 0),
                    Draft.batch(2, new UUID(0, 0), sample(8), 1, 2, 4),
                    Draft.contribution(7, RUN, sample(7), "datainf", sample(5000), -1e-7, List.of(MODEL)),
                    checkpoint(RUN, MODEL, OptionalDouble.of(0.25)),
                    checkpoint(OTHER, MODEL, OptionalDouble.empty()),
                    checkpoint(OTHER, MODEL_OF_OTHER, OptionalDouble.empty()),
                    Draft.ofRun(9, RUN, new EventBody.Evaluate("accuracy", 0.5, MODEL, DATA))));
            ledger.erase(sample(3), "on request", 10);
        }
    }

    private static Draft checkpoint(UUID run, Hash model, OptionalDouble validation) {
        return Draft.ofRun(8, run, new EventBody.Checkpoint(model, 9, 1.5, validation, true));
    }

    private byte[] export(ExportFormat format, Optional<UUID> run) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        format.export().write(Excerpt.of(LedgerReader.open(home), run), out);
        return out.toByteArray();
    }

    /** The log's size; the ledger publishes when a second has passed, so it varies. */
    private long size() {
        return LedgerReader.open(home).checkpoint().size();
    }

    /** The name of the only entry of a type. */
    private String entry(EventBody.Type type) {
        List<String> found = new ArrayList<>();
        LedgerReader.open(home).forEach(logged -> {
            if (logged.event().body().type() == type) {
                found.add("entry:" + logged.index());
            }
        });
        assertThat(found).hasSize(1);
        return found.getFirst();
    }

    private JsonNode json(ExportFormat format, Optional<UUID> run) throws IOException {
        return JSON.readTree(export(format, run));
    }

    private static Schema schema(String file, SpecificationVersion version, String pointer) throws IOException {
        try (InputStream in = Objects.requireNonNull(LogExportTest.class.getResourceAsStream(file), file)) {
            JsonNode document = JSON.readTree(in);
            String id = document.path("$id").asText("https://schema.invalid/" + file);
            return SchemaRegistry.withDefaultDialect(
                            version, builder -> builder.schemas(java.util.Map.of(id, document.toString())))
                    .getSchema(SchemaLocation.of(id + pointer));
        }
    }

    private static List<Error> errors(Schema schema, JsonNode document) {
        return schema.validate(
                document, context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)));
    }

    @ParameterizedTest
    @EnumSource
    void theSameLogGivesTheSameBytesWhateverElseTheLedgerKnows(ExportFormat format) throws IOException {
        byte[] once = export(format, Optional.empty());
        Files.delete(home.resolve("private/samples"));
        Files.delete(home.resolve("private/subjects"));
        assertThat(export(format, Optional.empty())).isEqualTo(once);
    }

    @ParameterizedTest
    @EnumSource
    void originSizeAndRootAreNamedAndNoSampleIdIs(ExportFormat format) throws IOException {
        String text = new String(export(format, Optional.of(RUN)), StandardCharsets.UTF_8);
        if (format == ExportFormat.INTOTO) {
            text = new String(
                    Base64.getDecoder()
                            .decode(JSON.readTree(text).get("payload").asText()),
                    StandardCharsets.UTF_8);
        }
        LedgerReader log = LedgerReader.open(home);
        assertThat(text)
                .contains(
                        ORIGIN,
                        log.checkpoint().root().toString(),
                        Long.toString(log.checkpoint().size()));
        for (int i = 0; i < 1000; i++) {
            assertThat(text).doesNotContain(HexFormat.of().formatHex(sample(i).bytes()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRunThatTheLogDoesNotKnowIsRefused(ExportFormat format) {
        assertThatThrownBy(() -> export(format, Optional.of(new UUID(5, 6))))
                .isInstanceOf(VerificationException.class)
                .hasMessageContaining(
                        "none of the first " + size() + " entries of " + ORIGIN + " is of the run " + new UUID(5, 6));
    }

    @Test
    void openLineageEventsAreRunEvents() throws IOException {
        Schema schema = schema("openlineage-2-0-2.json", SpecificationVersion.DRAFT_2020_12, "#/$defs/RunEvent");
        List<JsonNode> events = new String(export(ExportFormat.OPENLINEAGE, Optional.empty()), StandardCharsets.UTF_8)
                .lines()
                .map(LogExportTest::parse)
                .toList();
        assertThat(events).hasSize(4);
        for (JsonNode event : events) {
            assertThat(errors(schema, event)).isEmpty();
            ObjectNode without = event.deepCopy();
            without.remove("run");
            assertThat(errors(schema, without)).as("the schema asks for a run").isNotEmpty();
            ObjectNode late = event.deepCopy();
            late.put("eventTime", "yesterday");
            assertThat(errors(schema, late)).as("formats are checked").isNotEmpty();
        }
        assertThat(events)
                .extracting(event -> event.get("eventType").asText())
                .containsExactly("START", "COMPLETE", "START", "COMPLETE");
        JsonNode complete = events.get(1);
        assertThat(complete.at("/run/runId").asText()).isEqualTo(RUN.toString());
        assertThat(complete.get("eventTime").asText()).isEqualTo("2025-11-22T03:37:02.000Z");
        assertThat(complete.at("/inputs/0/inputFacets/ascribe_samples/batches").asInt())
                .isEqualTo(2);
        assertThat(complete.at("/inputs/0/inputFacets/ascribe_samples/samples").asInt())
                .isEqualTo(1);
        assertThat(complete.at("/outputs/0/name").asText()).isEqualTo("sha256:" + MODEL);
        assertThat(complete.at("/run/facets/ascribe_ledger/size").asLong()).isEqualTo(size());
    }

    private static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void aTimeThatOpenLineageCannotTellIsRefusedAndOthersLeaveItOut() throws IOException {
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(
                    List.of(Draft.ofRun((1L << 53) - 1, RUN, new EventBody.Evaluate("accuracy", 0.5, MODEL, DATA))));
        }
        assertThatThrownBy(() -> export(ExportFormat.OPENLINEAGE, Optional.empty()))
                .hasMessageContaining("tells the time 9007199254740991 ms");
        assertThat(json(ExportFormat.PROV, Optional.empty())
                        .at("/activity/run:" + RUN)
                        .has("prov:endTime"))
                .isFalse();
    }

    @Test
    void provJsonFollowsItsSchemaAndNamesEachEntryThatItStandsFor() throws IOException {
        Schema schema = schema("prov-json.schema.json", SpecificationVersion.DRAFT_4, "");
        JsonNode document = json(ExportFormat.PROV, Optional.empty());
        assertThat(errors(schema, document)).isEmpty();
        ObjectNode wrong = document.deepCopy();
        wrong.putObject("used").putObject("entry:1").put("prov:activity", "run:" + RUN);
        assertThat(errors(schema, wrong)).as("the schema asks for the entity").isNotEmpty();
        LedgerReader log = LedgerReader.open(home);
        String seven = "sample:" + log.commitment(sample(7)).orElseThrow();
        String tokens = "sample:" + log.commitment(sample(900)).orElseThrow();
        assertThat(document.at("/used").properties()).hasSize(3);
        assertThat(document.at("/wasGeneratedBy").properties()).hasSize(305);
        assertThat(document.at("/wasDerivedFrom/" + entry(EventBody.Type.TRANSFORM) + "-1/prov:generatedEntity")
                        .asText())
                .isEqualTo(tokens);
        assertThat(document.at("/wasDerivedFrom/" + entry(EventBody.Type.TRANSFORM) + "-1/prov:usedEntity")
                        .asText())
                .isEqualTo(seven);
        assertThat(document.at("/wasInfluencedBy/" + entry(EventBody.Type.CONTRIBUTION) + "/ascribe:score")
                        .asDouble())
                .isEqualTo(-1e-7);
        assertThat(document.at("/wasInvalidatedBy").properties()).hasSize(1);
        assertThat(document.at("/entity/log:checkpoint/ascribe:size").asLong()).isEqualTo(size());
        assertThat(json(ExportFormat.PROV, Optional.of(RUN)).at("/used").properties())
                .hasSize(2);
        // everything that a relation speaks of is declared
        for (String section :
                List.of("wasGeneratedBy", "used", "wasDerivedFrom", "wasInfluencedBy", "wasInvalidatedBy")) {
            document.at("/" + section)
                    .forEach(relation -> relation.properties().stream()
                            .filter(field ->
                                    field.getKey().matches("prov:(entity|generatedEntity|usedEntity|influence.)"))
                            .forEach(field -> assertThat(document.get("entity")
                                            .has(field.getValue().asText()))
                                    .isTrue()));
        }
    }

    @Test
    void theStatementIsSignedByTheLogsOwnKey() throws Exception {
        JsonNode envelope = json(ExportFormat.INTOTO, Optional.empty());
        assertThat(envelope.fieldNames()).toIterable().containsExactly("payload", "payloadType", "signatures");
        assertThat(envelope.get("payloadType").asText()).isEqualTo("application/vnd.in-toto+json");
        assertThat(envelope.get("signatures")).hasSize(1);
        byte[] payload = envelope.get("payload").binaryValue();
        String key = envelope.at("/signatures/0/keyid").asText();
        assertThat(key)
                .isEqualTo(LedgerReader.open(home).verifierKeys().getFirst().toString());
        byte[] raw = Base64.getDecoder().decode(key.substring(key.indexOf('+', key.indexOf('+') + 1) + 1));
        assertThat(raw[0]).isEqualTo((byte) 1);
        byte[] head = HexFormat.of().parseHex("302a300506032b6570032100");
        byte[] encoded = Arrays.copyOf(head, head.length + 32);
        System.arraycopy(raw, 1, encoded, head.length, 32);
        Signature verifier = Signature.getInstance("Ed25519");
        verifier.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded)));
        verifier.update(
                ("DSSEv1 28 application/vnd.in-toto+json " + payload.length + " ").getBytes(StandardCharsets.UTF_8));
        verifier.update(payload);
        assertThat(verifier.verify(envelope.at("/signatures/0/sig").binaryValue()))
                .isTrue();

        JsonNode statement = JSON.readTree(payload);
        assertThat(statement.get("_type").asText()).isEqualTo("https://in-toto.io/Statement/v1");
        assertThat(statement.at("/subject").findValuesAsText("sha256"))
                .containsExactly(MODEL.toString(), MODEL_OF_OTHER.toString());
        assertThat(statement.at("/predicate/checkpoint/size").asLong()).isEqualTo(size());
        assertThat(statement.at("/predicate/models/0/checkpoints").size()).isEqualTo(2);
        assertThat(statement.at("/predicate/models/0/evaluations/0/value").asDouble())
                .isEqualTo(0.5);
    }

    @Test
    void aStatementAboutNoModelIsRefused() {
        Path empty = folder.resolve("empty");
        Ledger.init(empty, "example.com/empty", List.of(), Optional.of(folder.resolve("guard2")));
        assertThatThrownBy(() -> ExportFormat.INTOTO
                        .export()
                        .write(Excerpt.of(LedgerReader.open(empty), Optional.empty()), new ByteArrayOutputStream()))
                .isInstanceOf(VerificationException.class)
                .hasMessageContaining("no model is named in the first 2 entries");
    }

    @Test
    void theBillOfMaterialsIsValidAndHasEachModelOnce() throws Exception {
        byte[] bytes = export(ExportFormat.CYCLONEDX, Optional.empty());
        JsonParser parser = new JsonParser();
        assertThat(parser.validate(bytes, Version.VERSION_16)).isEmpty();
        String wrong = new String(bytes, StandardCharsets.UTF_8).replace("\"machine-learning-model\"", "\"model\"");
        assertThat(parser.validate(wrong.getBytes(StandardCharsets.UTF_8), Version.VERSION_16))
                .isNotEmpty();
        Bom bom = parser.parse(bytes);
        assertThat(bom.getComponents())
                .extracting(Component::getName)
                .containsExactly(ORIGIN, "sha256:" + MODEL, "sha256:" + MODEL_OF_OTHER);
        Component model = bom.getComponents().get(1);
        assertThat(model.getType()).isEqualTo(Component.Type.MACHINE_LEARNING_MODEL);
        assertThat(model.getHashes().getFirst().getValue()).isEqualTo(MODEL.toString());
        assertThat(model.getModelCard()
                        .getQuantitativeAnalysis()
                        .getPerformanceMetrics()
                        .getFirst()
                        .getValue())
                .isEqualTo("0.5");
        Bom ofRun = parser.parse(export(ExportFormat.CYCLONEDX, Optional.of(RUN)));
        assertThat(ofRun.getComponents()).hasSize(2);
        assertThat(ofRun.getSerialNumber()).isNotEqualTo(bom.getSerialNumber());
    }

    @Test
    void anEmptyLogHasAValidBillOfMaterialsProvenanceAndDescription() throws Exception {
        Path empty = folder.resolve("empty");
        Ledger.init(empty, "example.com/empty", List.of(), Optional.of(folder.resolve("guard2")));
        home = empty;
        assertThat(new JsonParser().validate(export(ExportFormat.CYCLONEDX, Optional.empty()), Version.VERSION_16))
                .isEmpty();
        assertThat(errors(
                        schema("prov-json.schema.json", SpecificationVersion.DRAFT_4, ""),
                        json(ExportFormat.PROV, Optional.empty())))
                .isEmpty();
        assertThat(export(ExportFormat.OPENLINEAGE, Optional.empty())).isEmpty();
        assertThat(json(ExportFormat.CROISSANT, Optional.empty()).get("recordSet"))
                .isEmpty();
    }

    /** Croissant has no schema: what its specification requires, by the full names that the JSON-LD stands for. */
    @Test
    void theDataSetDescriptionSaysWhatCroissantRequires() throws Exception {
        String text = new String(export(ExportFormat.CROISSANT, Optional.empty()), StandardCharsets.UTF_8);
        JsonArray expanded =
                JsonLd.expand(JsonDocument.of(new StringReader(text))).get();
        assertThat(expanded).hasSize(1);
        JsonObject dataset = expanded.getJsonObject(0);
        String schema = "https://schema.org/";
        String croissant = "http://mlcommons.org/croissant/";
        assertThat(dataset.getJsonArray("@type").getString(0)).isEqualTo(schema + "Dataset");
        assertThat(value(dataset, "http://purl.org/dc/terms/conformsTo")).isEqualTo(croissant + "1.1");
        assertThat(dataset.keySet())
                .containsAll(Stream.of(
                                "name",
                                "description",
                                "license",
                                "url",
                                "creator",
                                "datePublished",
                                "version",
                                "distribution",
                                "identifier")
                        .map(schema::concat)
                        .toList())
                .contains(croissant + "citeAs", croissant + "recordSet")
                .allMatch(key -> key.startsWith("@") || key.contains("://"));
        JsonObject file = dataset.getJsonArray(schema + "distribution").getJsonObject(0);
        assertThat(file.getJsonArray("@type").getString(0)).isEqualTo(croissant + "FileObject");
        assertThat(value(file, schema + "contentUrl")).isEqualTo("https://example.com/t%C3%A9st/checkpoint");
        assertThat(value(file, schema + "sha256"))
                .isEqualTo(Hash.sha256(Files.readAllBytes(home.resolve("log/checkpoint")))
                        .toString());
        JsonObject sources = dataset.getJsonArray(croissant + "recordSet").getJsonObject(0);
        assertThat(sources.getJsonArray(croissant + "field")).hasSize(2);
        assertThat(JSON.readTree(text)
                        .at("/recordSet/0/data/0/sources~1samples")
                        .asInt())
                .isEqualTo(100);
        assertThat(JSON.readTree(text).at("/recordSet/1/data")).hasSize(3);
    }

    private static String value(JsonObject node, String name) {
        return node.getJsonArray(name).getJsonObject(0).getString("@value");
    }
}
