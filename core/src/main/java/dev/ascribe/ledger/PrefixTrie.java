package dev.ascribe.ledger;

import dev.ascribe.Digests;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.security.DigestException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A subtree of the prefix map: the keys that agree in their first {@code level} bits, T(S, level).
 *
 * <p>A binary trie that stores no node with an empty side: n leaves and n − 1 inner nodes, however long the prefixes that keys share. A
 * record is the bytes that its hash is taken over, and an inner node holds the hashes of its children, so that an update
 * reads no memory beside its own path: with its {@link Links} 150 bytes a key, and 6 to 12 for the {@link LeafIndex}.
 *
 * <pre>
 * leaf    0x02 ‖ key (32) ‖ count u64 ‖ last (32)         73 bytes
 * inner   0x03 ‖ left hash (32) ‖ right hash (32)         65 bytes
 * </pre>
 *
 * <p>The depth is the bit that tells left from right. A child's hash is T at depth + 1: the nodes with an empty side that the definition has
 * between there and the child are hashed into it. A reference is the index of an inner node, the complement of a leaf's index, or
 * {@link #NONE}. Nothing is ever removed.
 *
 * <p>While one thread updates, others may {@link #find} keys that are not part of the update.
 */
final class PrefixTrie {
    /** A leaf's bytes, and what its hash is taken over. */
    static final int LEAF_BYTES = 1 + Hash.BYTES + Long.BYTES + Hash.BYTES;

    static final byte LEAF = 2;
    static final byte NODE = 3;
    static final int KEY_AT = 1;
    static final int COUNT_AT = KEY_AT + Hash.BYTES;
    static final int LAST_AT = COUNT_AT + Long.BYTES;

    private static final int NODE_BYTES = 1 + 2 * Hash.BYTES;
    private static final int NONE = Integer.MIN_VALUE;
    private static final int BITS = 8 * Hash.BYTES;

    private final int level;
    private final MessageDigest digest = Digests.sha256();
    private final byte[] message = new byte[NODE_BYTES];
    private final Records leaves;
    private final Records inner;
    private final Links links; // of the inner nodes
    private final LeafIndex index;
    private final byte[] hash = new byte[Hash.BYTES];
    private int root = NONE;

    /** An empty one. */
    PrefixTrie(int level) {
        this(level, new Records(LEAF_BYTES), new Records(NODE_BYTES), new Links());
    }

    private PrefixTrie(int level, Records leaves, Records inner, Links links) {
        this.level = level;
        this.leaves = leaves;
        this.inner = inner;
        this.links = links;
        this.index = new LeafIndex(leaves);
    }

    int size() {
        return leaves.size();
    }

    /** T(all, level); of one key, its leaf's hash. */
    Hash hash() {
        return Hash.of(hash);
    }

    /**
     * Puts leaves in place of those with their keys, or beside the others, and hashes each node above them once.
     *
     * @param batch each 73 bytes, of distinct keys that belong here; gets sorted
     */
    void put(byte[][] batch) {
        if (batch.length > 0) {
            Arrays.sort(batch, (a, b) -> Arrays.compareUnsigned(a, KEY_AT, COUNT_AT, b, KEY_AT, COUNT_AT));
            root = merge(root, batch, 0, batch.length, level, hash, 0);
        }
    }

    /**
     * Merges the leaves {@code from … to − 1} of a sorted batch, at least one, into what {@code reference} points to.
     *
     * @param level the first bit in which the keys here may differ
     * @param into where T(keys here, level) is put, at {@code at}
     * @return the reference to what stands here now
     */
    private int merge(int reference, byte[][] batch, int from, int to, int level, byte[] into, int at) {
        byte[] first = batch[from];
        int depth = difference(first, 0, batch[to - 1], 0);
        int old = NONE; // a leaf below the reference, read only where there are bits that an inner node skips
        if (reference != NONE) {
            depth = Math.min(depth, depth(reference));
            if (depth(reference) > level) {
                old = anyLeaf(reference);
                depth = Math.min(depth, difference(first, 0, leaves.chunk(old), leaves.at(old)));
            }
        }
        if (depth == BITS) {
            int leaf = reference == NONE ? leaves.add() : ~reference;
            System.arraycopy(first, 0, leaves.chunk(leaf), leaves.at(leaf), LEAF_BYTES);
            if (reference == NONE) {
                index.insert(leaf);
            }
            hash(first, 0, LEAF_BYTES, into, at);
            return ~leaf;
        }
        int node = reference;
        int untouched = NONE;
        if (reference == NONE || depth < depth(reference)) {
            node = inner.add();
            links.add(depth, NONE);
            inner.chunk(node)[inner.at(node)] = NODE;
            if (reference != NONE) {
                links.setChild(node, bit(leaves.chunk(old), leaves.at(old), depth), reference);
                untouched = reference;
            }
        }
        int middle = firstWithBit(batch, from, to, depth);
        for (int side = 0; side < 2; side++) {
            int start = side == 0 ? from : middle;
            int end = side == 0 ? middle : to;
            int child = links.child(node, side);
            byte[] chunk = inner.chunk(node);
            int slot = slot(node, side);
            if (start < end) {
                links.setChild(node, side, merge(child, batch, start, end, depth + 1, chunk, slot));
            } else if (child == untouched) {
                hashAt(child, depth + 1, chunk, slot);
            }
        }
        hash(inner.chunk(node), inner.at(node), NODE_BYTES, into, at);
        fold(first, 0, depth, level, into, at);
        return node;
    }

    /** T of what {@code reference} points to, as the only thing there from {@code level} on. */
    private void hashAt(int reference, int level, byte[] into, int at) {
        int leaf = anyLeaf(reference);
        if (reference < 0) {
            hash(leaves.chunk(leaf), leaves.at(leaf), LEAF_BYTES, into, at);
        } else {
            hash(inner.chunk(reference), inner.at(reference), NODE_BYTES, into, at);
            fold(leaves.chunk(leaf), leaves.at(leaf), depth(reference), level, into, at);
        }
    }

    /** Hashes on from a node at depth {@code from} to its ancestor at {@code to}; the nodes between have one empty side. */
    private void fold(byte[] leaf, int leafAt, int from, int to, byte[] hash, int at) {
        for (int d = from - 1; d >= to; d--) {
            int side = bit(leaf, leafAt, d);
            message[0] = NODE;
            System.arraycopy(hash, at, message, 1 + side * Hash.BYTES, Hash.BYTES);
            Arrays.fill(message, 1 + (1 - side) * Hash.BYTES, 1 + (2 - side) * Hash.BYTES, (byte) 0);
            hash(message, 0, NODE_BYTES, hash, at);
        }
    }

    private void hash(byte[] from, int start, int length, byte[] into, int at) {
        digest.update(from, start, length);
        try {
            digest.digest(into, at, Hash.BYTES);
        } catch (DigestException e) {
            throw new AssertionError("a SHA-256 hash has 32 bytes", e);
        }
    }

    Optional<PrefixMap.Value> find(Hash key) {
        int leaf = index.find(key);
        return leaf < 0 ? Optional.empty() : Optional.of(value(leaf));
    }

    /**
     * Walks down along a key to the place that shows its value, or that it has none.
     *
     * @param siblings gets the sibling of each node on the way, downwards
     */
    MapProof.Place walk(Hash key, List<Hash> siblings) {
        int reference = root;
        int d = level;
        while (reference >= 0) {
            int depth = depth(reference);
            if (d < depth) {
                Hash other = key(anyLeaf(reference));
                for (; d < depth; d++) {
                    if (key.bit(d) != other.bit(d)) {
                        byte[] sibling = new byte[Hash.BYTES];
                        hashAt(reference, d + 1, sibling, 0);
                        siblings.add(Hash.of(sibling));
                        return new MapProof.Empty();
                    }
                    siblings.add(Hash.ZERO);
                }
            }
            int side = key.bit(depth);
            siblings.add(Hash.of(inner.chunk(reference), slot(reference, 1 - side), Hash.BYTES));
            reference = links.child(reference, side);
            d = depth + 1;
        }
        if (reference == NONE) {
            return new MapProof.Empty();
        }
        Hash found = key(~reference);
        PrefixMap.Value value = value(~reference);
        return found.equals(key) ? new MapProof.Present(value) : new MapProof.Other(found, value);
    }

    private Hash key(int leaf) {
        return Hash.of(leaves.chunk(leaf), leaves.at(leaf) + KEY_AT, Hash.BYTES);
    }

    private PrefixMap.Value value(int leaf) {
        return PrefixMap.Value.read(leaves.chunk(leaf), leaves.at(leaf) + COUNT_AT);
    }

    /** The bit in which the keys below differ first; of a leaf, 256. */
    private int depth(int reference) {
        return reference < 0 ? BITS : links.depth(reference);
    }

    private int anyLeaf(int reference) {
        int below = reference;
        while (below >= 0) {
            below = links.child(below, 0);
        }
        return ~below;
    }

    /** Where a node holds the hash of a child. */
    private int slot(int node, int side) {
        return inner.at(node) + 1 + side * Hash.BYTES;
    }

    private static int bit(byte[] leaf, int at, int d) {
        return (leaf[at + KEY_AT + (d >> 3)] >> (7 - (d & 7))) & 1;
    }

    /** The first bit in which the keys of two leaves differ; 256 when they are the same. */
    private static int difference(byte[] a, int aAt, byte[] b, int bAt) {
        int i = Arrays.mismatch(a, aAt + KEY_AT, aAt + COUNT_AT, b, bAt + KEY_AT, bAt + COUNT_AT);
        if (i < 0) {
            return BITS;
        }
        int differing = (a[aAt + KEY_AT + i] ^ b[bAt + KEY_AT + i]) & 0xff;
        return Byte.SIZE * i + Integer.numberOfLeadingZeros(differing) - (Integer.SIZE - Byte.SIZE);
    }

    private static int firstWithBit(byte[][] sorted, int from, int to, int d) {
        int low = from;
        int high = to;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (bit(sorted[middle], 0, d) == 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Writes size u32, root reference i32, root hash, leaves, inner nodes, links. */
    void write(DataOutputStream out) throws IOException {
        out.writeInt(size());
        out.writeInt(root);
        out.write(hash);
        leaves.write(out);
        inner.write(out);
        links.write(out);
    }

    /** What {@link #write} wrote. */
    static PrefixTrie read(int level, DataInputStream in) throws IOException {
        int size = in.readInt();
        int root = in.readInt();
        byte[] hash = new byte[Hash.BYTES];
        in.readFully(hash);
        int nodes = Math.max(0, size - 1);
        PrefixTrie trie = new PrefixTrie(
                level, Records.read(LEAF_BYTES, size, in), Records.read(NODE_BYTES, nodes, in), Links.read(nodes, in));
        trie.root = root;
        System.arraycopy(hash, 0, trie.hash, 0, hash.length);
        return trie;
    }
}
