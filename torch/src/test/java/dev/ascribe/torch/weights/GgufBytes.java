package dev.ascribe.torch.weights;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Writes GGUF files piece by piece, right ones and wrong ones. */
final class GgufBytes {
    static final int U8 = 0;
    static final int U32 = 4;
    static final int STRING = 8;
    static final int ARRAY = 9;
    static final int U64 = 10;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    static GgufBytes header(int version, long tensors, long entries) {
        return new GgufBytes().ascii("GGUF").u32(version).u64(tensors).u64(entries);
    }

    GgufBytes ascii(String text) {
        out.writeBytes(text.getBytes(UTF_8));
        return this;
    }

    GgufBytes u8(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    GgufBytes u32(int value) {
        out.writeBytes(little(4).putInt(0, value).array());
        return this;
    }

    GgufBytes u64(long value) {
        out.writeBytes(little(8).putLong(0, value).array());
        return this;
    }

    GgufBytes f32(float... values) {
        for (float value : values) {
            u32(Float.floatToRawIntBits(value));
        }
        return this;
    }

    GgufBytes string(String text) {
        return u64(text.getBytes(UTF_8).length).ascii(text);
    }

    /** A key and its value's type; the value must follow. */
    GgufBytes entry(String key, int type) {
        return string(key).u32(type);
    }

    /** @param dimensions innermost first, as in the file */
    GgufBytes tensor(String name, int type, long offset, long... dimensions) {
        string(name).u32(dimensions.length);
        Arrays.stream(dimensions).forEach(this::u64);
        return u32(type).u64(offset);
    }

    GgufBytes pad(int alignment) {
        while (out.size() % alignment != 0) {
            out.write(0);
        }
        return this;
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
