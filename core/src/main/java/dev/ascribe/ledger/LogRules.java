package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The rules that hold over all entries of a log, checked one entry after the other. A {@link VerificationException} names the
 * index of the first entry that breaks one.
 */
final class LogRules {
    private final String origin;
    private final Map<Hash, Head> heads = new HashMap<>();
    private final Map<Hash, PrefixMap.Value> pending = new LinkedHashMap<>(); // changed since the last map entry
    private final PrefixMap map = PrefixMap.empty();
    private long size;
    private long maps;

    /** Where a subject's history ends. */
    private record Head(long count, Hash last, boolean deleted) {}

    /** @param origin of the checkpoint */
    LogRules(String origin) {
        this.origin = origin;
    }

    /** Takes the next entry. */
    void add(Event event, Hash leaf) {
        try {
            check(event, leaf);
        } catch (VerificationException e) {
            throw new VerificationException("entry " + size + ": " + e.getMessage(), e);
        }
        size++;
    }

    private void check(Event event, Hash leaf) {
        require(
                (size == 0) == (event.body() instanceof EventBody.Ledger),
                "the first entry, and it alone, is 'ledger'");
        switch (event.body()) {
            case EventBody.Ledger ledger ->
                require(
                        ledger.origin().equals(origin),
                        "its origin is '%s', the checkpoint's is '%s'".formatted(ledger.origin(), origin));
            case EventBody.Map claimed -> {
                require(claimed.size() == size, "a map entry of size %d stands here".formatted(claimed.size()));
                map.putAll(pending);
                pending.clear();
                require(claimed.root().equals(map.root()), "the prefix map over the entries before has another root");
                maps++;
            }
            default -> follow(event, leaf);
        }
    }

    private void follow(Event event, Hash leaf) {
        Optional<Head> before = Optional.ofNullable(heads.get(event.subject()));
        long count = before.map(Head::count).orElse(0L);
        require(
                event.sequence() == count + 1
                        && event.previous().equals(before.map(Head::last).orElse(Hash.ZERO)),
                "it does not follow its subject's event %d".formatted(count));
        if (event.body().type().about() == EventBody.About.SAMPLE) {
            boolean begins = event.body() instanceof EventBody.Ingest || event.body() instanceof EventBody.Transform;
            require(count > 0 || begins, "a sample's first event is 'ingest' or 'transform'");
            require(before.isEmpty() || !before.get().deleted(), "the sample was deleted before");
        }
        if (event.body() instanceof EventBody.Transform transform) {
            for (Hash parent : transform.parents()) {
                require(!parent.equals(event.subject()), "a sample is its own parent");
                require(heads.containsKey(parent), "the parent " + parent + " has no earlier event");
            }
        }
        heads.put(event.subject(), new Head(count + 1, leaf, event.body() instanceof EventBody.Delete));
        pending.put(event.subject(), new PrefixMap.Value(count + 1, leaf));
    }

    /** Subjects so far. */
    long subjects() {
        return heads.size();
    }

    /** Map entries so far. */
    long maps() {
        return maps;
    }

    private static void require(boolean holds, String reason) {
        if (!holds) {
            throw new VerificationException(reason);
        }
    }
}
