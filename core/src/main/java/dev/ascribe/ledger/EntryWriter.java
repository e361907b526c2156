package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/** Writes an entry's bytes: big-endian, texts and lists behind their lengths. */
final class EntryWriter implements FieldWriter {
    private byte[] bytes = new byte[160]; // a header and a short body
    private int size;

    /** The bytes written; an entry is at most 65,535 of them. */
    byte[] entry() {
        if (size > Event.LIMIT) {
            throw new VerificationException(
                    "an entry of %,d bytes is longer than the log's limit of %,d".formatted(size, Event.LIMIT));
        }
        return Arrays.copyOf(bytes, size);
    }

    /** The bytes written, however many. */
    byte[] bytes() {
        return Arrays.copyOf(bytes, size);
    }

    /** Bytes behind their length. */
    void blob(String name, byte[] raw) {
        u16(name, raw.length);
        bytes(raw);
    }

    private int room(int count) {
        if (size + count > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(size + count, 2 * bytes.length));
        }
        size += count;
        return size - count;
    }

    void u8(int value) {
        int at = room(1);
        bytes[at] = (byte) value;
    }

    void u16(String name, int value) {
        if (value > 0xffff) {
            throw new VerificationException("'%s' has %,d bytes or items, more than 65,535".formatted(name, value));
        }
        int at = room(2);
        bytes[at] = (byte) (value >> 8);
        bytes[at + 1] = (byte) value;
    }

    void u64(long value) {
        int at = room(8);
        BigEndian.putLong(bytes, at, value);
    }

    void bytes(byte[] raw) {
        int at = room(raw.length);
        System.arraycopy(raw, 0, bytes, at, raw.length);
    }

    @Override
    public void number(String name, long value) {
        u64(Primitives.number(name, value));
    }

    @Override
    public void real(String name, double value) {
        u64(Double.doubleToLongBits(Primitives.real(name, value) + 0.0)); // −0 becomes +0
    }

    @Override
    public void optionalReal(String name, OptionalDouble value) {
        u8(value.isPresent() ? 1 : 0);
        real(name, value.orElse(0));
    }

    @Override
    public void flag(String name, boolean value) {
        u8(value ? 1 : 0);
    }

    @Override
    public void choice(String name, List<String> values, String value) {
        int index = values.indexOf(value);
        if (index < 0) {
            throw new VerificationException("'%s' is '%s'; it must be one of %s".formatted(name, value, values));
        }
        u8(index + 1);
    }

    @Override
    public void text(String name, String value) {
        try {
            ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(Primitives.text(name, value)));
            u16(name, utf8.remaining());
            int at = room(utf8.remaining());
            utf8.get(bytes, at, utf8.remaining());
        } catch (CharacterCodingException e) {
            throw new VerificationException("'" + name + "' holds half of a surrogate pair", e);
        }
    }

    @Override
    public void hash(String name, Hash value) {
        int at = room(Hash.BYTES); // first: it may move the bytes
        value.copyTo(bytes, at);
    }

    @Override
    public void hashes(String name, List<Hash> values) {
        u16(name, Primitives.some(name, values).size());
        values.forEach(value -> hash(name, value));
    }
}
