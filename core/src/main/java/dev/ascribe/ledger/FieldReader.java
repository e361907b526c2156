package dev.ascribe.ledger;

import java.util.List;
import java.util.OptionalDouble;

/** Gives the fields of an event in their order; each refuses what {@link FieldWriter} would. */
public interface FieldReader {
    long number(String name);

    double real(String name);

    OptionalDouble optionalReal(String name);

    boolean flag(String name);

    String choice(String name, List<String> values);

    String text(String name);

    Hash hash(String name);

    List<Hash> hashes(String name);
}
