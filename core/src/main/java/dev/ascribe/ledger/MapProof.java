package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A proof that under a root of a {@link PrefixMap} a subject has a value, or that it has none.
 *
 * <pre>
 * u8   kind        1 present | 2 absent, the place is empty | 3 absent, another key's leaf stands there
 * u16  depth       0 … 256, depth of that place
 *      kind 1      count u64 ‖ last (32)
 *      kind 3      key (32) ‖ count u64 ‖ last (32)       of the other leaf
 * hash × depth     siblings, from the deepest up to the root's child
 * </pre>
 *
 * @param place what stands where the subject would
 * @param siblings from the deepest up to the root's child, at most 256
 */
public record MapProof(Place place, List<Hash> siblings) {
    private static final int PRESENT = 1;
    private static final int EMPTY = 2;
    private static final int OTHER = 3;
    private static final int MAX_DEPTH = 256;
    private static final int HEAD_BYTES = 1 + Short.BYTES;

    public MapProof {
        if (siblings.size() > MAX_DEPTH) {
            throw new VerificationException("a map proof has at most 256 siblings, not " + siblings.size());
        }
        siblings = List.copyOf(siblings);
    }

    /** What stands in the place where a subject would. */
    public sealed interface Place permits Present, Empty, Other {}

    /** The subject, with this value. */
    public record Present(PrefixMap.Value value) implements Place {}

    /** Nothing. */
    public record Empty() implements Place {}

    /** Another key, alone below that place. */
    public record Other(Hash key, PrefixMap.Value value) implements Place {}

    /**
     * Reads a proof strictly: nothing may be missing, nothing may follow.
     *
     * @throws VerificationException when these are not the bytes of a proof
     */
    public static MapProof parse(byte[] bytes) {
        if (bytes.length < HEAD_BYTES) {
            throw new VerificationException("a map proof has at least 3 bytes, not " + bytes.length);
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int kind = in.get() & 0xff;
        int depth = in.getShort() & 0xffff;
        int placeBytes = switch (kind) {
            case PRESENT -> PrefixMap.Value.BYTES;
            case EMPTY -> 0;
            case OTHER -> Hash.BYTES + PrefixMap.Value.BYTES;
            default -> throw new VerificationException("a map proof is of kind 1, 2 or 3, not " + kind);
        };
        if (depth > MAX_DEPTH) {
            throw new VerificationException("the depth of a map proof is at most 256, not " + depth);
        }
        int expected = HEAD_BYTES + placeBytes + depth * Hash.BYTES;
        if (bytes.length != expected) {
            throw new VerificationException("a map proof of kind %d and depth %d has %d bytes, not %d"
                    .formatted(kind, depth, expected, bytes.length));
        }
        int at = HEAD_BYTES;
        Place place = switch (kind) {
            case PRESENT -> new Present(PrefixMap.Value.read(bytes, at));
            case OTHER -> new Other(Hash.of(bytes, at, Hash.BYTES), PrefixMap.Value.read(bytes, at + Hash.BYTES));
            default -> new Empty();
        };
        List<Hash> siblings = new ArrayList<>(depth);
        for (at += placeBytes; at < bytes.length; at += Hash.BYTES) {
            siblings.add(Hash.of(bytes, at, Hash.BYTES));
        }
        return new MapProof(place, siblings);
    }

    /** The proof's one encoding, which {@link #parse} reads. */
    public byte[] bytes() {
        ByteBuffer out =
                ByteBuffer.allocate(HEAD_BYTES + Hash.BYTES + PrefixMap.Value.BYTES + siblings.size() * Hash.BYTES);
        short depth = (short) siblings.size();
        switch (place) {
            case Present present ->
                out.put((byte) PRESENT).putShort(depth).put(present.value().bytes());
            case Empty empty -> out.put((byte) EMPTY).putShort(depth);
            case Other other ->
                out.put((byte) OTHER)
                        .putShort(depth)
                        .put(other.key().bytes())
                        .put(other.value().bytes());
        }
        siblings.forEach(sibling -> out.put(sibling.bytes()));
        return Arrays.copyOf(out.array(), out.position());
    }

    /**
     * What the proof shows of a subject, provided that the root is trusted.
     *
     * @return the subject's value, or nothing when it has none
     * @throws VerificationException when the proof does not hold
     */
    public Optional<PrefixMap.Value> verify(Hash key, Hash root) {
        int depth = siblings.size();
        Hash node = switch (place) {
            case Present present -> Hash.sha256(PrefixMap.leaf(key, present.value()));
            case Empty empty -> Hash.ZERO;
            case Other at -> {
                requireBeside(key, at.key(), depth);
                yield Hash.sha256(PrefixMap.leaf(at.key(), at.value()));
            }
        };
        for (int d = depth - 1; d >= 0; d--) {
            Hash sibling = siblings.get(depth - 1 - d);
            node = key.bit(d) == 0 ? PrefixMap.node(node, sibling) : PrefixMap.node(sibling, node);
        }
        if (!node.equals(root)) {
            throw new VerificationException(
                    "the map proof of %s leads to the root %s, not to %s".formatted(key, node, root));
        }
        return place instanceof Present present ? Optional.of(present.value()) : Optional.empty();
    }

    private static void requireBeside(Hash key, Hash other, int depth) {
        if (other.equals(key)) {
            throw new VerificationException(
                    "the map proof shows the leaf of %s itself as that of another".formatted(key));
        }
        for (int d = 0; d < depth; d++) {
            if (key.bit(d) != other.bit(d)) {
                throw new VerificationException(
                        "the map proof shows the leaf of %s at depth %d, but %s differs from it in bit %d already"
                                .formatted(other, depth, key, d));
            }
        }
    }
}
