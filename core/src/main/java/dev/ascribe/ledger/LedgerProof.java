package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import dev.ascribe.VerificationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What stands in a proof file's {@code extra} line.
 *
 * <pre>
 * extra   = u8 1 ‖ u8 kind ‖ …        blob = u16 length ‖ bytes        opening = u8 0 | u8 1 ‖ sample id ‖ salt
 * event   = opening ‖ blob entry
 * history = opening ‖ subject ‖ u16 n ‖ n × blob entry ‖ blob map entry ‖ map proof
 * absence = sample id ‖ bucket key ‖ 16 × hash ‖ blob ledger entry ‖ u8 m ‖ m × hash ‖ blob map entry ‖ map proof
 * </pre>
 */
public sealed interface LedgerProof {
    /** Hashes between a bucket key and the root over all of them. */
    int BUCKET_PATH = 16;

    private static int version() {
        return 1;
    }

    /** Shows which sample a commitment stands for. */
    record Opening(SampleId sample, Hash salt) {
        /** The commitment that it opens. */
        Hash commitment() {
            return Commitment.of(salt, sample);
        }
    }

    /** That an event was logged. */
    record OfEvent(Optional<Opening> opening, Event event) implements LedgerProof {}

    /**
     * That these are all events about a subject.
     *
     * @param map the last entry of the tree
     */
    record OfHistory(Optional<Opening> opening, Hash subject, List<Event> events, Event map, MapProof proof)
            implements LedgerProof {
        public OfHistory {
            events = List.copyOf(events);
        }
    }

    /**
     * That no event is about a sample.
     *
     * @param bucketPath from the bucket key to {@code salts} in the ledger entry
     * @param ledgerPath from the ledger entry to the root of the log
     */
    record OfAbsence(
            SampleId sample,
            Hash bucketKey,
            List<Hash> bucketPath,
            Event ledger,
            List<Hash> ledgerPath,
            Event map,
            MapProof proof)
            implements LedgerProof {
        public OfAbsence {
            bucketPath = List.copyOf(bucketPath);
            ledgerPath = List.copyOf(ledgerPath);
        }
    }

    /** Its name in results. */
    default String kind() {
        return switch (this) {
            case OfEvent proof -> "event";
            case OfHistory proof -> "history";
            case OfAbsence proof -> "absence";
        };
    }

    /** Its bytes. */
    default byte[] encode() {
        EntryWriter to = new EntryWriter();
        to.u8(version());
        switch (this) {
            case OfEvent proof -> {
                to.u8(1);
                write(to, proof.opening());
                to.blob("entry", proof.event().encode());
            }
            case OfHistory proof -> {
                to.u8(2);
                write(to, proof.opening());
                to.hash("subject", proof.subject());
                to.u16("entries", proof.events().size());
                proof.events().forEach(event -> to.blob("entry", event.encode()));
                to.blob("map entry", proof.map().encode());
                to.bytes(proof.proof().bytes());
            }
            case OfAbsence proof -> {
                to.u8(3);
                to.bytes(proof.sample().bytes());
                to.hash("bucket key", proof.bucketKey());
                proof.bucketPath().forEach(hash -> to.hash("bucket path", hash));
                to.blob("ledger entry", proof.ledger().encode());
                to.u8(proof.ledgerPath().size());
                proof.ledgerPath().forEach(hash -> to.hash("ledger path", hash));
                to.blob("map entry", proof.map().encode());
                to.bytes(proof.proof().bytes());
            }
        }
        return to.bytes();
    }

    private static void write(EntryWriter to, Optional<Opening> opening) {
        to.u8(opening.isPresent() ? 1 : 0);
        opening.ifPresent(open -> {
            to.bytes(open.sample().bytes());
            to.hash("salt", open.salt());
        });
    }

    /** The proof that bytes are, or a {@link VerificationException}. */
    static LedgerProof decode(byte[] extra) {
        EntryReader from = EntryReader.ofAnyLength(extra);
        int version = from.u8("version");
        if (version != version()) {
            throw new VerificationException("the proof's version " + version + " is not known");
        }
        int kind = from.u8("kind");
        LedgerProof proof = switch (kind) {
            case 1 -> new OfEvent(opening(from), from.event("entry"));
            case 2 -> {
                Optional<Opening> opening = opening(from);
                Hash subject = from.hash("subject");
                int count = from.u16("entries");
                List<Event> events = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    events.add(from.event("entry"));
                }
                yield new OfHistory(opening, subject, events, from.event("map entry"), MapProof.parse(from.rest()));
            }
            case 3 ->
                new OfAbsence(
                        SampleId.fromDigest(from.bytes("sample", Hash.BYTES)),
                        from.hash("bucket key"),
                        from.path("bucket path", BUCKET_PATH),
                        from.event("ledger entry"),
                        from.path("ledger path", from.u8("ledger path")),
                        from.event("map entry"),
                        MapProof.parse(from.rest()));
            default -> throw new VerificationException("the proof's kind " + kind + " is not known");
        };
        from.end();
        return proof;
    }

    private static Optional<Opening> opening(EntryReader from) {
        return from.flag("opening")
                ? Optional.of(new Opening(SampleId.fromDigest(from.bytes("sample", Hash.BYTES)), from.hash("salt")))
                : Optional.empty();
    }
}
