package dev.ascribe.ledger;

import java.util.List;
import java.util.OptionalDouble;

/** Takes the fields of an event in their order. */
public interface FieldWriter {
    /** A whole number, 0 to 2⁵³ − 1. */
    void number(String name, long value);

    /** A finite number. */
    void real(String name, double value);

    /** A finite number, or none. */
    void optionalReal(String name, OptionalDouble value);

    void flag(String name, boolean value);

    /** One of some values. */
    void choice(String name, List<String> values, String value);

    /** Text without control characters. */
    void text(String name, String value);

    void hash(String name, Hash value);

    /** At least one. */
    void hashes(String name, List<Hash> values);
}
