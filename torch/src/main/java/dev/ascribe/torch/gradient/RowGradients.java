package dev.ascribe.torch.gradient;

import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.LossBatch;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.model.Signals;
import dev.ascribe.torch.model.Trunk;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;

/** Per-sequence gradient features of a {@link Subject}, not sketched, in batches that bound memory. */
final class RowGradients {
    /** Tokens that pass through the model at once. */
    private static final int BATCH_TOKENS = 512;

    private static final int BATCH_ROWS = 64;

    /** Feature numbers that are held at once. */
    private static final int BATCH_FEATURES = 1 << 25;

    private final Subject subject;

    RowGradients(Subject subject) {
        this.subject = subject;
    }

    /** Features a sequence. */
    int width() {
        return subject.features().width();
    }

    /**
     * How many sequences, from the first on, make the next batch: a function of what lies ahead alone, so that an interrupted
     * pass goes on with the very batches of an uninterrupted one.
     */
    int next(List<Sequence> ahead) {
        int tokens = 0;
        int count = 0;
        for (Sequence sequence : ahead) {
            tokens += sequence.length();
            boolean full = tokens > BATCH_TOKENS || count >= BATCH_ROWS || (count + 1L) * width() > BATCH_FEATURES;
            if (full && count > 0) {
                break;
            }
            count++;
        }
        return count;
    }

    /** Rows that {@link #next} must see to be sure where a batch ends. */
    static int lookAhead() {
        return BATCH_ROWS + 1;
    }

    /**
     * One forward and one backward pass.
     *
     * @return row after row, shape (sequences, width); zeros for a sequence without targets
     */
    float[] of(List<Sequence> sequences) {
        int width = width();
        List<Sequence> predicting =
                sequences.stream().filter(sequence -> sequence.targets() > 0).toList();
        float[] found = new float[Math.multiplyExact(predicting.size(), width)];
        if (!predicting.isEmpty()) {
            try (PointerScope scope = new PointerScope();
                    Trunk trunk = new Trunk(subject.model().decoder(), 0, 0)) {
                Signals signals = Signals.of(
                        subject.model().decoder(),
                        trunk,
                        LossBatch.of(predicting),
                        subject.features().sites());
                Tensors.floats(subject.features().rows(signals), found);
            }
        }
        if (predicting.size() == sequences.size()) {
            return found;
        }
        float[] features = new float[Math.multiplyExact(sequences.size(), width)];
        int from = 0;
        for (int i = 0; i < sequences.size(); i++) {
            if (sequences.get(i).targets() > 0) {
                System.arraycopy(found, from++ * width, features, i * width, width);
            }
        }
        return features;
    }

    /** Features of all sequences, one array each. */
    float[][] all(List<Sequence> sequences) {
        int width = width();
        float[][] all = new float[sequences.size()][];
        int from = 0;
        while (from < sequences.size()) {
            List<Sequence> ahead = sequences.subList(from, sequences.size());
            int count = next(ahead);
            float[] features = of(ahead.subList(0, count));
            for (int i = 0; i < count; i++) {
                all[from + i] = Arrays.copyOfRange(features, i * width, (i + 1) * width);
            }
            from += count;
        }
        return all;
    }
}
