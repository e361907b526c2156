package dev.ascribe.torch.train;

import dev.ascribe.torch.model.Sequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/** The batches of an epoch: shuffled by seed, neighbours of like length, so that attention pads little. */
final class BatchOrder {
    /** Batches whose rows are sorted by length together. */
    private static final int BUCKET = 8;

    private BatchOrder() {}

    /** The same seed and epoch give the same batches. */
    static List<List<Sequence>> of(List<Sequence> rows, int batch, long seed, int epoch) {
        Random random = new Random(seed * 1_000_003L + epoch);
        List<Sequence> shuffled = new ArrayList<>(rows);
        Collections.shuffle(shuffled, random);
        List<List<Sequence>> batches = new ArrayList<>();
        for (int from = 0; from < shuffled.size(); from += batch * BUCKET) {
            List<Sequence> bucket = shuffled.subList(from, Math.min(shuffled.size(), from + batch * BUCKET));
            bucket.sort(Comparator.comparingInt(Sequence::length));
            for (int at = 0; at < bucket.size(); at += batch) {
                batches.add(List.copyOf(bucket.subList(at, Math.min(bucket.size(), at + batch))));
            }
        }
        Collections.shuffle(batches, random);
        return batches;
    }
}
