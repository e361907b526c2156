package dev.ascribe.ledger;

import dev.ascribe.Digests;
import java.security.DigestException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A tree that only grows, kept as the roots of its complete subtrees: one for each bit of its size, largest first. It
 * takes one node hash per leaf and no allocation. Not safe for several threads.
 */
final class MerkleRange {
    private static final int BYTES = Hash.BYTES;
    private static final byte NODE = 1;

    private final MessageDigest digest = Digests.sha256();
    private long size;
    private byte[] peaks = new byte[16 * BYTES];
    private int depth;

    MerkleRange() {}

    /**
     * The tree as it was.
     *
     * @param peaks the roots of its complete subtrees, largest first, as {@link #peaks} gave them
     */
    static MerkleRange of(long size, List<Hash> peaks) {
        if (size < 0 || Long.bitCount(size) != peaks.size()) {
            throw new IllegalArgumentException("a tree of size " + size + " has " + Long.bitCount(size)
                    + " complete subtrees, not " + peaks.size());
        }
        MerkleRange range = new MerkleRange();
        for (Hash peak : peaks) {
            int at = range.push(); // before the array is named: it may be another one afterwards
            peak.copyTo(range.peaks, at);
        }
        range.size = size;
        return range;
    }

    /** Appends a leaf hash. */
    void append(Hash leaf) {
        int at = push();
        leaf.copyTo(peaks, at);
        merge();
    }

    /** Appends the leaf hash that stands in 32 bytes from {@code offset} on. */
    void append(byte[] leaf, int offset) {
        int at = push();
        System.arraycopy(leaf, offset, peaks, at, BYTES);
        merge();
    }

    /** The number of leaves. */
    long size() {
        return size;
    }

    /** The root of the tree; the tree stays as it is. */
    Hash root() {
        if (depth == 0) {
            return Hash.ofNothing();
        }
        byte[] pair = new byte[2 * BYTES];
        System.arraycopy(peaks, (depth - 1) * BYTES, pair, BYTES, BYTES);
        for (int i = depth - 2; i >= 0; i--) {
            System.arraycopy(peaks, i * BYTES, pair, 0, BYTES);
            hashPair(pair, 0, BYTES);
        }
        return Hash.of(pair, BYTES, BYTES);
    }

    /** The roots of the complete subtrees, largest first. */
    List<Hash> peaks() {
        List<Hash> hashes = new ArrayList<>(depth);
        for (int i = 0; i < depth; i++) {
            hashes.add(Hash.of(peaks, i * BYTES, BYTES));
        }
        return List.copyOf(hashes);
    }

    private int push() {
        if (depth * BYTES == peaks.length) {
            peaks = Arrays.copyOf(peaks, 2 * peaks.length);
        }
        return depth++ * BYTES;
    }

    /** Joins the subtrees of equal size at the end: as many as the old size ends in ones. */
    private void merge() {
        for (long old = size++; (old & 1) == 1; old >>= 1) {
            depth--;
            int left = (depth - 1) * BYTES;
            hashPair(peaks, left, left);
        }
    }

    private void hashPair(byte[] bytes, int from, int to) {
        digest.update(NODE);
        digest.update(bytes, from, 2 * BYTES);
        try {
            digest.digest(bytes, to, BYTES);
        } catch (DigestException e) {
            throw new AssertionError("32 bytes hold a SHA-256", e);
        }
    }
}
