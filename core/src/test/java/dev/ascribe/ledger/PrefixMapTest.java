package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PrefixMapTest {
    private static final Hash KEY = Hash.sha256(new byte[] {1});
    private static final Hash LAST = Hash.sha256(new byte[] {2});

    @Test
    void theRootOfNothingIsZeros() {
        assertThat(PrefixMap.empty().root()).isEqualTo(Hash.ZERO);
        assertThat(PrefixMap.empty().size()).isZero();
    }

    @Test
    void theRootOfOneEntryIsItsLeaf() {
        PrefixMap map = PrefixMap.empty();
        map.put(KEY, 7, LAST);
        assertThat(map.root())
                .isEqualTo(Hash.sha256(new byte[] {2}, KEY.bytes(), new byte[] {0, 0, 0, 0, 0, 0, 0, 7}, LAST.bytes()));
        assertThat(map.size()).isEqualTo(1);
    }

    @Test
    void theLaterOfTwoValuesCounts() {
        PrefixMap map = PrefixMap.empty();
        map.put(KEY, 1, LAST);
        map.put(flipped(KEY, 9), 4, LAST);
        map.put(KEY, 2, KEY);
        assertThat(map.find(KEY)).contains(new PrefixMap.Value(2, KEY));
        assertThat(map.size()).isEqualTo(2);
        assertThat(map.root())
                .isEqualTo(
                        root(Map.of(KEY, new PrefixMap.Value(2, KEY), flipped(KEY, 9), new PrefixMap.Value(4, LAST))));
    }

    @Test
    void keysMayDifferInAnyOneBit() {
        for (int bit = 0; bit < 256; bit++) {
            Map<Hash, PrefixMap.Value> pair =
                    Map.of(KEY, new PrefixMap.Value(1, LAST), flipped(KEY, bit), new PrefixMap.Value(2, LAST));
            PrefixMap together = PrefixMap.empty();
            together.putAll(pair);
            assertThat(together.root()).as("bit %d", bit).isEqualTo(root(pair));
            PrefixMap apart = PrefixMap.empty();
            apart.put(KEY, 1, LAST);
            apart.put(flipped(KEY, bit), 2, LAST);
            assertThat(apart.root()).as("bit %d", bit).isEqualTo(root(pair));
            assertThat(MapProof.parse(apart.prove(KEY)).siblings()).hasSize(bit + 1);
        }
    }

    @Test
    void aKeyThatSharesLessThanTheOthersDoSplitsTheirPath() {
        Map<Hash, PrefixMap.Value> values = new LinkedHashMap<>();
        PrefixMap map = PrefixMap.empty();
        for (int bit = 255; bit >= 0; bit -= 5) {
            values.put(flipped(KEY, bit), new PrefixMap.Value(bit + 1, LAST));
            map.put(flipped(KEY, bit), bit + 1, LAST);
            assertThat(map.root()).as("after bit %d", bit).isEqualTo(root(values));
        }
    }

    @Test
    void aBatchMaySplitAboveTheKeysThatAreThere() {
        Map<Hash, PrefixMap.Value> values = new LinkedHashMap<>();
        PrefixMap map = PrefixMap.empty();
        for (int bit : new int[] {250, 200, 100, 40, 6}) {
            Map<Hash, PrefixMap.Value> batch = new LinkedHashMap<>();
            for (int lower : new int[] {bit, bit + 1, bit + 4}) {
                batch.put(flipped(KEY, lower), new PrefixMap.Value(lower, LAST));
            }
            batch.put(KEY, new PrefixMap.Value(bit, LAST));
            values.putAll(batch);
            map.putAll(batch);
            assertThat(map.root()).as("after bit %d", bit).isEqualTo(root(values));
        }
    }

    @Property(tries = 200)
    void theRootIsThatOfTheDefinition(
            @ForAll @IntRange(max = 400) int size, @ForAll @IntRange(min = 1, max = 5) int batches, @ForAll long seed) {
        Random random = new Random(seed);
        PrefixMap map = PrefixMap.empty();
        Map<Hash, PrefixMap.Value> all = new LinkedHashMap<>();
        for (int i = 0; i < batches; i++) {
            Map<Hash, PrefixMap.Value> batch = values(size, all, random);
            all.putAll(batch);
            map.putAll(batch);
            assertThat(map.root()).isEqualTo(root(all));
            assertThat(map.size()).isEqualTo(all.size());
        }
        all.forEach((key, value) -> assertThat(map.find(key)).contains(value));
        for (int i = 0; i < 10; i++) {
            Hash absent = key(new ArrayList<>(all.keySet()), random);
            if (!all.containsKey(absent)) {
                assertThat(map.find(absent)).isEmpty();
            }
        }
    }

    @Property(tries = 100)
    void theOrderOfUpdatesDoesNotMatter(@ForAll @IntRange(max = 200) int size, @ForAll long seed) {
        Random random = new Random(seed);
        Map<Hash, PrefixMap.Value> values = values(size, Map.of(), random);
        PrefixMap together = PrefixMap.empty();
        together.putAll(values);
        List<Hash> order = new ArrayList<>(values.keySet());
        Collections.shuffle(order, random);
        PrefixMap oneByOne = PrefixMap.empty();
        order.forEach(key -> oneByOne.put(key, 1, key));
        Collections.shuffle(order, random);
        order.forEach(key -> {
            PrefixMap.Value value = values.getOrDefault(key, new PrefixMap.Value(1, key));
            oneByOne.put(key, value.count(), value.last());
        });
        assertThat(oneByOne.root()).isEqualTo(together.root());
        for (Hash key : order) {
            assertThat(oneByOne.prove(key)).isEqualTo(together.prove(key));
        }
    }

    @Test
    void countsThatNoSubjectCanHaveAreRefused() {
        assertThat(new PrefixMap.Value(PrefixMap.Value.MAX_COUNT, LAST).count()).isEqualTo(9007199254740991L);
        for (long count : new long[] {0, -1, 1L << 53}) {
            assertThatThrownBy(() -> new PrefixMap.Value(count, LAST))
                    .isInstanceOf(VerificationException.class)
                    .hasMessage("the count of a subject is 1 to 2^53 - 1, not " + Long.toUnsignedString(count));
        }
    }

    /** The definition, word for word. */
    static Hash root(Map<Hash, PrefixMap.Value> values) {
        return root(values, new ArrayList<>(values.keySet()), 0);
    }

    private static Hash root(Map<Hash, PrefixMap.Value> values, List<Hash> keys, int depth) {
        if (keys.isEmpty()) {
            return Hash.ZERO;
        }
        if (keys.size() == 1) {
            Hash key = keys.getFirst();
            PrefixMap.Value value = values.getOrDefault(key, new PrefixMap.Value(1, Hash.ZERO));
            byte[] count = ByteBuffer.allocate(8).putLong(value.count()).array();
            return Hash.sha256(new byte[] {2}, key.bytes(), count, value.last().bytes());
        }
        List<Hash> left = keys.stream().filter(key -> key.bit(depth) == 0).toList();
        List<Hash> right = keys.stream().filter(key -> key.bit(depth) == 1).toList();
        return Hash.sha256(
                new byte[] {3},
                root(values, left, depth + 1).bytes(),
                root(values, right, depth + 1).bytes());
    }

    /** Values of new keys and of ones that are there, many of which share long prefixes. */
    static Map<Hash, PrefixMap.Value> values(int size, Map<Hash, PrefixMap.Value> there, Random random) {
        List<Hash> keys = new ArrayList<>(there.keySet());
        Map<Hash, PrefixMap.Value> values = new LinkedHashMap<>();
        for (int i = 0; i < size; i++) {
            Hash key = key(keys, random);
            keys.add(key);
            values.put(
                    key, new PrefixMap.Value(1 + (random.nextLong() >>> 11) % PrefixMap.Value.MAX_COUNT, hash(random)));
        }
        return values;
    }

    /** A key at random, or one that differs from another in one bit, or from one bit on, or not at all. */
    static Hash key(List<Hash> others, Random random) {
        if (others.isEmpty() || random.nextBoolean()) {
            return hash(random);
        }
        Hash other = others.get(random.nextInt(others.size()));
        int bit = random.nextInt(256);
        return switch (random.nextInt(3)) {
            case 0 -> other;
            case 1 -> flipped(other, bit);
            default -> {
                byte[] bytes = hash(random).bytes();
                System.arraycopy(other.bytes(), 0, bytes, 0, bit >> 3);
                yield Hash.of(bytes);
            }
        };
    }

    static Hash hash(Random random) {
        byte[] bytes = new byte[Hash.BYTES];
        random.nextBytes(bytes);
        return Hash.of(bytes);
    }

    static Hash flipped(Hash hash, int bit) {
        return Hash.of(flipped(hash.bytes(), bit));
    }

    static byte[] flipped(byte[] bytes, int bit) {
        byte[] changed = bytes.clone();
        changed[bit >> 3] ^= (byte) (0x80 >> (bit & 7));
        return changed;
    }
}
