package dev.ascribe.ledger;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where each subject's history ends: the prefix map, and before it what changed since the last map entry, so that appending does
 * not wait while the map is hashed. One thread appends, one updates the map.
 */
final class Heads {
    /** Updates between which an appender may look something up. */
    private static final int SLICE = 4096;

    private final PrefixMap map;
    private final ReentrantLock mapLock = new ReentrantLock(true);
    private Map<Hash, PrefixMap.Value> recent = new HashMap<>();
    private Map<Hash, PrefixMap.Value> frozen = Map.of(); // on its way into the map

    Heads(PrefixMap map) {
        this.map = map;
    }

    /** A subject's count and last leaf hash. */
    Optional<PrefixMap.Value> find(Hash subject) {
        PrefixMap.Value value = recent.get(subject);
        if (value == null) {
            value = frozen.get(subject);
        }
        if (value != null) {
            return Optional.of(value);
        }
        mapLock.lock();
        try {
            return map.find(subject);
        } finally {
            mapLock.unlock();
        }
    }

    void put(Hash subject, PrefixMap.Value value) {
        recent.put(subject, value);
    }

    /** Takes what changed so far, to be put into the map; called by whoever appends. */
    void freeze() {
        Map<Hash, PrefixMap.Value> changed = recent;
        recent = new HashMap<>();
        if (!frozen.isEmpty()) { // an update that failed: nothing of it is lost
            Map<Hash, PrefixMap.Value> both = new HashMap<>(frozen);
            both.putAll(changed);
            changed = both;
        }
        frozen = changed;
    }

    /** Puts what was frozen into the map, and returns its root; called by whoever updates the map. */
    Hash update() {
        List<Map.Entry<Hash, PrefixMap.Value>> changes = new ArrayList<>(frozen.entrySet());
        for (int from = 0; from < changes.size(); from += SLICE) {
            Map<Hash, PrefixMap.Value> slice = new HashMap<>();
            for (Map.Entry<Hash, PrefixMap.Value> change :
                    changes.subList(from, Math.min(changes.size(), from + SLICE))) {
                slice.put(change.getKey(), change.getValue());
            }
            mapLock.lock();
            try {
                map.putAll(slice);
            } finally {
                mapLock.unlock();
            }
        }
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
