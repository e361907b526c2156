package dev.ascribe.evaluate;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** Rows that a control leaves out. */
public final class RandomRows {
    private RandomRows() {}

    /** So many rows of a pool, or all of a smaller one; the same for the same seed. */
    public static Set<Integer> draw(List<Integer> pool, int count, long seed) {
        List<Integer> shuffled = new ArrayList<>(pool);
        Collections.shuffle(shuffled, new Random(seed));
        return new TreeSet<>(shuffled.subList(0, Math.min(count, shuffled.size())));
    }
}
