package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Commits to the set {subject → (count, last)}: how many events each sample and each run has, and the leaf hash of its last one.
 * It is the prefix tree of draft-ietf-keytrans-protocol. For a set S of entries whose keys agree in bits 0 … d − 1, counted from the most
 * significant one of the first byte:
 *
 * <pre>
 * T(S, d) = 32 zero bytes                                                             S is empty
 *         = SHA-256(0x02 ‖ key ‖ count u64 ‖ last)                                    S has one entry
 *         = SHA-256(0x03 ‖ T(S with bit d = 0, d + 1) ‖ T(S with bit d = 1, d + 1))   otherwise
 * root    = T(all, 0)
 * </pre>
 *
 * <p>The root depends on the set alone, not on the order of updates. Its 16 subtrees at depth 4 are kept and hashed apart, on
 * all cores. Not safe for use by several threads while one of them updates. After an update that failed (no memory) it must not be used.
 */
public final class PrefixMap {
    private static final int SPLIT = 4;
    private static final int TRIES = 1 << SPLIT;

    /** From here on it pays to share a batch out to other threads. */
    private static final int PARALLEL = 128;

    private final List<PrefixTrie> tries; // by the first 4 bits of their keys
    private Hash root;

    private PrefixMap(List<PrefixTrie> tries) {
        this.tries = tries;
        this.root = hash(0, 0);
    }

    /**
     * What the map holds of a subject.
     *
     * @param count events of the subject, 1 … 2^53 − 1
     * @param last leaf hash of the last one
     */
    public record Value(long count, Hash last) {
        /** The largest count: 2^53 − 1. */
        public static final long MAX_COUNT = (1L << 53) - 1;

        static final int BYTES = Long.BYTES + Hash.BYTES;

        public Value {
            if (count < 1 || count > MAX_COUNT) {
                throw new VerificationException(
                        "the count of a subject is 1 to 2^53 - 1, not " + Long.toUnsignedString(count));
            }
        }

        static Value read(byte[] bytes, int at) {
            return new Value(BigEndian.getLong(bytes, at), Hash.of(bytes, at + Long.BYTES, Hash.BYTES));
        }

        byte[] bytes() {
            return ByteBuffer.allocate(BYTES).putLong(count).put(last.bytes()).array();
        }
    }

    /** A map without subjects; its root is 32 zero bytes. */
    public static PrefixMap empty() {
        return new PrefixMap(
                Stream.generate(() -> new PrefixTrie(SPLIT)).limit(TRIES).toList());
    }

    /** Adds a subject, or replaces its value. */
    public void put(Hash key, long count, Hash last) {
        putAll(Map.of(key, new Value(count, last)));
    }

    /** Adds subjects, or replaces their values. Each node above them is hashed once: the larger the batch, the less a subject costs. */
    public void putAll(Map<Hash, Value> batch) {
        List<List<byte[]>> parts = Stream.generate(() -> (List<byte[]>) new ArrayList<byte[]>())
                .limit(TRIES)
                .toList();
        batch.forEach((key, value) -> parts.get(trie(key)).add(leaf(key, value)));
        IntStream indices = IntStream.range(0, TRIES);
        (batch.size() < PARALLEL ? indices : indices.parallel())
                .forEach(i -> tries.get(i).put(parts.get(i).toArray(byte[][]::new)));
        root = hash(0, 0);
    }

    /** The hash that stands for the whole map. */
    public Hash root() {
        return root;
    }

    /** How many subjects there are. */
    public long size() {
        return size(0, 0);
    }

    /** A subject's value. */
    public Optional<Value> find(Hash key) {
        return tries.get(trie(key)).find(key);
    }

    /** The bytes of a {@link MapProof} that a subject has its value, or that it has none, under this root. */
    public byte[] prove(Hash key) {
        List<Hash> siblings = new ArrayList<>();
        int level = 0;
        int prefix = 0;
        while (level < SPLIT && size(level, prefix) > 1) {
            int side = key.bit(level++);
            prefix = 2 * prefix + side;
            siblings.add(hash(level, prefix ^ 1));
        }
        MapProof.Place place = inhabited(level, prefix).walk(key, siblings);
        return new MapProof(place, siblings.reversed()).bytes();
    }

    /** T of the keys that begin with the {@code level} bits of {@code prefix}; level is 0 … 4. */
    private Hash hash(int level, int prefix) {
        if (level == SPLIT || size(level, prefix) < 2) {
            return inhabited(level, prefix).hash();
        }
        return node(hash(level + 1, 2 * prefix), hash(level + 1, 2 * prefix + 1));
    }

    private long size(int level, int prefix) {
        return below(level, prefix).mapToLong(PrefixTrie::size).sum();
    }

    /** The first subtree with a key in it; when they are all empty, one of them. */
    private PrefixTrie inhabited(int level, int prefix) {
        return below(level, prefix)
                .filter(trie -> trie.size() > 0)
                .findFirst()
                .orElseGet(() -> tries.get(prefix << (SPLIT - level)));
    }

    private Stream<PrefixTrie> below(int level, int prefix) {
        return tries.subList(prefix << (SPLIT - level), (prefix + 1) << (SPLIT - level)).stream();
    }

    private static int trie(Hash key) {
        return key.bit(0) << 3 | key.bit(1) << 2 | key.bit(2) << 1 | key.bit(3);
    }

    /** What a leaf's hash is taken over. */
    static byte[] leaf(Hash key, Value value) {
        byte[] leaf = new byte[PrefixTrie.LEAF_BYTES];
        leaf[0] = PrefixTrie.LEAF;
        key.copyTo(leaf, PrefixTrie.KEY_AT);
        BigEndian.putLong(leaf, PrefixTrie.COUNT_AT, value.count());
        value.last().copyTo(leaf, PrefixTrie.LAST_AT);
        return leaf;
    }

    /** The hash of an inner node: SHA-256(0x03 ‖ left ‖ right). */
    static Hash node(Hash left, Hash right) {
        return Hash.sha256(new byte[] {PrefixTrie.NODE}, left.bytes(), right.bytes());
    }

    void write(DataOutputStream out) throws IOException {
        for (PrefixTrie trie : tries) {
            trie.write(out);
        }
    }

    /** What {@link #write} wrote. */
    static PrefixMap read(DataInputStream in) throws IOException {
        List<PrefixTrie> tries = new ArrayList<>();
        for (int i = 0; i < TRIES; i++) {
            tries.add(PrefixTrie.read(SPLIT, in));
        }
        return new PrefixMap(List.copyOf(tries));
    }
}
