package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.CorruptDataException;
import dev.ascribe.LedgerUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MapSnapshotTest {
    @TempDir
    private Path directory;

    @Test
    void aMapThatWasReadGoesOnAsTheOneThatWasWritten() {
        for (int size : new int[] {0, 1, 2, 255, 256, 257, 9_000}) {
            Random random = new Random(size);
            Map<Hash, PrefixMap.Value> values = PrefixMapTest.values(size, Map.of(), random);
            PrefixMap map = PrefixMap.empty();
            map.putAll(values);
            Path file = directory.resolve("map");
            new MapSnapshot(1L << 40, map).write(file);
            MapSnapshot snapshot = MapSnapshot.read(file);
            assertThat(snapshot.treeSize()).isEqualTo(1L << 40);
            assertThat(snapshot.map().root()).isEqualTo(map.root());
            assertThat(snapshot.map().size()).isEqualTo(values.size());
            values.forEach((key, value) -> assertThat(snapshot.map().find(key)).contains(value));
            Map<Hash, PrefixMap.Value> more = PrefixMapTest.values(300, values, random);
            map.putAll(more);
            snapshot.map().putAll(more);
            assertThat(snapshot.map().root()).isEqualTo(map.root());
            more.keySet().forEach(key -> assertThat(snapshot.map().prove(key)).isEqualTo(map.prove(key)));
        }
    }

    @Test
    void aDamagedFileIsRefusedAndNamed() throws IOException {
        Random random = new Random(1);
        Path file = written(4, random);
        byte[] bytes = Files.readAllBytes(file);
        for (int i = 0; i < bytes.length; i++) {
            Files.write(file, PrefixMapTest.flipped(bytes, 8 * i + random.nextInt(8)));
            assertThatThrownBy(() -> MapSnapshot.read(file))
                    .as("byte %d", i)
                    .isInstanceOf(CorruptDataException.class)
                    .hasMessageStartingWith(file.toString())
                    .hasMessageEndingWith("remove it, the map is then made from the log");
        }
    }

    @Test
    void aFileCutShortOrContinuedIsRefused() throws IOException {
        Path file = written(3, new Random(2));
        byte[] bytes = Files.readAllBytes(file);
        for (int length = 0; length <= bytes.length + 1; length++) {
            Files.write(file, Arrays.copyOf(bytes, length));
            if (length != bytes.length) {
                assertThatThrownBy(() -> MapSnapshot.read(file))
                        .as("%d of %d bytes", length, bytes.length)
                        .isInstanceOf(CorruptDataException.class);
            }
        }
    }

    @Test
    void aFileThatIsNotThereCannotBeRead() {
        Path file = directory.resolve("none");
        assertThatThrownBy(() -> MapSnapshot.read(file))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageStartingWith(file + " cannot be read");
    }

    @Test
    void aFileThatCannotBeWrittenLeavesNothingBehind() throws IOException {
        Path file = Files.createDirectory(directory.resolve("map"));
        Files.createFile(file.resolve("in the way"));
        assertThatThrownBy(() -> new MapSnapshot(1, PrefixMap.empty()).write(file))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageStartingWith(file + " cannot be written");
        assertThat(directory.toFile().list()).containsExactly("map");
    }

    private Path written(int size, Random random) {
        PrefixMap map = PrefixMap.empty();
        map.putAll(PrefixMapTest.values(size, Map.of(), random));
        Path file = directory.resolve("map");
        new MapSnapshot(5, map).write(file);
        return file;
    }
}
