package dev.ascribe.torch.model;

import dev.ascribe.CorruptDataException;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.weights.TensorInfo;
import dev.ascribe.torch.weights.TensorType;
import dev.ascribe.torch.weights.WeightFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** A model's tensors by their Hugging Face names, checked for shape and content, in the types it computes in. */
abstract class Weights {
    /** Smaller tensors are copied, so that a file of which nothing else is used as it lies can be let go. */
    private static final long MAPPED_ELEMENTS = 1 << 18;

    private final Precision precision;
    private final List<Tensor> given = new ArrayList<>();

    Weights(Precision precision) {
        this.precision = precision;
    }

    /** Whether the linear layers' weights are stored (in, out), as GPT-2's are. */
    abstract boolean transposed();

    /** The tensor in float32, or in a wider type where the source has it. */
    abstract Tensor read(String name, long... shape);

    /** A tensor in the type of the residual stream. */
    Tensor get(String name, long... shape) {
        return give(read(name, shape).to(precision.stream()));
    }

    /** A tensor in the type of the linear products. */
    Tensor product(String name, long... shape) {
        return give(read(name, shape).to(precision.products()));
    }

    /** The same for a tensor already read. */
    Tensor product(Tensor tensor) {
        return give(tensor.to(precision.products()));
    }

    private Tensor give(Tensor tensor) {
        given.add(tensor);
        return Tensors.keep(tensor);
    }

    /** Frees every tensor that was given away. */
    void free() {
        given.forEach(Tensor::close);
        given.clear();
    }

    /** Weights in a file. */
    static final class OfFile extends Weights {
        private final WeightFile file;
        private final UnaryOperator<String> names;
        private final Rows rows;
        private final boolean transposed;
        private boolean maps;

        /** Puts a tensor's rows into Hugging Face's order. */
        interface Rows {
            Tensor order(String name, Tensor stored);
        }

        /**
         * @param names from Hugging Face's names to the file's
         * @param rows from the file's order of rows to Hugging Face's
         */
        OfFile(WeightFile file, Precision precision, UnaryOperator<String> names, Rows rows, boolean transposed) {
            super(precision);
            this.file = file;
            this.names = names;
            this.rows = rows;
            this.transposed = transposed;
        }

        @Override
        boolean transposed() {
            return transposed;
        }

        @Override
        Tensor read(String name, long... shape) {
            String stored = names.apply(name);
            TensorInfo info = file.tensor(stored);
            List<Long> expected = Arrays.stream(shape).boxed().toList();
            if (!info.shape().equals(expected)) {
                throw new CorruptDataException("%s: tensor '%s' has shape %s, but the configuration says %s"
                        .formatted(info.file(), stored, info.shape(), expected));
            }
            boolean worthMapping = info.type() == TensorType.F32 && info.elements() >= MAPPED_ELEMENTS;
            return rows.order(name, worthMapping ? mapped(info) : converted(info));
        }

        /** Whether a tensor lies in the file: it must stay open. */
        boolean maps() {
            return maps;
        }

        /** Float32 is used where it lies. */
        private Tensor mapped(TensorInfo info) {
            maps = true;
            Tensor tensor = Tensors.over(file.bytes(info.name()), ScalarType.Float, shape(info));
            if (!tensor.sum().isfinite().item_bool()) {
                return converted(info); // names the place, or clears a sum that merely overflowed
            }
            return tensor;
        }

        private Tensor converted(TensorInfo info) {
            Tensor tensor = Tensors.empty(ScalarType.Float, shape(info));
            file.toFloats(info.name(), Tensors.memory(tensor));
            return tensor;
        }

        private static long[] shape(TensorInfo info) {
            return info.shape().stream().mapToLong(Long::longValue).toArray();
        }
    }
}
