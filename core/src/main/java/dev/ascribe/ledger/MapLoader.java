package dev.ascribe.ledger;

import dev.ascribe.AscribeException;
import dev.ascribe.LedgerUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The prefix map of a published log: from its snapshot and what came since, or from the whole log. */
final class MapLoader {
    private MapLoader() {}

    /**
     * A map.
     *
     * @param snapshot size of the log that the snapshot stood for; 0: it was made from the whole log
     */
    record Loaded(PrefixMap map, long snapshot) {}

    /**
     * The map over all entries, whose last one says its root.
     *
     * @param size of the log, at least 1
     * @throws LedgerUnavailableException when the log does not give the map that its last entry names
     */
    static Loaded load(Path snapshot, LogFiles files, long size) throws IOException {
        Event last = Event.decode(files.entry(size - 1));
        if (!(last.body() instanceof EventBody.Map claimed)) {
            throw new LedgerUnavailableException("the log's last entry is no map entry: the log is damaged");
        }
        if (Files.exists(snapshot)) {
            try {
                MapSnapshot read = MapSnapshot.read(snapshot);
                if (read.treeSize() <= size) {
                    PrefixMap map = replay(read.map(), files, read.treeSize(), size);
                    if (map.root().equals(claimed.root())) {
                        return new Loaded(map, read.treeSize());
                    }
                }
            } catch (AscribeException e) {
                // damaged: the log has all that it had
            }
        }
        PrefixMap map = replay(PrefixMap.empty(), files, 0, size);
        if (!map.root().equals(claimed.root())) {
            throw new LedgerUnavailableException(
                    "the log's entries do not give the map that entry %d names: the log is damaged"
                            .formatted(size - 1));
        }
        return new Loaded(map, 0);
    }

    private static PrefixMap replay(PrefixMap map, LogFiles files, long from, long size) throws IOException {
        Map<Hash, PrefixMap.Value> changes = new HashMap<>();
        for (long bundle = from / Tiles.WIDTH; bundle * Tiles.WIDTH < size; bundle++) {
            long index = bundle * Tiles.WIDTH;
            for (byte[] entry : files.bundle(bundle)) {
                if (index++ >= from && Event.typeOf(entry) >= EventBody.Type.INGEST.code()) {
                    changes.put(Event.subjectOf(entry), new PrefixMap.Value(Event.sequenceOf(entry), Hash.leaf(entry)));
                }
            }
        }
        map.putAll(changes);
        return map;
    }
}
