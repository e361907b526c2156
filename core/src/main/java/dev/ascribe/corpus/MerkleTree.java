package dev.ascribe.corpus;

import dev.ascribe.Digests;
import java.security.MessageDigest;

/**
 * The Merkle tree hash of RFC 6962, section 2.1, over entries that are added one at a time.
 *
 * <ul>
 *   <li>leaf = SHA-256(0x00 ‖ entry)
 *   <li>node = SHA-256(0x01 ‖ left ‖ right), split at the largest power of two smaller than the number of entries
 *   <li>no entry at all: SHA-256 of nothing
 * </ul>
 *
 * <p>It keeps the roots of the complete subtrees so far, one for each bit set in the number of entries: O(log n) memory. Not
 * safe for use by several threads.
 */
public final class MerkleTree {
    private static final byte LEAF = 0;
    private static final byte NODE = 1;

    private final MessageDigest sha256 = Digests.sha256();
    private final byte[][] complete =
            new byte[Long.SIZE][]; // [level] root over 2^level entries, valid where size has that bit
    private long size;

    /** Adds an entry at the end. */
    public void add(byte[] entry) {
        sha256.update(LEAF);
        byte[] root = sha256.digest(entry);
        int level = 0;
        for (; (size >>> level & 1) == 1; level++) {
            root = node(complete[level], root);
        }
        complete[level] = root;
        size++;
    }

    /** How many entries were added. */
    public long size() {
        return size;
    }

    /** The root over all entries so far, 32 bytes. */
    public byte[] root() {
        if (size == 0) {
            return sha256.digest();
        }
        int level = Long.numberOfTrailingZeros(size);
        byte[] root = complete[level].clone();
        for (level++; level < Long.SIZE; level++) {
            if ((size >>> level & 1) == 1) {
                root = node(complete[level], root);
            }
        }
        return root;
    }

    private byte[] node(byte[] left, byte[] right) {
        sha256.update(NODE);
        sha256.update(left);
        return sha256.digest(right);
    }
}
