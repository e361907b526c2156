package dev.ascribe.store;

import dev.ascribe.UserInputException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a store holds and what it was made from. Rows are comparable only under one spec.
 *
 * @param width features a row
 * @param blocks named ranges of the columns, ascending and apart from each other; may be empty and need not cover all
 * @param identity digests of model, corpus, settings, seeds: whatever makes the features what they are
 */
public record StoreSpec(Dtype dtype, int width, List<Block> blocks, Map<String, String> identity) {
    /** A row must fit a segment. */
    private static final int WIDTH_LIMIT = (int) (FeatureStoreWriter.SEGMENT_LIMIT / Float.BYTES);

    public StoreSpec {
        if (width < 1 || width > WIDTH_LIMIT) {
            throw new IllegalArgumentException("width %d is not in 1…%d".formatted(width, WIDTH_LIMIT));
        }
        blocks = List.copyOf(blocks);
        identity = Collections.unmodifiableSortedMap(new TreeMap<>(identity));
        int end = 0;
        for (Block block : blocks) {
            if (block.offset() < end || block.end() > width) {
                throw new IllegalArgumentException(
                        "block '%s' spans columns %d…%d, which overlaps the one before or exceeds the width %d"
                                .formatted(block.name(), block.offset(), block.end() - 1, width));
            }
            end = block.end();
        }
        if (blocks.stream().map(Block::name).distinct().count() != blocks.size()) {
            throw new IllegalArgumentException("two blocks have one name");
        }
    }

    /** Bytes from one row to the next: rows are aligned to cache lines and to the widest vectors. */
    long stride() {
        return (width * (long) dtype.bytes() + FeatureStoreWriter.ALIGNMENT - 1) & -FeatureStoreWriter.ALIGNMENT;
    }

    /**
     * Refuses rows of another kind.
     *
     * @param where the store, for the message
     * @param mayDiffer identity keys that need not agree
     */
    void requireSame(StoreSpec asked, String where, Set<String> mayDiffer) {
        requireSame(identity, asked.identity, where, mayDiffer);
        requireSame(layout(), asked.layout(), where, mayDiffer);
    }

    private static void requireSame(
            Map<String, String> here, Map<String, String> there, String where, Set<String> mayDiffer) {
        TreeSet<String> keys = new TreeSet<>(here.keySet());
        keys.addAll(there.keySet());
        keys.removeAll(mayDiffer);
        for (String key : keys) {
            String stored = here.getOrDefault(key, "absent");
            String wanted = there.getOrDefault(key, "absent");
            if (!stored.equals(wanted)) {
                throw new UserInputException(
                        "%s was made with %s %s, but %s %s is asked for; name another folder, or delete this one to make it again"
                                .formatted(where, key, stored, key, wanted));
            }
        }
    }

    private Map<String, String> layout() {
        TreeMap<String, String> all = new TreeMap<>();
        all.put("dtype", dtype.label());
        all.put("width", Integer.toString(width));
        for (Block block : blocks) {
            all.put(
                    "block " + block.name(),
                    "%d+%d (%d entries)".formatted(block.offset(), block.width(), block.entries()));
        }
        return all;
    }
}
