package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/**
 * Merkle trees of a log: proofs made and verified (RFC 6962, section 2.1; the verifiers are those of RFC 9162, sections
 * 2.1.3.2 and 2.1.4.2).
 *
 * <p>A tree of n leaves splits at the largest power of two below n. So all its nodes are roots of complete subtrees, but
 * for those on the right edge, which are computed from them. Sizes and indices are 0 to 2^63 − 1.
 */
public final class Merkle {
    private Merkle() {}

    /** The complete subtrees of a tree, as its tiles hold them. */
    @FunctionalInterface
    interface Nodes {
        /** The root of the complete subtree of the 2^level leaves from {@code index · 2^level} on. */
        Hash node(int level, long index);
    }

    /**
     * A size or index that may come from anywhere.
     *
     * @throws VerificationException when it is negative or above 2^63 − 1
     */
    public static long number(BigInteger value) {
        return Canonical.number(value);
    }

    /**
     * Shows that a leaf stands at an index of the tree with this size and root.
     *
     * @param proof the siblings, leaf to root
     * @throws VerificationException when it does not hold; the message says why
     */
    public static void verifyInclusion(long index, long size, Hash leaf, List<Hash> proof, Hash root) {
        if (index < 0 || index >= size) {
            throw new VerificationException("no leaf " + index + " in a tree of size " + size);
        }
        long node = index;
        long last = size - 1;
        Hash computed = leaf;
        for (Hash sibling : proof) {
            if (last == 0) {
                throw tooLong(proof);
            }
            if ((node & 1) == 1 || node == last) {
                computed = Hash.node(sibling, computed);
                // the right edge has no sibling on the levels where its node is a left child
                int skipped = Long.numberOfTrailingZeros(node);
                node >>= skipped;
                last >>= skipped;
            } else {
                computed = Hash.node(computed, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if (last != 0) {
            throw tooShort(proof);
        }
        if (!computed.equals(root)) {
            throw new VerificationException("the inclusion proof leads to root " + computed + ", not " + root);
        }
    }

    /**
     * Shows that the tree of size2 begins with the tree of size1.
     *
     * @param size1 at least 1: nothing can be shown from an empty tree
     * @throws VerificationException when it does not hold; the message says why
     */
    public static void verifyConsistency(long size1, long size2, Hash root1, Hash root2, List<Hash> proof) {
        if (size1 < 1 || size1 > size2) {
            throw new VerificationException(
                    "no consistency from size " + size1 + " to " + size2 + "; expected 1 <= size1 <= size2");
        }
        if (size1 == size2) {
            if (!proof.isEmpty()) {
                throw tooLong(proof);
            }
            requireRoot("first", root2, root1);
            return;
        }
        // the largest complete subtree that ends the first tree; when it is all of that tree its hash is known
        int level = Long.numberOfTrailingZeros(size1);
        long node = (size1 - 1) >> level;
        long last = (size2 - 1) >> level;
        boolean known = Long.bitCount(size1) == 1;
        if (proof.isEmpty()) {
            throw tooShort(proof);
        }
        Hash first = known ? root1 : proof.getFirst();
        Hash second = first;
        for (Hash sibling : known ? proof : proof.subList(1, proof.size())) {
            if (last == 0) {
                throw tooLong(proof);
            }
            if ((node & 1) == 1 || node == last) {
                first = Hash.node(sibling, first);
                second = Hash.node(sibling, second);
                int skipped = Long.numberOfTrailingZeros(node);
                node >>= skipped;
                last >>= skipped;
            } else {
                second = Hash.node(second, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if (last != 0) {
            throw tooShort(proof);
        }
        requireRoot("first", first, root1);
        requireRoot("second", second, root2);
    }

    /** The root of the tree of the first {@code size} leaves. */
    static Hash root(long size, Nodes nodes) {
        return size == 0 ? Hash.ofNothing() : rangeRoot(0, size, nodes);
    }

    /** The siblings of a leaf, leaf to root, in the tree of the first {@code size} leaves. */
    static List<Hash> inclusion(long index, long size, Nodes nodes) {
        if (index < 0 || index >= size) {
            throw new IllegalArgumentException("no leaf " + index + " in a tree of size " + size);
        }
        List<Hash> proof = new ArrayList<>();
        addSiblings(proof, 0, index, size, nodes);
        return List.copyOf(proof);
    }

    /** The proof that the tree of size2 begins with that of size1. */
    static List<Hash> consistency(long size1, long size2, Nodes nodes) {
        if (size1 < 1 || size1 > size2) {
            throw new IllegalArgumentException("no consistency from size " + size1 + " to " + size2);
        }
        if (size1 == size2) {
            return List.of();
        }
        int level = Long.numberOfTrailingZeros(size1);
        long node = (size1 - 1) >> level;
        List<Hash> proof = new ArrayList<>();
        if (node != 0) {
            proof.add(nodes.node(level, node));
        }
        addSiblings(proof, level, node, size2, nodes);
        return List.copyOf(proof);
    }

    /** Adds the siblings on the way from a node up to the root. */
    private static void addSiblings(List<Hash> proof, int level, long index, long size, Nodes nodes) {
        for (int l = level; (size - 1) >> l > 0; l++) {
            long sibling = index >> (l - level) ^ 1;
            if (sibling < size >> l) {
                proof.add(nodes.node(l, sibling));
            } else if (sibling <= (size - 1) >> l) {
                proof.add(rangeRoot(sibling << l, size, nodes));
            }
        }
    }

    /** The root over the leaves from begin to end, where begin is a multiple of a power of two ≥ end − begin. */
    private static Hash rangeRoot(long begin, long end, Nodes nodes) {
        long at = end - Long.lowestOneBit(end - begin);
        int level = Long.numberOfTrailingZeros(end - begin);
        Hash root = nodes.node(level, at >> level);
        while (at > begin) {
            level = Long.numberOfTrailingZeros(at - begin);
            at -= 1L << level;
            root = Hash.node(nodes.node(level, at >> level), root);
        }
        return root;
    }

    private static void requireRoot(String which, Hash computed, Hash root) {
        if (!computed.equals(root)) {
            throw new VerificationException(
                    "the consistency proof leads to " + which + " root " + computed + ", not " + root);
        }
    }

    private static VerificationException tooLong(List<Hash> proof) {
        return new VerificationException("the proof is too long: " + proof.size() + " hashes");
    }

    private static VerificationException tooShort(List<Hash> proof) {
        return new VerificationException("the proof is too short: " + proof.size() + " hashes");
    }
}
