package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;

/**
 * The secret bucket keys, and the hashes of all of them, which are kept for ever.
 *
 * <pre>
 * file = 65,536 × key (32, zeros once erased) ‖ 65,536 × leaf hash (32)
 * </pre>
 */
final class Buckets {
    private static final String FILE = "buckets";
    private static final int KEYS = Commitment.BUCKETS * Hash.BYTES;

    private final Path file;
    private final byte[] bytes;
    private final Levels leaves = new Levels();

    private Buckets(Path file, byte[] bytes) {
        this.file = file;
        this.bytes = bytes;
        for (int b = 0; b < Commitment.BUCKETS; b++) {
            leaves.add(leaf(b));
        }
    }

    /** Draws new keys. */
    static Buckets create(Path folder, Path temporary) throws IOException {
        byte[] bytes = new byte[2 * KEYS];
        byte[] keys = new byte[KEYS];
        new SecureRandom().nextBytes(keys);
        System.arraycopy(keys, 0, bytes, 0, KEYS);
        for (int b = 0; b < Commitment.BUCKETS; b++) {
            Hash.leaf(Hash.of(bytes, b * Hash.BYTES, Hash.BYTES).bytes()).copyTo(bytes, KEYS + b * Hash.BYTES);
        }
        Durable.write(temporary.resolve(FILE), folder.resolve(FILE), bytes);
        return new Buckets(folder.resolve(FILE), bytes);
    }

    /**
     * Reads the keys and checks each.
     *
     * @param salts what the log's first entry says of them
     */
    static Buckets open(Path folder, Hash salts) throws IOException {
        Path file = folder.resolve(FILE);
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length != 2 * KEYS) {
            throw damaged(file);
        }
        Buckets buckets = new Buckets(file, bytes);
        if (!buckets.salts().equals(salts)) {
            throw damaged(file);
        }
        for (int b = 0; b < Commitment.BUCKETS; b++) {
            Optional<Hash> key = buckets.key(b);
            if (key.isPresent() && !Hash.leaf(key.get().bytes()).equals(buckets.leaf(b))) {
                throw damaged(file);
            }
        }
        return buckets;
    }

    private static LedgerUnavailableException damaged(Path file) {
        return new LedgerUnavailableException(
                file + " is damaged: the keys are not those of the log's first entry; put back an undamaged copy");
    }

    /** The root over all keys. */
    Hash salts() {
        return leaves.root(Commitment.BUCKETS);
    }

    private Hash leaf(int bucket) {
        return Hash.of(bytes, KEYS + bucket * Hash.BYTES, Hash.BYTES);
    }

    /** A bucket's key, unless it was erased. */
    Optional<Hash> key(int bucket) {
        Hash key = Hash.of(bytes, bucket * Hash.BYTES, Hash.BYTES);
        return key.equals(Hash.ZERO) ? Optional.empty() : Optional.of(key);
    }

    /** The salt that a sample's bucket gives it, unless it was erased. */
    Optional<Hash> salt(SampleId sample) {
        return key(Commitment.bucket(sample)).map(key -> Commitment.salt(key, sample));
    }

    /** The inclusion proof of a bucket's key. */
    List<Hash> path(int bucket) {
        return Merkle.inclusion(bucket, Commitment.BUCKETS, leaves);
    }

    /** Overwrites a key where it lies. */
    void erase(int bucket) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocate(Hash.BYTES);
        zeros.get(0, bytes, bucket * Hash.BYTES, Hash.BYTES);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(zeros, (long) bucket * Hash.BYTES);
            channel.force(true);
        }
    }
}
