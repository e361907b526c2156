package dev.ascribe.torch.gradient;

import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Decoder;
import dev.ascribe.torch.model.LossBatch;
import dev.ascribe.torch.model.Remade;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.model.Signals;
import dev.ascribe.torch.model.Trunk;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;

/** Per-sequence gradient features of a {@link Subject}, not sketched, in batches that bound memory. */
final class RowGradients {
    /** Tokens that pass through the model at once. */
    private static final int BATCH_TOKENS = 256;

    private static final int BATCH_ROWS = 64;

    /** Feature numbers that are held at once. */
    private static final int BATCH_FEATURES = 1 << 25;

    private final Subject subject;
    private float[] buffer = new float[0]; // one for all batches: fresh ones of this size would fill the heap

    /** Row after row of features. The next batch overwrites them. */
    static final class Rows {
        private final float[] values;
        private final int count;
        private final int width;

        Rows(float[] values, int count, int width) {
            this.values = values;
            this.count = count;
            this.width = width;
        }

        /** The numbers; what lies behind the last row means nothing. */
        float[] values() {
            return values;
        }

        /** How many rows. */
        int count() {
            return count;
        }

        /** Features a row. */
        int width() {
            return width;
        }

        /** The same rows for keeps. */
        Rows copy() {
            return new Rows(Arrays.copyOf(values, count * width), count, width);
        }
    }

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
    static int next(List<Sequence> ahead, int width) {
        int tokens = 0;
        int count = 0;
        for (Sequence sequence : ahead) {
            tokens += sequence.length();
            boolean full = tokens > BATCH_TOKENS || count >= BATCH_ROWS || (count + 1L) * width > BATCH_FEATURES;
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
    Rows of(List<Sequence> sequences) {
        int width = width();
        int size = Math.multiplyExact(sequences.size(), width);
        if (buffer.length < size) {
            buffer = new float[size];
        }
        List<Sequence> predicting =
                sequences.stream().filter(sequence -> sequence.targets() > 0).toList();
        if (!predicting.isEmpty()) {
            Decoder decoder = subject.model().decoder();
            try (PointerScope scope = new PointerScope();
                    Trunk trunk = new Trunk(decoder, 0, 0)) {
                LossBatch batch = LossBatch.of(predicting);
                try (GradientFeatures.Gathering gathering = subject.features().of(batch.packed(), decoder.type())) {
                    Remade remade = batch.packed().size() > BATCH_TOKENS ? Remade.WIDE_LAYERS : Remade.ATTENTION;
                    Signals.pass(decoder, trunk, batch, remade, gathering);
                    Tensors.floats(gathering.rows(), buffer);
                }
            }
        }
        // from the last row down: those without targets take their places, and are zero
        int from = predicting.size();
        for (int i = sequences.size() - 1; i >= 0; i--) {
            if (sequences.get(i).targets() > 0) {
                from--;
                System.arraycopy(buffer, from * width, buffer, i * width, width);
            } else {
                Arrays.fill(buffer, i * width, (i + 1) * width, 0);
            }
        }
        return new Rows(buffer, sequences.size(), width);
    }

    /** Features of all sequences, one array each. */
    float[][] all(List<Sequence> sequences) {
        int width = width();
        float[][] all = new float[sequences.size()][];
        int from = 0;
        while (from < sequences.size()) {
            List<Sequence> ahead = sequences.subList(from, sequences.size());
            int count = next(ahead, width);
            Rows features = of(ahead.subList(0, count));
            for (int i = 0; i < count; i++) {
                all[from + i] = Arrays.copyOfRange(features.values(), i * width, (i + 1) * width);
            }
            from += count;
        }
        return all;
    }
}
