package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Turns drafts into events: ids into commitments, each event linked to the one before about its subject, and refuses what the rules over a
 * log forbid. Called by whoever appends.
 */
final class Drafting {
    private final Buckets buckets;
    private final Heads heads;
    private final Map<SampleId, Samples.Known> own = new HashMap<>(); // samples and queries with salts of their own
    private final Set<SampleId> queries = new HashSet<>(); // known as such already
    private final SecureRandom random = new SecureRandom();

    Drafting(Buckets buckets, Heads heads) {
        this.buckets = buckets;
        this.heads = heads;
    }

    /** What a list of drafts would change, should it be logged. */
    private static final class Staged {
        private final Map<Hash, Optional<PrefixMap.Value>> heads = new HashMap<>();
        private final Map<SampleId, Samples.Known> met = new HashMap<>();
        private List<Samples.Known> fresh = List.of(); // known by the draft at hand
    }

    /** Takes notice of a sample or query that the ledger knows now. */
    void learn(Samples.Known known) {
        if (!known.salt().equals(Hash.ZERO)) {
            own.put(known.sample(), known);
        }
        if (known.query()) {
            queries.add(known.sample());
        }
    }

    /** Takes notice of all in the file that need it. */
    void learn(Samples samples) throws IOException {
        samples.each((bytes, at) -> {
            if (Samples.isRemarkable(bytes, at)) {
                learn(Samples.Known.of(bytes, at));
            }
        });
    }

    /** Forgets a sample that was erased. */
    void forget(SampleId sample) {
        own.remove(sample);
        queries.remove(sample);
    }

    /** Makes events of drafts, in order; the first that a rule forbids is named. */
    List<Ledger.Prepared> prepare(List<Draft> drafts, long[] numbers) {
        Staged staged = new Staged();
        List<Ledger.Prepared> prepared = new ArrayList<>(drafts.size());
        for (int i = 0; i < drafts.size(); i++) {
            try {
                prepared.add(prepare(drafts.get(i), numbers[i], staged));
            } catch (VerificationException e) {
                throw new RefusedDraftException(i, e);
            }
        }
        return prepared;
    }

    private Ledger.Prepared prepare(Draft draft, long number, Staged staged) {
        staged.fresh = List.of();
        EventBody body = draft.content().body(id -> commitment(id, true, staged));
        Hash subject = subject(draft, staged);
        Optional<PrefixMap.Value> before = head(subject, staged);
        boolean begins = body instanceof EventBody.Ingest || body instanceof EventBody.Transform;
        if (before.isEmpty() && body.type().about() == EventBody.About.SAMPLE && !begins) {
            throw new VerificationException("a sample's first event must be 'ingest' or 'transform'");
        }
        if (body instanceof EventBody.Transform transform) {
            for (Hash parent : transform.parents()) {
                if (parent.equals(subject)) {
                    throw new VerificationException("a sample cannot be its own parent");
                }
                if (head(parent, staged).isEmpty()) {
                    throw new VerificationException("a parent has no earlier event: log its 'ingest' first");
                }
            }
        }
        Event event = new Event(
                draft.time(),
                draft.run(),
                subject,
                before.map(PrefixMap.Value::count).orElse(0L) + 1,
                before.map(PrefixMap.Value::last).orElse(Hash.ZERO),
                body);
        Ledger.Prepared prepared = new Ledger.Prepared(event, number, staged.fresh);
        staged.heads.put(subject, Optional.of(prepared.head()));
        return prepared;
    }

    private Hash subject(Draft draft, Staged staged) {
        return draft.sample().isPresent()
                ? commitment(draft.sample().get(), false, staged)
                : Event.subjectOf(draft.run());
    }

    private Optional<PrefixMap.Value> head(Hash subject, Staged staged) {
        return staged.heads.computeIfAbsent(subject, heads::find);
    }

    /** A sample's commitment; one that was not known becomes so with the event that is being prepared. */
    private Hash commitment(SampleId id, boolean query, Staged staged) {
        Samples.Known there = staged.met.get(id);
        if (there == null) {
            there = own.get(id);
        }
        if (there != null) {
            return there.commitment();
        }
        Optional<Hash> given = buckets.salt(id);
        Hash salt = given.orElseGet(this::randomSalt);
        Samples.Known known =
                new Samples.Known(id, given.isPresent() ? Hash.ZERO : salt, Commitment.of(salt, id), query);
        staged.met.put(id, known);
        if (head(known.commitment(), staged).isEmpty() && !queries.contains(id)) {
            if (staged.fresh.isEmpty()) {
                staged.fresh = new ArrayList<>();
            }
            staged.fresh.add(known);
        }
        return known.commitment();
    }

    /** Whether events are about a sample. */
    boolean hasEvents(SampleId sample) {
        Staged staged = new Staged();
        return head(commitment(sample, false, staged), staged).isPresent();
    }

    private Hash randomSalt() {
        byte[] salt = new byte[Hash.BYTES];
        random.nextBytes(salt);
        return Hash.of(salt);
    }

    /**
     * Whether an event is what a draft says.
     *
     * @param timed whether the draft's time is compared too
     */
    boolean isSame(Event there, Draft draft, boolean timed) {
        Staged staged = new Staged();
        Hash subject = subject(draft, staged);
        EventBody body = draft.content().body(id -> commitment(id, true, staged));
        return there.subject().equals(subject)
                && there.run().equals(draft.run())
                && there.body().equals(body)
                && (!timed || there.time() == draft.time());
    }
}
