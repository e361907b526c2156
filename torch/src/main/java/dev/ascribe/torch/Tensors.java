package dev.ascribe.torch;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/** The bridge between Java's arrays and memory segments and libtorch's tensors. */
public final class Tensors {
    private Tensors() {}

    /** Takes a tensor just made out of the innermost scope: it lives until it is closed or collected. */
    public static Tensor keep(Tensor tensor) {
        PointerScope scope = PointerScope.getInnerScope();
        if (scope != null) {
            scope.detach(tensor.<Tensor>retainReference()); // detaching alone would free it
        }
        return tensor;
    }

    /** Another handle on the same tensor, outside all scopes: it lives until it is closed or collected. */
    public static Tensor handle(Tensor tensor) {
        return keep(new Tensor(tensor));
    }

    /** Does something in a scope of its own, of which only the result gets out, into the scope around it. */
    public static Tensor tidy(Supplier<Tensor> work) {
        Tensor result;
        try (PointerScope scope = new PointerScope()) {
            result = handle(work.get());
        }
        return release(result);
    }

    /** Puts a tensor that is outside all scopes into the innermost one. */
    public static Tensor release(Tensor kept) {
        PointerScope scope = PointerScope.getInnerScope();
        if (scope != null) {
            scope.attach(kept);
            kept.close(); // from now on it is the scope's alone
        }
        return kept;
    }

    /** An int64 vector. */
    public static Tensor of(int... values) {
        long[] wide = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return of(wide);
    }

    /** An int64 vector. */
    public static Tensor of(long... values) {
        Tensor tensor = torch.empty(new long[] {values.length}, new TensorOptions(ScalarType.Long), null);
        new LongPointer(tensor.data_ptr()).put(values, 0, values.length);
        return tensor;
    }

    /** A float32 tensor of a shape, row-major. */
    public static Tensor of(float[] values, long... shape) {
        Tensor tensor = torch.empty(shape, new TensorOptions(ScalarType.Float), null);
        new FloatPointer(tensor.data_ptr()).put(values, 0, values.length);
        return tensor;
    }

    /** A float64 tensor of a shape, row-major. */
    public static Tensor of(double[] values, long... shape) {
        Tensor tensor = torch.empty(shape, new TensorOptions(ScalarType.Double), null);
        new DoublePointer(tensor.data_ptr()).put(values, 0, values.length);
        return tensor;
    }

    /** An uninitialised tensor. */
    public static Tensor empty(ScalarType type, long... shape) {
        return torch.empty(shape, new TensorOptions(type), null);
    }

    /** A tensor of zeros. */
    public static Tensor zeros(ScalarType type, long... shape) {
        return torch.zeros(shape, new TensorOptions(type));
    }

    /** Joins along a dimension. */
    public static Tensor cat(List<Tensor> parts, long dimension) {
        return torch.cat(new TensorVector(parts.toArray(Tensor[]::new)), dimension);
    }

    /** An optional tensor as libtorch wants it. */
    public static TensorOptional optional(@Nullable Tensor tensor) {
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
    }

    /** A number as libtorch wants it. */
    public static Scalar scalar(double value) {
        return new Scalar(value);
    }

    /** The tensor's numbers as float32, row-major. */
    public static float[] floats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        floats(tensor, values);
        return values;
    }

    /** Copies the tensor's numbers as float32, row-major, to the start of an array. */
    public static void floats(Tensor tensor, float[] into) {
        Tensor plain = tensor.detach().to(ScalarType.Float).contiguous();
        new FloatPointer(plain.data_ptr()).get(into, 0, Math.toIntExact(plain.numel()));
    }

    /** The tensor's numbers as float64, row-major. */
    public static double[] doubles(Tensor tensor) {
        Tensor plain = tensor.detach().to(ScalarType.Double).contiguous();
        double[] values = new double[Math.toIntExact(plain.numel())];
        new DoublePointer(plain.data_ptr()).get(values, 0, values.length);
        return values;
    }

    /** The tensor's whole numbers, row-major. */
    public static long[] longs(Tensor tensor) {
        Tensor plain = tensor.to(ScalarType.Long).contiguous();
        long[] values = new long[Math.toIntExact(plain.numel())];
        new LongPointer(plain.data_ptr()).get(values, 0, values.length);
        return values;
    }

    /** The memory of a contiguous CPU tensor; valid while the tensor is. */
    @SuppressWarnings("restricted") // the length is the tensor's own
    public static MemorySegment memory(Tensor tensor) {
        return MemorySegment.ofAddress(tensor.data_ptr().address()).reinterpret(tensor.nbytes());
    }

    /** A tensor over memory that somebody else owns and keeps alive, not copied. */
    public static Tensor over(MemorySegment memory, ScalarType type, long... shape) {
        return torch.from_blob(new Address(memory.address()), shape, new TensorOptions(type));
    }

    private static final class Address extends Pointer {
        @SuppressWarnings("this-escape") // the field is the superclass's own
        Address(long address) {
            super((Pointer) null);
            this.address = address;
        }
    }
}
