package dev.ascribe.torch.gradient;

import dev.ascribe.store.Block;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.model.Packed;
import dev.ascribe.torch.model.Signals;
import dev.ascribe.torch.train.Adapter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/**
 * Turns the {@link Signals} of a batch into one row of features a sequence: the gradients of chosen matrices, each projected
 * from both sides, laid end to end. A gradient is a sum of outer products over tokens, G = Σ_t l_t r_tᵀ, so projecting the
 * factors projects the gradient.
 */
public final class GradientFeatures {
    /** Matrices are multiplied together up to this many columns, to save calls without using much memory. */
    private static final int GROUP_COLUMNS = 8192;

    private final List<Linear> sites;
    private final List<List<Matrix>> groups = new ArrayList<>(); // of equal projected shape
    private final List<Block> blocks = new ArrayList<>();
    private final Projection.Signs signs;
    private final int width;

    /** One matrix whose gradient is taken: its unprojected and projected shape, and its factors, (N, rows) and (N, columns). */
    private record Matrix(
            String name,
            int rows,
            int columns,
            int projectedRows,
            int projectedColumns,
            Function<Signals, Tensor> left,
            Function<Signals, Tensor> right) {}

    private GradientFeatures(List<Linear> sites, List<Matrix> matrices, Projection projection) {
        this.sites = sites;
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
        List<Matrix> matrices = new ArrayList<>();
        for (Adapter.Site site : adapter.sites()) {
            Linear linear = site.linear();
            if (!start) {
                // ∂/∂A = s · Bᵀδ aᵀ
                matrices.add(matrix(
                        linear.name() + ".lora_A",
                        site.rank(),
                        linear.in(),
                        projection,
                        signals -> signals.delta(linear).matmul(site.b()).mul_(Tensors.scalar(site.scale())),
                        signals -> signals.input(linear)));
            }
            // ∂/∂B = s · δ (A a)ᵀ
            matrices.add(matrix(
                    linear.name() + ".lora_B",
                    linear.out(),
                    site.rank(),
                    projection,
                    signals -> signals.delta(linear),
                    signals -> signals.input(linear).matmul(site.a().t()).mul_(Tensors.scalar(site.scale()))));
        }
        List<Linear> sites = adapter.sites().stream().map(Adapter.Site::linear).toList();
        return new GradientFeatures(sites, matrices, projection);
    }

    /** Gradients of linear layers' weights, biases left out. */
    public static GradientFeatures of(List<Linear> sites, Projection projection) {
        List<Matrix> matrices = sites.stream()
                .map(site -> matrix(
                        site.name() + ".weight",
                        site.out(),
                        site.in(),
                        projection,
                        signals -> signals.delta(site),
                        signals -> signals.input(site)))
                .toList();
        return new GradientFeatures(sites, matrices, projection);
    }

    private static Matrix matrix(
            String name,
            int rows,
            int columns,
            Projection projection,
            Function<Signals, Tensor> left,
            Function<Signals, Tensor> right) {
        return new Matrix(name, rows, columns, projection.rowsOf(rows), projection.columnsOf(columns), left, right);
    }

    /** The linear layers to listen to. */
    public List<Linear> sites() {
        return sites;
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
     * The features of a batch's sequences.
     *
     * @return shape (B, width)
     */
    public Tensor rows(Signals signals) {
        Packed packed = signals.batch().packed();
        List<Tensor> parts = new ArrayList<>();
        for (List<Matrix> group : groups) {
            int p = group.getFirst().projectedRows();
            int q = group.getFirst().projectedColumns();
            List<Tensor> lefts = new ArrayList<>();
            List<Tensor> rights = new ArrayList<>();
            for (Matrix matrix : group) {
                lefts.add(signs.shorten(matrix.left().apply(signals), matrix.name() + "/left", p));
                rights.add(signs.shorten(matrix.right().apply(signals), matrix.name() + "/right", q));
            }
            Tensor left = split(packed, lefts, p).permute(0, 2, 3, 1); // (B, g, p, T)
            Tensor right = split(packed, rights, q).permute(0, 2, 1, 3); // (B, g, T, q)
            parts.add(left.matmul(right).reshape(packed.sequences(), (long) group.size() * p * q));
        }
        return parts.size() == 1 ? parts.getFirst() : Tensors.cat(parts, 1);
    }

    /** Factors of a group side by side, a sequence at a time: shape (B, T, g, columns). */
    private static Tensor split(Packed packed, List<Tensor> factors, int columns) {
        Tensor joined = factors.size() == 1 ? factors.getFirst() : Tensors.cat(factors, 1);
        return packed.spreadWithZeros(joined).view(packed.sequences(), packed.longest(), factors.size(), columns);
    }
}
