package dev.ascribe.ledger;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Finds leaves by their keys: a hash table of leaf numbers with open addressing, 6 to 12 bytes a key. One thread may insert while others
 * search for keys that were there before.
 */
final class LeafIndex {
    private static final VarHandle INT = MethodHandles.arrayElementVarHandle(int[].class);
    private static final int HASH_AT =
            PrefixTrie.KEY_AT + Integer.BYTES; // a part in which the keys of a subtree differ

    private final Records leaves;
    private volatile int[] table = new int[8]; // number + 1, or 0
    private int size;

    LeafIndex(Records leaves) {
        this.leaves = leaves;
        while (size < leaves.size()) {
            insert(size);
        }
    }

    /** Takes in the leaf that was added last. */
    void insert(int leaf) {
        int[] current = table;
        if (3L * size >= 2L * current.length) {
            int[] larger = new int[2 * current.length];
            for (int number : current) {
                if (number != 0) {
                    place(larger, number);
                }
            }
            current = larger;
        }
        place(current, leaf + 1);
        table = current;
        size++;
    }

    private void place(int[] into, int number) {
        byte[] chunk = leaves.chunk(number - 1);
        int at = BigEndian.getInt(chunk, leaves.at(number - 1) + HASH_AT) & (into.length - 1);
        while (into[at] != 0) {
            at = (at + 1) & (into.length - 1);
        }
        INT.setRelease(into, at, number);
    }

    /** The leaf with a key, or −1. */
    int find(Hash key) {
        int[] current = table;
        int at = key.intAt(HASH_AT - PrefixTrie.KEY_AT) & (current.length - 1);
        while (true) {
            int number = (int) INT.getAcquire(current, at);
            if (number == 0) {
                return -1;
            }
            if (key.matches(leaves.chunk(number - 1), leaves.at(number - 1) + PrefixTrie.KEY_AT)) {
                return number - 1;
            }
            at = (at + 1) & (current.length - 1);
        }
    }
}
