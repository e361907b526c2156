package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import dev.ascribe.VerificationException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a verified proof file says.
 *
 * @param kind event, history or absence
 * @param checkpoint of the log that it speaks of
 * @param index of the event; none for the other kinds
 * @param sample where the proof names it
 * @param subject what its events are about; none for events about the log itself
 * @param events the event, or all of the history
 */
public record Evidence(
        String kind,
        Checkpoint checkpoint,
        OptionalLong index,
        Optional<SampleId> sample,
        Optional<Hash> subject,
        List<Event> events) {
    public Evidence {
        events = List.copyOf(events);
    }

    /** In words. */
    public String words() {
        return switch (kind) {
            case "event" ->
                "logged at index %d of a log of %d entries".formatted(index.orElseThrow(), checkpoint.size());
            case "history" ->
                "these are all %d events about this subject in the first %d entries"
                        .formatted(events.size(), checkpoint.size());
            default ->
                "none of the first %d entries is about this content, provided that the log was kept honestly when it was written"
                        .formatted(checkpoint.size());
        };
    }

    /**
     * What evidence does not say, to be told wherever it is shown.
     *
     * @param kind of a proof, or log, checkpoint, note
     */
    public static String unsaid(String kind) {
        String never = "No log can speak of what was never logged.";
        return switch (kind) {
            case "event" ->
                "It does not say that what the entry tells is true, nor that there is no other entry. " + never;
            case "history", "absence" ->
                "It does not say more than that the log's keeper would be caught by a replay of the whole log (ledger verify --tiles). "
                        + never;
            case "log" -> "It does not say that what the entries tell is true. " + never;
            default -> "It says who signed, nothing of what the log holds.";
        };
    }

    /**
     * Verifies a proof file.
     *
     * @param keys every one must have signed the checkpoint
     * @throws VerificationException says what does not hold
     */
    public static Evidence of(TlogProof file, List<VerifierKey> keys) {
        Checkpoint checkpoint = Checkpoint.open(file.checkpoint(), keys);
        LedgerProof proof = file.extra()
                .orElseThrow(() ->
                        new VerificationException("the proof has no extra line: name the entry that it is about"));
        return switch (proof) {
            case LedgerProof.OfEvent event -> event(file, checkpoint, event);
            case LedgerProof.OfHistory history -> history(file, checkpoint, history);
            case LedgerProof.OfAbsence absence -> absence(file, checkpoint, absence);
        };
    }

    /** Verifies a proof file of any log about an entry, whatever its bytes mean. */
    public static Checkpoint ofLeaf(TlogProof file, List<VerifierKey> keys, Hash leaf) {
        Checkpoint checkpoint = Checkpoint.open(file.checkpoint(), keys);
        Merkle.verifyInclusion(file.index(), checkpoint.size(), leaf, file.path(), checkpoint.root());
        return checkpoint;
    }

    private static Evidence event(TlogProof file, Checkpoint checkpoint, LedgerProof.OfEvent proof) {
        Event event = proof.event();
        include(file, checkpoint, event);
        requireOpens(proof.opening(), event.subject());
        boolean about = event.body().type().about() != EventBody.About.LOG;
        return new Evidence(
                proof.kind(),
                checkpoint,
                OptionalLong.of(file.index()),
                proof.opening().map(LedgerProof.Opening::sample),
                about ? Optional.of(event.subject()) : Optional.empty(),
                List.of(event));
    }

    private static Evidence history(TlogProof file, Checkpoint checkpoint, LedgerProof.OfHistory proof) {
        Hash root = mapRoot(file, checkpoint, proof.map());
        Optional<PrefixMap.Value> value = proof.proof().verify(proof.subject(), root);
        long count = value.map(PrefixMap.Value::count).orElse(0L);
        require(
                count == proof.events().size(),
                "the map counts %d events about the subject, but the proof has %d"
                        .formatted(count, proof.events().size()));
        Hash last = Hash.ZERO;
        long sequence = 0;
        for (Event event : proof.events()) {
            require(
                    event.subject().equals(proof.subject()),
                    "event %d is about another subject".formatted(sequence + 1));
            require(
                    event.sequence() == ++sequence && event.previous().equals(last),
                    "event %d does not follow the one before it".formatted(sequence));
            last = Hash.leaf(event.encode());
        }
        require(
                last.equals(value.map(PrefixMap.Value::last).orElse(Hash.ZERO)),
                "the last event is not the one that the map names");
        requireOpens(proof.opening(), proof.subject());
        return new Evidence(
                proof.kind(),
                checkpoint,
                OptionalLong.empty(),
                proof.opening().map(LedgerProof.Opening::sample),
                Optional.of(proof.subject()),
                proof.events());
    }

    private static Evidence absence(TlogProof file, Checkpoint checkpoint, LedgerProof.OfAbsence proof) {
        Hash root = mapRoot(file, checkpoint, proof.map());
        if (!(proof.ledger().body() instanceof EventBody.Ledger ledger)) {
            throw new VerificationException("what is shown as the log's first entry is none");
        }
        require(
                ledger.origin().equals(checkpoint.origin()),
                "the first entry is of the log '%s', the checkpoint of '%s'"
                        .formatted(ledger.origin(), checkpoint.origin()));
        Merkle.verifyInclusion(
                0, checkpoint.size(), Hash.leaf(proof.ledger().encode()), proof.ledgerPath(), checkpoint.root());
        Merkle.verifyInclusion(
                Commitment.bucket(proof.sample()),
                Commitment.BUCKETS,
                Hash.leaf(proof.bucketKey().bytes()),
                proof.bucketPath(),
                ledger.salts());
        Hash commitment = Commitment.of(Commitment.salt(proof.bucketKey(), proof.sample()), proof.sample());
        Optional<PrefixMap.Value> value = proof.proof().verify(commitment, root);
        require(value.isEmpty(), "the sample has events: the map says so");
        return new Evidence(
                proof.kind(),
                checkpoint,
                OptionalLong.empty(),
                Optional.of(proof.sample()),
                Optional.of(commitment),
                List.of());
    }

    private static void include(TlogProof file, Checkpoint checkpoint, Event entry) {
        Merkle.verifyInclusion(
                file.index(), checkpoint.size(), Hash.leaf(entry.encode()), file.path(), checkpoint.root());
    }

    /** The map's root, if its entry is the last of the checkpoint's tree. */
    private static Hash mapRoot(TlogProof file, Checkpoint checkpoint, Event entry) {
        if (!(entry.body() instanceof EventBody.Map map)) {
            throw new VerificationException("what is shown as the map entry is none");
        }
        require(file.index() == checkpoint.size() - 1, "the map entry is not the last of the checkpoint's tree");
        require(map.size() == file.index(), "the map entry is of a log of another size");
        include(file, checkpoint, entry);
        return map.root();
    }

    private static void requireOpens(Optional<LedgerProof.Opening> opening, Hash subject) {
        opening.ifPresent(open -> require(open.commitment().equals(subject), "the opening is of another sample"));
    }

    private static void require(boolean holds, String reason) {
        if (!holds) {
            throw new VerificationException(reason);
        }
    }
}
