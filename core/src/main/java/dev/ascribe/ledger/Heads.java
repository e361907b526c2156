package dev.ascribe.ledger;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Where each subject's history ends: the prefix map, and before it what changed since the last map entry, so that appending does
 * not wait while the map is hashed. One thread at a time appends, and one updates the map.
 *
 * <p>The appender reads the map even while it is updated: what the update changes it finds in what was frozen, and need not look up.
 */
final class Heads {
    private final PrefixMap map;
    private Map<Hash, PrefixMap.Value> recent = new HashMap<>();
    private Map<Hash, PrefixMap.Value> frozen = Map.of(); // on its way into the map

    Heads(PrefixMap map) {
        this.map = map;
    }

    /** A subject's count and last leaf hash; called by whoever appends. */
    Optional<PrefixMap.Value> find(Hash subject) {
        PrefixMap.Value value = recent.get(subject);
        if (value == null) {
            value = frozen.get(subject);
        }
        return value != null ? Optional.of(value) : map.find(subject);
    }

    void put(Hash subject, PrefixMap.Value value) {
        recent.put(subject, value);
    }

    /** Takes what changed so far, to be put into the map; called by whoever appends. */
    void freeze() {
        if (!frozen.isEmpty()) {
            throw new IllegalStateException("the map has not yet got what was frozen before");
        }
        frozen = recent;
        recent = new HashMap<>();
    }

    /** Puts what was frozen into the map, and returns its root; called by whoever updates the map. */
    Hash update() {
        map.putAll(frozen);
        return map.root();
    }

    /** Forgets what was frozen, now that the map has it; called by whoever appends. */
    void thaw() {
        frozen = Map.of();
    }

    /** The map itself, while nobody appends or updates. */
    PrefixMap map() {
        return map;
    }
}
