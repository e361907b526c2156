package dev.ascribe.ledger;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What an event says. Each type names its fields once for writing and once for reading; bytes and JSON are two kinds of {@link
 * FieldWriter} and {@link FieldReader}.
 */
public sealed interface EventBody {
    /** What an event is about. */
    enum About {
        LOG,
        SAMPLE,
        RUN
    }

    /** The types, with their codes and names. */
    enum Type {
        LEDGER(1, About.LOG),
        MAP(2, About.LOG),
        INGEST(16, About.SAMPLE),
        TRANSFORM(17, About.SAMPLE),
        BATCH(18, About.SAMPLE),
        CONTRIBUTION(19, About.SAMPLE),
        DELETE(20, About.SAMPLE),
        CHECKPOINT(32, About.RUN),
        EVALUATE(33, About.RUN);

        private final int code;
        private final About about;

        Type(int code, About about) {
            this.code = code;
            this.about = about;
        }

        /** The byte that stands for it. */
        public int code() {
            return code;
        }

        /** What events of this type are about. */
        public About about() {
            return about;
        }

        /** Its name in JSON. */
        public String label() {
            return switch (this) {
                case LEDGER -> "ledger";
                case MAP -> "map";
                case INGEST -> "ingest";
                case TRANSFORM -> "transform";
                case BATCH -> "batch";
                case CONTRIBUTION -> "contribution";
                case DELETE -> "delete";
                case CHECKPOINT -> "checkpoint";
                case EVALUATE -> "evaluate";
            };
        }
    }

    /** The first entry of a log: its origin, and the root over its bucket keys. */
    record Ledger(String origin, Hash salts) implements EventBody {}

    /** The prefix map's root over all entries before this one, {@code size} of them. */
    record Map(long size, Hash root) implements EventBody {}

    /** A sample was taken in. */
    record Ingest(String source) implements EventBody {}

    /**
     * A sample was made of others.
     *
     * @param kind one of {@link #KINDS}
     * @param parents commitments, at least one
     */
    record Transform(String kind, List<Hash> parents, String detail) implements EventBody {
        /** In the order of their codes, which count from 1. */
        public static final List<String> KINDS = List.of("dedup", "clean", "augment", "tokenize", "split");

        public Transform {
            parents = List.copyOf(parents);
        }
    }

    /** A sample was in a training batch. */
    record Batch(long epoch, long step, long position) implements EventBody {}

    /**
     * What a sample contributed to an answer; positive is helpful.
     *
     * @param query its commitment
     * @param checkpoints digests of the checkpoints that the score is grounded in, at least one
     */
    record Contribution(String method, Hash query, double score, List<Hash> checkpoints) implements EventBody {
        public Contribution {
            checkpoints = List.copyOf(checkpoints);
        }
    }

    /** A sample was erased. */
    record Delete(String reason) implements EventBody {}

    /** A run reached a checkpoint. */
    record Checkpoint(Hash model, long step, double trainLoss, OptionalDouble validationLoss, boolean selected)
            implements EventBody {}

    /** A run's model was measured. */
    record Evaluate(String metric, double value, Hash model, Hash data) implements EventBody {}

    /** The type. */
    default Type type() {
        return switch (this) {
            case Ledger body -> Type.LEDGER;
            case Map body -> Type.MAP;
            case Ingest body -> Type.INGEST;
            case Transform body -> Type.TRANSFORM;
            case Batch body -> Type.BATCH;
            case Contribution body -> Type.CONTRIBUTION;
            case Delete body -> Type.DELETE;
            case Checkpoint body -> Type.CHECKPOINT;
            case Evaluate body -> Type.EVALUATE;
        };
    }

    /** Writes every field in order. */
    default void write(FieldWriter to) {
        switch (this) {
            case Ledger body -> {
                to.text("origin", body.origin());
                to.hash("salts", body.salts());
            }
            case Map body -> {
                to.number("size", body.size());
                to.hash("root", body.root());
            }
            case Ingest body -> to.text("source", body.source());
            case Transform body -> {
                to.choice("kind", Transform.KINDS, body.kind());
                to.hashes("parents", body.parents());
                to.text("detail", body.detail());
            }
            case Batch body -> {
                to.number("epoch", body.epoch());
                to.number("step", body.step());
                to.number("position", body.position());
            }
            case Contribution body -> {
                to.text("method", body.method());
                to.hash("query", body.query());
                to.real("score", body.score());
                to.hashes("checkpoints", body.checkpoints());
            }
            case Delete body -> to.text("reason", body.reason());
            case Checkpoint body -> {
                to.hash("model", body.model());
                to.number("step", body.step());
                to.real("trainLoss", body.trainLoss());
                to.optionalReal("validationLoss", body.validationLoss());
                to.flag("selected", body.selected());
            }
            case Evaluate body -> {
                to.text("metric", body.metric());
                to.real("value", body.value());
                to.hash("model", body.model());
                to.hash("data", body.data());
            }
        }
    }

    /** Reads every field in order. */
    static EventBody read(Type type, FieldReader from) {
        return switch (type) {
            case LEDGER -> new Ledger(from.text("origin"), from.hash("salts"));
            case MAP -> new Map(from.number("size"), from.hash("root"));
            case INGEST -> new Ingest(from.text("source"));
            case TRANSFORM ->
                new Transform(from.choice("kind", Transform.KINDS), from.hashes("parents"), from.text("detail"));
            case BATCH -> new Batch(from.number("epoch"), from.number("step"), from.number("position"));
            case CONTRIBUTION ->
                new Contribution(
                        from.text("method"), from.hash("query"), from.real("score"), from.hashes("checkpoints"));
            case DELETE -> new Delete(from.text("reason"));
            case CHECKPOINT ->
                new Checkpoint(
                        from.hash("model"),
                        from.number("step"),
                        from.real("trainLoss"),
                        from.optionalReal("validationLoss"),
                        from.flag("selected"));
            case EVALUATE ->
                new Evaluate(from.text("metric"), from.real("value"), from.hash("model"), from.hash("data"));
        };
    }
}
