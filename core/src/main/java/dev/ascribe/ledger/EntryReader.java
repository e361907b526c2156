package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** Reads an entry's bytes, and refuses what {@link EntryWriter} would not have written. */
final class EntryReader implements FieldReader {
    private final ByteBuffer bytes;

    private EntryReader(byte[] bytes) {
        this.bytes = ByteBuffer.wrap(bytes);
    }

    /** Reads an entry of a log. */
    static EntryReader of(byte[] entry) {
        if (entry.length > Event.LIMIT) {
            throw new VerificationException(
                    "an entry of %,d bytes is longer than the log's limit of %,d".formatted(entry.length, Event.LIMIT));
        }
        return new EntryReader(entry);
    }

    /** Reads what is not an entry itself. */
    static EntryReader ofAnyLength(byte[] bytes) {
        return new EntryReader(bytes);
    }

    /** An event behind its length. */
    Event event(String name) {
        return Event.decode(bytes(name, u16(name)));
    }

    /** So many hashes. */
    List<Hash> path(String name, int count) {
        need(name, count * Hash.BYTES);
        List<Hash> hashes = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            hashes.add(hash(name));
        }
        return hashes;
    }

    /** All that is left. */
    byte[] rest() {
        return bytes("the rest", bytes.remaining());
    }

    private void need(String name, int count) {
        if (bytes.remaining() < count) {
            throw new VerificationException("the entry ends in the middle of '%s'".formatted(name));
        }
    }

    /** Refuses anything that is left. */
    void end() {
        if (bytes.hasRemaining()) {
            throw new VerificationException(bytes.remaining() + " bytes follow the last field");
        }
    }

    int u8(String name) {
        need(name, 1);
        return bytes.get() & 0xff;
    }

    int u16(String name) {
        need(name, 2);
        return bytes.getShort() & 0xffff;
    }

    byte[] bytes(String name, int count) {
        need(name, count);
        byte[] raw = new byte[count];
        bytes.get(raw);
        return raw;
    }

    @Override
    public long number(String name) {
        need(name, 8);
        return Primitives.number(name, bytes.getLong());
    }

    @Override
    public double real(String name) {
        need(name, 8);
        long bits = bytes.getLong();
        if (bits == Long.MIN_VALUE) {
            throw new VerificationException("'" + name + "' is −0, which is written as +0");
        }
        return Primitives.real(name, Double.longBitsToDouble(bits));
    }

    @Override
    public OptionalDouble optionalReal(String name) {
        boolean there = flag(name);
        double value = real(name);
        if (!there && value != 0) {
            throw new VerificationException("'" + name + "' has a value, but says that it has none");
        }
        return there ? OptionalDouble.of(value) : OptionalDouble.empty();
    }

    @Override
    public boolean flag(String name) {
        int value = u8(name);
        if (value > 1) {
            throw new VerificationException("the flag '%s' is %d, not 0 or 1".formatted(name, value));
        }
        return value == 1;
    }

    @Override
    public String choice(String name, List<String> values) {
        int code = u8(name);
        if (code < 1 || code > values.size()) {
            throw new VerificationException("'%s' is %d, which is not known".formatted(name, code));
        }
        return values.get(code - 1);
    }

    @Override
    public String text(String name) {
        byte[] utf8 = bytes(name, u16(name));
        try {
            return Primitives.text(
                    name,
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(utf8))
                            .toString());
        } catch (CharacterCodingException e) {
            throw new VerificationException("'" + name + "' is not UTF-8", e);
        }
    }

    @Override
    public Hash hash(String name) {
        return Hash.of(bytes(name, Hash.BYTES));
    }

    @Override
    public List<Hash> hashes(String name) {
        return Primitives.some(name, path(name, u16(name)));
    }
}
