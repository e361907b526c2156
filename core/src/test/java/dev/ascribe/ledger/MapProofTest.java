package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.VerificationException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MapProofTest {
    private static final Hash LAST = Hash.sha256(new byte[] {2});
    /** All zeros but for the bits that a test sets. */
    private static final Hash KEY = Hash.ZERO;

    @Test
    void anEmptyMapShowsAnEmptyPlaceAtItsRoot() {
        byte[] proof = PrefixMap.empty().prove(KEY);
        assertThat(proof).containsExactly(2, 0, 0);
        assertThat(MapProof.parse(proof).verify(KEY, Hash.ZERO)).isEmpty();
    }

    @Test
    void aLoneLeafShowsItselfAndTheAbsenceOfOthers() {
        PrefixMap map = mapOf(KEY);
        assertThat(MapProof.parse(map.prove(KEY)))
                .isEqualTo(new MapProof(new MapProof.Present(new PrefixMap.Value(1, LAST)), List.of()));
        Hash absent = bits(255);
        MapProof proof = MapProof.parse(map.prove(absent));
        assertThat(proof).isEqualTo(new MapProof(new MapProof.Other(KEY, new PrefixMap.Value(1, LAST)), List.of()));
        assertThat(proof.verify(absent, map.root())).isEmpty();
    }

    @Test
    void anEmptyPlaceIsShownWhereAKeyLeavesASharedPath() {
        PrefixMap map = mapOf(KEY, bits(255));
        for (int bit = 0; bit < 255; bit++) {
            Hash absent = bits(bit);
            MapProof proof = MapProof.parse(map.prove(absent));
            assertThat(proof.place()).isEqualTo(new MapProof.Empty());
            assertThat(proof.siblings()).hasSize(bit + 1);
            assertThat(proof.verify(absent, map.root())).isEmpty();
        }
    }

    @Test
    void leavesMayStandAtDepths255And256() {
        PrefixMap map = mapOf(KEY, bits(255), bits(254));
        for (Hash key : List.of(KEY, bits(255))) {
            MapProof proof = MapProof.parse(map.prove(key));
            assertThat(proof.siblings()).hasSize(256);
            assertThat(proof.verify(key, map.root())).contains(new PrefixMap.Value(1, LAST));
        }
        MapProof proof = MapProof.parse(map.prove(bits(254)));
        assertThat(proof.siblings()).hasSize(255);
        assertThat(proof.verify(bits(254), map.root())).contains(new PrefixMap.Value(1, LAST));
        Hash absent = bits(254, 255);
        MapProof beside = MapProof.parse(map.prove(absent));
        assertThat(beside.place()).isEqualTo(new MapProof.Other(bits(254), new PrefixMap.Value(1, LAST)));
        assertThat(beside.verify(absent, map.root())).isEmpty();
    }

    @Property(tries = 100)
    void everyProofHolds(@ForAll @IntRange(max = 300) int size, @ForAll long seed) {
        Random random = new Random(seed);
        Map<Hash, PrefixMap.Value> values = PrefixMapTest.values(size, Map.of(), random);
        PrefixMap map = PrefixMap.empty();
        map.putAll(values);
        List<Hash> keys = new ArrayList<>(values.keySet());
        List<Hash> asked = new ArrayList<>(keys);
        for (int i = 0; i < 50; i++) {
            asked.add(PrefixMapTest.key(keys, random));
        }
        for (Hash key : asked) {
            byte[] bytes = map.prove(key);
            MapProof proof = MapProof.parse(bytes);
            assertThat(proof.bytes()).isEqualTo(bytes);
            assertThat(proof.verify(key, map.root())).isEqualTo(Optional.ofNullable(values.get(key)));
        }
    }

    @Property(tries = 15)
    void anySingleBitChangeIsRefused(@ForAll @IntRange(max = 12) int size, @ForAll long seed) {
        Random random = new Random(seed);
        Map<Hash, PrefixMap.Value> values = PrefixMapTest.values(size, Map.of(), random);
        PrefixMap map = PrefixMap.empty();
        map.putAll(values);
        Hash key = PrefixMapTest.key(new ArrayList<>(values.keySet()), random);
        byte[] proof = map.prove(key);
        for (int bit = 0; bit < 8 * proof.length; bit++) {
            byte[] changed = PrefixMapTest.flipped(proof, bit);
            assertThatThrownBy(() -> MapProof.parse(changed).verify(key, map.root()))
                    .as("bit %d", bit)
                    .isInstanceOf(VerificationException.class);
        }
        MapProof parsed = MapProof.parse(proof);
        for (int bit = 0; bit < 256; bit++) {
            Hash root = PrefixMapTest.flipped(map.root(), bit);
            assertThatThrownBy(() -> parsed.verify(key, root)).isInstanceOf(VerificationException.class);
        }
    }

    @Property(tries = 40)
    void aProofOfPresenceHoldsForNoOtherKey(@ForAll @IntRange(min = 1, max = 100) int size, @ForAll long seed) {
        Random random = new Random(seed);
        Map<Hash, PrefixMap.Value> values = PrefixMapTest.values(size, Map.of(), random);
        PrefixMap map = PrefixMap.empty();
        map.putAll(values);
        Hash key = values.keySet().iterator().next();
        MapProof proof = MapProof.parse(map.prove(key));
        for (int bit = 0; bit < 256; bit++) {
            Hash other = PrefixMapTest.flipped(key, bit);
            assertThatThrownBy(() -> proof.verify(other, map.root())).isInstanceOf(VerificationException.class);
        }
    }

    @Test
    void aProofCutOrContinuedAnywhereIsRefused() {
        byte[] proof = mapOf(KEY, bits(3), bits(1, 2)).prove(bits(3));
        for (int length = 0; length < proof.length + 40; length++) {
            byte[] changed = Arrays.copyOf(proof, length);
            if (length != proof.length) {
                assertThatThrownBy(() -> MapProof.parse(changed)).isInstanceOf(VerificationException.class);
            }
        }
        assertThatThrownBy(() -> MapProof.parse(Arrays.copyOf(proof, proof.length + 1)))
                .hasMessage("a map proof of kind 1 and depth 4 has 171 bytes, not 172");
    }

    @Test
    void kindsAndDepthsThatDoNotExistAreRefused() {
        assertThatThrownBy(() -> MapProof.parse(new byte[] {0, 0, 0}))
                .hasMessage("a map proof is of kind 1, 2 or 3, not 0");
        assertThatThrownBy(() -> MapProof.parse(new byte[] {(byte) 255, 0, 0}))
                .hasMessage("a map proof is of kind 1, 2 or 3, not 255");
        byte[] deep = new byte[3 + 257 * Hash.BYTES];
        deep[0] = 2;
        deep[1] = 1;
        deep[2] = 1;
        assertThatThrownBy(() -> MapProof.parse(deep)).hasMessage("the depth of a map proof is at most 256, not 257");
        assertThatThrownBy(() -> new MapProof(new MapProof.Empty(), Collections.nCopies(257, Hash.ZERO)))
                .hasMessage("a map proof has at most 256 siblings, not 257");
    }

    @Test
    void countsThatNoSubjectCanHaveAreRefused() {
        byte[] proof = mapOf(KEY).prove(KEY);
        proof[10] = 0;
        assertThatThrownBy(() -> MapProof.parse(proof)).hasMessage("the count of a subject is 1 to 2^53 - 1, not 0");
        proof[3] = (byte) 0x80;
        assertThatThrownBy(() -> MapProof.parse(proof))
                .hasMessage("the count of a subject is 1 to 2^53 - 1, not 9223372036854775808");
    }

    @Test
    void aPresentKeyIsNotShownAbsentByItsOwnLeaf() {
        PrefixMap map = mapOf(KEY, bits(0));
        MapProof forged = new MapProof(
                new MapProof.Other(KEY, new PrefixMap.Value(1, LAST)),
                MapProof.parse(map.prove(KEY)).siblings());
        assertThatThrownBy(() -> forged.verify(KEY, map.root()))
                .hasMessage("the map proof shows the leaf of %s itself as that of another".formatted(KEY));
    }

    @Test
    void aLeafThatStandsElsewhereShowsNoAbsence() {
        Hash key = bits(0);
        Hash leaf = Hash.sha256(PrefixMap.leaf(KEY, new PrefixMap.Value(1, LAST)));
        Hash root = PrefixMap.node(Hash.ZERO, leaf); // the leaf of 00… where only keys 1… may stand
        MapProof forged = new MapProof(new MapProof.Other(KEY, new PrefixMap.Value(1, LAST)), List.of(Hash.ZERO));
        assertThatThrownBy(() -> forged.verify(key, root))
                .hasMessage("the map proof shows the leaf of %s at depth 1, but %s differs from it in bit 0 already"
                        .formatted(KEY, key));
    }

    @Test
    void aProofHoldsUnderTheRootItWasMadeUnderOnly() {
        PrefixMap map = mapOf(KEY, bits(0));
        MapProof proof = MapProof.parse(map.prove(KEY));
        Hash before = map.root();
        map.put(bits(0), 2, LAST);
        assertThat(proof.verify(KEY, before)).isPresent();
        assertThatThrownBy(() -> proof.verify(KEY, map.root()))
                .isInstanceOf(VerificationException.class)
                .hasMessage("the map proof of %s leads to the root %s, not to %s".formatted(KEY, before, map.root()));
    }

    private static PrefixMap mapOf(Hash... keys) {
        PrefixMap map = PrefixMap.empty();
        for (Hash key : keys) {
            map.put(key, 1, LAST);
        }
        return map;
    }

    /** The key in which these bits only are set. */
    private static Hash bits(int... bits) {
        Hash key = KEY;
        for (int bit : bits) {
            key = PrefixMapTest.flipped(key, bit);
        }
        return key;
    }
}
