package dev.ascribe.ledger;

import dev.ascribe.SampleId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An erasure under way: a marker names the sample until everything that links it to its commitment is destroyed.
 *
 * @param commitment which the log will say was deleted
 */
record Erasure(SampleId sample, Hash commitment) {
    private static final String MARKER = "erasing";

    private static Path marker(LedgerFolder folder) {
        return folder.inside().resolve(MARKER);
    }

    static void begin(LedgerFolder folder, SampleId sample, Hash commitment) throws IOException {
        byte[] bytes = new byte[2 * Hash.BYTES];
        System.arraycopy(sample.bytes(), 0, bytes, 0, Hash.BYTES);
        commitment.copyTo(bytes, Hash.BYTES);
        Durable.write(folder.temporary().resolve(MARKER), marker(folder), bytes);
    }

    static Optional<Erasure> begun(LedgerFolder folder) throws IOException {
        if (!Files.exists(marker(folder))) {
            return Optional.empty();
        }
        byte[] bytes = Files.readAllBytes(marker(folder));
        return Optional.of(new Erasure(
                SampleId.fromDigest(Hash.of(bytes, 0, Hash.BYTES).bytes()), Hash.of(bytes, Hash.BYTES, Hash.BYTES)));
    }

    static void end(LedgerFolder folder) throws IOException {
        Files.delete(marker(folder));
        Durable.sync(folder.inside());
    }

    /** Gives the bucket's other samples salts of their own, forgets the sample, and overwrites the bucket's key; may be repeated. */
    static void destroy(SampleId sample, Samples samples, Buckets buckets) throws IOException {
        int bucket = Commitment.bucket(sample);
        Optional<Hash> key = buckets.key(bucket);
        samples.rewrite(known -> {
            if (known.sample().equals(sample)) {
                return Optional.empty();
            }
            boolean needsSalt =
                    Commitment.bucket(known.sample()) == bucket && known.salt().equals(Hash.ZERO);
            return Optional.of(needsSalt && key.isPresent() ? known.withSalt(key.get()) : known);
        });
        buckets.erase(bucket);
    }
}
