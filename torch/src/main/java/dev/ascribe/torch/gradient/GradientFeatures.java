package dev.ascribe.torch.gradient;

import dev.ascribe.store.Block;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.model.Packed;
import dev.ascribe.torch.model.SiteListener;
import dev.ascribe.torch.train.Adapter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Turns the signals of a batch into one row of features a sequence: the gradients of chosen matrices, each projected
 * from both sides, laid end to end. A gradient is a sum of outer products over tokens, G = Σ_t l_t r_tᵀ, so projecting the
 * factors projects the gradient.
 */
public final class GradientFeatures {
    /** Matrices are multiplied together up to this many columns, to save calls without using much memory. */
    private static final int GROUP_COLUMNS = 8192;

    private final Map<Linear, UnaryOperator<Tensor>> kept; // of each site's input
    private final List<List<Matrix>> groups = new ArrayList<>(); // of equal projected shape
    private final List<Block> blocks = new ArrayList<>();
    private final Projection.Signs signs;
    private final int width;

    /**
     * One matrix whose gradient is taken: its unprojected and projected shape, and its factors, (N, rows) and (N, columns), from
     * the site's δ and from what was kept of its input.
     */
    private record Matrix(
            String name,
            Linear site,
            int rows,
            int columns,
            int projectedRows,
            int projectedColumns,
            UnaryOperator<Tensor> left,
            UnaryOperator<Tensor> right) {}

    private GradientFeatures(Map<Linear, UnaryOperator<Tensor>> kept, List<Matrix> matrices, Projection projection) {
        this.kept = kept;
        this.signs = new Projection.Signs(projection.seed());
        Map<List<Integer>, List<Matrix>> open = new LinkedHashMap<>();
        for (Matrix matrix : matrices) {
            List<Integer> shape = List.of(matrix.projectedRows(), matrix.projectedColumns());
            List<Matrix> group = open.get(shape);
            int columns = matrix.projectedRows() + matrix.projectedColumns();
            if (group == null || (group.size() + 1) * columns > GROUP_COLUMNS) {
                group = new ArrayList<>();
                groups.add(group);
                open.put(shape, group);
            }
            group.add(matrix);
        }
        int offset = 0;
        for (List<Matrix> group : groups) {
            for (Matrix matrix : group) {
                int entries = matrix.projectedRows() * matrix.projectedColumns();
                blocks.add(new Block(matrix.name(), offset, entries, (long) matrix.rows() * matrix.columns()));
                offset += entries;
            }
        }
        this.width = offset;
    }

    /**
     * Gradients of an adapter's A and B. At the start of fine-tuning, where B = 0, those of A are zero and left out.
     */
    public static GradientFeatures of(Adapter adapter, Projection projection) {
        boolean start = adapter.atStart();
        Map<Linear, UnaryOperator<Tensor>> kept = new LinkedHashMap<>();
        List<Matrix> matrices = new ArrayList<>();
        for (Adapter.Site site : adapter.sites()) {
            Linear linear = site.linear();
            UnaryOperator<Tensor> down = // s · A a, shape (N, r): all that the gradient of B needs of the input
                    input -> input.matmul(site.a().t()).mul_(Tensors.scalar(site.scale()));
            kept.put(linear, start ? down : UnaryOperator.identity());
            if (!start) {
                // ∂/∂A = s · Bᵀδ aᵀ
                matrices.add(matrix(
                        linear.name() + ".lora_A",
                        linear,
                        site.rank(),
                        linear.in(),
                        projection,
                        delta -> delta.matmul(site.b()).mul_(Tensors.scalar(site.scale())),
                        UnaryOperator.identity()));
            }
            // ∂/∂B = s · δ (A a)ᵀ
            matrices.add(matrix(
                    linear.name() + ".lora_B",
                    linear,
                    linear.out(),
                    site.rank(),
                    projection,
                    UnaryOperator.identity(),
                    start ? UnaryOperator.identity() : down));
        }
        return new GradientFeatures(kept, matrices, projection);
    }

    /** Gradients of linear layers' weights, biases left out. */
    public static GradientFeatures of(List<Linear> sites, Projection projection) {
        Map<Linear, UnaryOperator<Tensor>> kept = new LinkedHashMap<>();
        List<Matrix> matrices = new ArrayList<>();
        for (Linear site : sites) {
            kept.put(site, UnaryOperator.identity());
            matrices.add(matrix(
                    site.name() + ".weight",
                    site,
                    site.out(),
                    site.in(),
                    projection,
                    UnaryOperator.identity(),
                    UnaryOperator.identity()));
        }
        return new GradientFeatures(kept, matrices, projection);
    }

    private static Matrix matrix(
            String name,
            Linear site,
            int rows,
            int columns,
            Projection projection,
            UnaryOperator<Tensor> left,
            UnaryOperator<Tensor> right) {
        return new Matrix(
                name, site, rows, columns, projection.rowsOf(rows), projection.columnsOf(columns), left, right);
    }

    /** The linear layers that are listened to. */
    public List<Linear> sites() {
        return List.copyOf(kept.keySet());
    }

    /** The features' layout: one block a matrix, with the number of its entries before projection. */
    public List<Block> blocks() {
        return List.copyOf(blocks);
    }

    /** Features a sequence. */
    public int width() {
        return width;
    }

    /**
     * Listens to a pass over a batch.
     *
     * @param type of the features
     */
    public Gathering of(Packed packed, ScalarType type) {
        return new Gathering(packed, type);
    }

    /** The features of one batch, gathered while its backward pass goes on. */
    public final class Gathering implements SiteListener, AutoCloseable {
        private final Packed packed;
        private final Tensor rows;
        private final Map<Matrix, Tensor> lefts = new HashMap<>();
        private final Map<Matrix, Tensor> rights = new HashMap<>();

        private Gathering(Packed packed, ScalarType type) {
            this.packed = packed;
            this.rows = Tensors.zeros(type, packed.sequences(), width);
        }

        @Override
        public boolean wants(Linear site) {
            return kept.containsKey(site);
        }

        @Override
        public Tensor keep(Linear site, Tensor input) {
            return Objects.requireNonNull(kept.get(site)).apply(input);
        }

        @Override
        public void hear(Linear site, Tensor input, Tensor delta) {
            int offset = 0;
            for (List<Matrix> group : groups) {
                int each = group.getFirst().projectedRows() * group.getFirst().projectedColumns();
                boolean heard = false;
                for (Matrix matrix : group) {
                    if (matrix.site().equals(site)) {
                        Tensor left = signs.shorten(
                                matrix.left().apply(delta), matrix.name() + "/left", matrix.projectedRows());
                        Tensor right = signs.shorten(
                                matrix.right().apply(input), matrix.name() + "/right", matrix.projectedColumns());
                        lefts.put(matrix, Tensors.handle(left));
                        rights.put(matrix, Tensors.handle(right));
                        heard = true;
                    }
                }
                if (heard && lefts.keySet().containsAll(group)) {
                    multiply(group, rows.narrow(1, offset, (long) group.size() * each));
                }
                offset += group.size() * each;
            }
        }

        private void multiply(List<Matrix> group, Tensor into) {
            int p = group.getFirst().projectedRows();
            int q = group.getFirst().projectedColumns();
            Tensor left = split(packed, take(lefts, group), p).permute(0, 2, 3, 1); // (B, g, p, T)
            Tensor right = split(packed, take(rights, group), q).permute(0, 2, 1, 3); // (B, g, T, q)
            into.copy_(left.matmul(right).reshape(packed.sequences(), (long) group.size() * p * q));
        }

        /** Hands factors over to the scope. */
        private List<Tensor> take(Map<Matrix, Tensor> factors, List<Matrix> group) {
            return group.stream()
                    .map(matrix -> Tensors.release(Objects.requireNonNull(factors.remove(matrix))))
                    .toList();
        }

        /**
         * The features, once the backward pass is over.
         *
         * @return shape (B, width)
         */
        public Tensor rows() {
            return rows;
        }

        @Override
        public void close() {
            lefts.values().forEach(Tensor::close);
            rights.values().forEach(Tensor::close);
        }
    }

    /** Factors of a group side by side, a sequence at a time: shape (B, T, g, columns). */
    private static Tensor split(Packed packed, List<Tensor> factors, int columns) {
        Tensor joined = factors.size() == 1 ? factors.getFirst() : Tensors.cat(factors, 1);
        return packed.spreadWithZeros(joined).view(packed.sequences(), packed.longest(), factors.size(), columns);
    }
}
