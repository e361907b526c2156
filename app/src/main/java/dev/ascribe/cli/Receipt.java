package dev.ascribe.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.Attribution;
import dev.ascribe.Digests;
import dev.ascribe.Influence;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an attribution receipt states: these inputs, so put together, gave these scores. It is the predicate of an in-toto statement whose subject
 * is the digest of {@link #canonical}.
 *
 * @param inputs digests of what was read
 * @param settings what else the scores depend on
 * @param queries what was asked and answered: canonical JSON, the very text whose SHA-256 is the query's id
 * @param engine what computed; another one gives other last digits
 * @param tolerance how far scores of another engine may be off, as a share of the query's largest score
 * @param result the scores
 */
record Receipt(
        Inputs inputs,
        Settings settings,
        List<String> queries,
        Map<String, String> engine,
        double tolerance,
        List<Scores> result) {
    static final String STATEMENT = "https://in-toto.io/Statement/v1";
    static final String PREDICATE = "https://ascribe.dev/attribution-receipt/v1";
    private static final String SUBJECT = "scores";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    /** Of single scores, by scale, and many times what float32 engines were found to differ by. */
    private static final double ROUNDING = 1e-3;

    private static final double SOLVED = 1e-2; // a curvature was inverted: differences grow
    private static final double HALVED = 5e-2; // products in bfloat16

    /**
     * What was read.
     *
     * @param model the base model
     * @param adapters SHA-256 of the files with the weights at each state that gradients were taken at, of the last one, and of the run's result
     * @param corpus Merkle root over the rows
     * @param index null without one
     */
    record Inputs(
            String model,
            Map<String, String> adapters,
            String corpus,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            String index) {}

    /**
     * What else decides.
     *
     * @param method its name and parameters
     * @param checkpoints as the option was given
     * @param points states that gradients were taken at, with their weights in the sum
     * @param products precision of x·Wᵀ
     */
    record Settings(
            Map<String, Object> method,
            String scale,
            String candidates,
            int top,
            boolean perToken,
            String checkpoints,
            List<Map<String, Object>> points,
            String template,
            String loss,
            int maxTokens,
            boolean skipBad,
            String products) {}

    /** The rows named for one query. */
    record Scores(List<Score> influences, List<Score> harmful) {
        static Scores of(Attribution.Query query) {
            return new Scores(
                    query.influences().stream().map(Score::of).toList(),
                    query.harmful().stream().map(Score::of).toList());
        }

        /** Every score that is stated. */
        List<Score> all() {
            return Stream.concat(influences.stream(), harmful.stream()).toList();
        }

        /** The largest magnitude. */
        double largest() {
            return all().stream()
                    .mapToDouble(score -> Math.abs(score.score()))
                    .max()
                    .orElse(0);
        }
    }

    /** A row and its score. */
    record Score(int row, SampleId id, double score) {
        static Score of(Influence influence) {
            return new Score(influence.row(), influence.id(), influence.score());
        }

        private String line(char sign) {
            return "%c %d %s %s\n".formatted(sign, row, id, HexFormat.of().toHexDigits(Double.doubleToLongBits(score)));
        }
    }

    /** How far another engine may be off. */
    static double tolerance(String scale, String products) {
        if (!products.equals("F32")) {
            return HALVED;
        }
        return scale.equals("nats") ? SOLVED : ROUNDING;
    }

    /**
     * The bytes that stand for the result: lines of UTF-8 that end in LF. First {@code ascribe-scores-v1}; for each query {@code query} and its
     * id, then for each row {@code +} (named as helpful) or {@code -}, row, id, and the 16 hexadecimal digits of the score as a big-endian binary64.
     */
    byte[] canonical() {
        StringBuilder text = new StringBuilder("ascribe-scores-v1\n");
        for (int q = 0; q < result.size(); q++) {
            text.append("query ")
                    .append(SampleId.of(queries.get(q).getBytes(StandardCharsets.UTF_8)))
                    .append('\n');
            result.get(q).influences().forEach(score -> text.append(score.line('+')));
            result.get(q).harmful().forEach(score -> text.append(score.line('-')));
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The in-toto statement. */
    byte[] statement() {
        ObjectNode statement = JSON.createObjectNode().put("_type", STATEMENT);
        statement
                .putArray("subject")
                .addObject()
                .put("name", SUBJECT)
                .putObject("digest")
                .put("sha256", HexFormat.of().formatHex(Digests.sha256(canonical())));
        statement.put("predicateType", PREDICATE).set("predicate", JSON.valueToTree(this));
        return statement.toString().getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Reads a statement.
     *
     * @param name of the file, for messages
     */
    static Receipt of(byte[] statement, String name) {
        try {
            JsonNode tree = JSON.readTree(statement);
            if (!tree.path("_type").asText().equals(STATEMENT)
                    || !tree.path("predicateType").asText().equals(PREDICATE)) {
                throw new UserInputException("%s is no attribution receipt: its type is '%s' of '%s', not '%s' of '%s'"
                        .formatted(
                                name,
                                tree.path("_type").asText(),
                                tree.path("predicateType").asText(),
                                STATEMENT,
                                PREDICATE));
            }
            Receipt receipt = JSON.treeToValue(tree.path("predicate"), Receipt.class);
            if (receipt.queries().isEmpty()
                    || receipt.queries().size() != receipt.result().size()) {
                throw new UserInputException("%s is no attribution receipt: it has %d queries and results for %d"
                        .formatted(
                                name, receipt.queries().size(), receipt.result().size()));
            }
            String subject =
                    tree.path("subject").path(0).path("digest").path("sha256").asText();
            if (!subject.equals(HexFormat.of().formatHex(Digests.sha256(receipt.canonical())))) {
                throw new UserInputException(
                        "%s contradicts itself: its subject is not the digest of its scores".formatted(name));
            }
            return receipt;
        } catch (JacksonException e) {
            throw new UserInputException("%s is no attribution receipt: %s".formatted(name, e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new UserInputException("%s is no attribution receipt: %s".formatted(name, e.getMessage()), e);
        }
    }

    /** A part of a receipt as JSON, to be compared key by key. */
    static JsonNode json(Record value) {
        try {
            return JSON.readTree(JSON.writeValueAsBytes(value));
        } catch (IOException e) {
            throw new IllegalStateException("records are JSON", e);
        }
    }
}
