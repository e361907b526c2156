package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.VerificationException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class MerkleTest {
    /** The leaves and roots with which Certificate Transparency's implementations test their trees. */
    private static final List<String> KNOWN_LEAVES =
            List.of("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f");

    private static final List<String> KNOWN_ROOTS = List.of(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

    private static final Trees LEAVES = new Trees(800);

    @Test
    void theRootsAreThoseOfCertificateTransparency() {
        List<Hash> leaves = KNOWN_LEAVES.stream()
                .map(entry -> Hash.leaf(HexFormat.of().parseHex(entry)))
                .toList();
        Trees tree = new Trees(leaves);
        MerkleRange range = new MerkleRange();
        for (int size = 0; size < KNOWN_ROOTS.size(); size++) {
            assertThat(Merkle.root(size, tree)).hasToString(KNOWN_ROOTS.get(size));
            assertThat(range.root()).hasToString(KNOWN_ROOTS.get(size));
            if (size < leaves.size()) {
                range.append(leaves.get(size));
            }
        }
    }

    @Test
    void everyLeafOfEverySmallTreeIsIncludedAndAtNoOtherIndex() {
        for (int size = 1; size <= 33; size++) {
            Hash root = LEAVES.root(size);
            for (int index = 0; index < size; index++) {
                List<Hash> proof = Merkle.inclusion(index, size, LEAVES);
                assertThat(proof).isEqualTo(LEAVES.path(index, 0, size));
                for (int other = 0; other < size; other++) {
                    boolean holds = includes(other, size, LEAVES.leaf(index), proof, root);
                    assertThat(holds).isEqualTo(other == index);
                }
            }
        }
    }

    @Test
    void everySmallTreeIsConsistentWithEveryEarlierOne() {
        for (int size2 = 1; size2 <= 65; size2++) {
            for (int size1 = 1; size1 <= size2; size1++) {
                List<Hash> proof = Merkle.consistency(size1, size2, LEAVES);
                assertThat(proof).isEqualTo(LEAVES.consistencyPath(size1, 0, size2, true));
                Merkle.verifyConsistency(size1, size2, LEAVES.root(size1), LEAVES.root(size2), proof);
            }
        }
    }

    @Property(tries = 40)
    void noBitOfAnInclusionProofCanChange(
            @ForAll @IntRange(min = 1, max = 800) int size, @ForAll @IntRange(max = 799) int any) {
        int index = any % size;
        Hash root = LEAVES.root(size);
        List<Hash> proof = Merkle.inclusion(index, size, LEAVES);
        Hash leaf = LEAVES.leaf(index);
        assertThat(includes(index, size, leaf, proof, root)).isTrue();
        for (int bit = 0; bit < 8 * Hash.BYTES; bit++) {
            assertThat(includes(index, size, flipped(leaf, bit), proof, root)).isFalse();
            assertThat(includes(index, size, leaf, proof, flipped(root, bit))).isFalse();
        }
        for (List<Hash> changed : changed(proof)) {
            assertThat(includes(index, size, leaf, changed, root)).isFalse();
        }
    }

    @Property(tries = 40)
    void noBitOfAConsistencyProofCanChange(
            @ForAll @IntRange(min = 1, max = 800) int size2, @ForAll @IntRange(max = 799) int any) {
        int size1 = 1 + any % size2;
        Hash root1 = LEAVES.root(size1);
        Hash root2 = LEAVES.root(size2);
        List<Hash> proof = Merkle.consistency(size1, size2, LEAVES);
        assertThat(isExtended(size1, size2, root1, root2, proof)).isTrue();
        for (int bit = 0; bit < 8 * Hash.BYTES; bit++) {
            assertThat(isExtended(size1, size2, flipped(root1, bit), root2, proof))
                    .isFalse();
            assertThat(isExtended(size1, size2, root1, flipped(root2, bit), proof))
                    .isFalse();
        }
        for (List<Hash> changed : changed(proof)) {
            assertThat(isExtended(size1, size2, root1, root2, changed)).isFalse();
        }
    }

    /** In a tree of equal leaves a node depends on its level alone, so trees of any size can be had. */
    @Property
    void treesOfAnySizeUpToTheLargestCanBeProved(
            @ForAll @LongRange(min = 1) long size2, @ForAll @LongRange(min = 0) long any) {
        Merkle.Nodes equal = (level, index) -> equalNode(level);
        long size1 = 1 + any % size2;
        long index = size1 - 1;
        Hash root = Merkle.root(size2, equal);
        Merkle.verifyInclusion(index, size2, equalNode(0), Merkle.inclusion(index, size2, equal), root);
        Merkle.verifyConsistency(
                size1, size2, Merkle.root(size1, equal), root, Merkle.consistency(size1, size2, equal));
    }

    @Test
    void theLargestTreeCanBeProved() {
        treesOfAnySizeUpToTheLargestCanBeProved(Long.MAX_VALUE, Long.MAX_VALUE - 2);
        treesOfAnySizeUpToTheLargestCanBeProved(Long.MAX_VALUE, 1L << 62);
        treesOfAnySizeUpToTheLargestCanBeProved((1L << 62) + 1, 1L << 62);
    }

    @Test
    void indicesAndSizesOutOfRangeAreRefused() {
        Hash leaf = LEAVES.leaf(0);
        assertThatThrownBy(() -> Merkle.verifyInclusion(1, 1, leaf, List.of(), leaf))
                .isInstanceOf(VerificationException.class)
                .hasMessage("no leaf 1 in a tree of size 1");
        assertThatThrownBy(() -> Merkle.verifyInclusion(-1, 1, leaf, List.of(), leaf))
                .isInstanceOf(VerificationException.class);
        assertThatThrownBy(() -> Merkle.verifyInclusion(0, -1, leaf, List.of(), leaf))
                .isInstanceOf(VerificationException.class);
        assertThatThrownBy(() -> Merkle.verifyConsistency(0, 1, Hash.ofNothing(), leaf, List.of()))
                .isInstanceOf(VerificationException.class)
                .hasMessage("no consistency from size 0 to 1; expected 1 <= size1 <= size2");
        assertThatThrownBy(() -> Merkle.verifyConsistency(0, 0, Hash.ofNothing(), Hash.ofNothing(), List.of()))
                .isInstanceOf(VerificationException.class);
        assertThatThrownBy(() -> Merkle.verifyConsistency(2, 1, leaf, leaf, List.of()))
                .isInstanceOf(VerificationException.class);
        assertThatThrownBy(() -> Merkle.inclusion(1, 1, LEAVES)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Merkle.consistency(0, 1, LEAVES)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void numbersBeyondALogAreRefused() {
        BigInteger beyond = BigInteger.ONE.shiftLeft(63);
        assertThat(Merkle.number(beyond.subtract(BigInteger.ONE))).isEqualTo(Long.MAX_VALUE);
        assertThatThrownBy(() -> Merkle.number(beyond)).isInstanceOf(VerificationException.class);
        assertThatThrownBy(() -> Merkle.number(BigInteger.ONE.negate())).isInstanceOf(VerificationException.class);
    }

    @Property(tries = 200)
    void aRangeIsTheTreeAndCanBeRestored(@ForAll @IntRange(max = 800) int size, @ForAll @IntRange(max = 800) int any) {
        int stop = any % (size + 1);
        MerkleRange range = new MerkleRange();
        for (int i = 0; i < size; i++) {
            if (i == stop) {
                range = MerkleRange.of(range.size(), range.peaks());
            }
            if (i % 2 == 0) {
                range.append(LEAVES.leaf(i));
            } else {
                byte[] shifted = new byte[Hash.BYTES + 1];
                LEAVES.leaf(i).copyTo(shifted, 1);
                range.append(shifted, 1);
            }
        }
        assertThat(range.size()).isEqualTo(size);
        assertThat(range.peaks()).hasSize(Integer.bitCount(size));
        assertThat(range.root()).isEqualTo(LEAVES.root(size));
        assertThat(range.root()).as("the root leaves the range as it is").isEqualTo(LEAVES.root(size));
    }

    @Test
    void aRangeWithTheWrongNumberOfSubtreesIsRefused() {
        assertThatThrownBy(() -> MerkleRange.of(3, List.of(LEAVES.leaf(0))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a tree of size 3 has 2 complete subtrees, not 1");
    }

    private static boolean includes(long index, long size, Hash leaf, List<Hash> proof, Hash root) {
        try {
            Merkle.verifyInclusion(index, size, leaf, proof, root);
            return true;
        } catch (VerificationException e) {
            return false;
        }
    }

    private static boolean isExtended(long size1, long size2, Hash root1, Hash root2, List<Hash> proof) {
        try {
            Merkle.verifyConsistency(size1, size2, root1, root2, proof);
            return true;
        } catch (VerificationException e) {
            return false;
        }
    }

    /** The proof with each of its bits flipped, with each hash left out, and with each hash twice. */
    private static List<List<Hash>> changed(List<Hash> proof) {
        List<List<Hash>> all = new ArrayList<>();
        for (int i = 0; i < proof.size(); i++) {
            for (int bit = 0; bit < 8 * Hash.BYTES; bit++) {
                List<Hash> changed = new ArrayList<>(proof);
                changed.set(i, flipped(proof.get(i), bit));
                all.add(changed);
            }
            List<Hash> shorter = new ArrayList<>(proof);
            shorter.remove(i);
            all.add(shorter);
            List<Hash> longer = new ArrayList<>(proof);
            longer.add(i, proof.get(i));
            all.add(longer);
        }
        List<Hash> longer = new ArrayList<>(proof);
        longer.add(Hash.ZERO);
        all.add(longer);
        return all;
    }

    private static Hash flipped(Hash hash, int bit) {
        byte[] bytes = hash.bytes();
        bytes[bit >> 3] ^= (byte) (1 << (bit & 7));
        return Hash.of(bytes);
    }

    private static final List<Hash> EQUAL = new ArrayList<>(List.of(Hash.leaf(new byte[0])));

    private static Hash equalNode(int level) {
        while (EQUAL.size() <= level) {
            EQUAL.add(Hash.node(EQUAL.getLast(), EQUAL.getLast()));
        }
        return EQUAL.get(level);
    }

    /** Trees over given leaves, by the recursive definitions of RFC 6962, section 2.1. */
    private record Trees(List<Hash> leaves) implements Merkle.Nodes {
        Trees(int leaves) {
            this(IntStream.range(0, leaves)
                    .mapToObj(i -> Hash.leaf(new byte[] {(byte) i, (byte) (i >> 8)}))
                    .toList());
        }

        Hash leaf(int index) {
            return leaves.get(index);
        }

        Hash root(int size) {
            return size == 0 ? Hash.ofNothing() : root(0, size);
        }

        private Hash root(int begin, int end) {
            int split = begin + split(end - begin);
            return end - begin == 1 ? leaves.get(begin) : Hash.node(root(begin, split), root(split, end));
        }

        List<Hash> path(int index, int begin, int end) {
            if (end - begin == 1) {
                return List.of();
            }
            int split = begin + split(end - begin);
            return index < split
                    ? plus(path(index, begin, split), root(split, end))
                    : plus(path(index, split, end), root(begin, split));
        }

        List<Hash> consistencyPath(int size1, int begin, int end, boolean known) {
            if (size1 == end) {
                return known ? List.of() : List.of(root(begin, end));
            }
            int split = begin + split(end - begin);
            return size1 <= split
                    ? plus(consistencyPath(size1, begin, split, known), root(split, end))
                    : plus(consistencyPath(size1, split, end, false), root(begin, split));
        }

        private static List<Hash> plus(List<Hash> hashes, Hash last) {
            List<Hash> all = new ArrayList<>(hashes);
            all.add(last);
            return all;
        }

        /** The largest power of two below n. */
        private static int split(int n) {
            return Integer.highestOneBit(Math.max(1, n - 1));
        }

        @Override
        public Hash node(int level, long index) {
            return root((int) index << level, (int) (index + 1) << level);
        }
    }

    @Test
    void aTreeOfMoreThanSixteenCompleteSubtreesGrowsInEveryWay() {
        MerkleRange byHash = new MerkleRange();
        MerkleRange byBytes = new MerkleRange();
        byte[] bytes = new byte[32];
        for (int i = 0; i < (1 << 17) - 1; i++) {
            bytes[0] = (byte) i;
            bytes[1] = (byte) (i >> 8);
            byHash.append(Hash.of(bytes, 0, 32));
            byBytes.append(bytes, 0);
        }
        assertThat(byHash.peaks()).hasSize(17);
        assertThat(byHash.root()).isEqualTo(byBytes.root());
        assertThat(MerkleRange.of(byHash.size(), byHash.peaks()).root()).isEqualTo(byHash.root());
    }
}
