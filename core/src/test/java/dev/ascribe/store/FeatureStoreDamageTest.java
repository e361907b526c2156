package dev.ascribe.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.AscribeException;
import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.Progress;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureStoreDamageTest {
    private static final int ROWS = 9;
    private static final int ROWS_A_SEGMENT = 4;
    private static final long STRIDE = 64;

    @TempDir
    Path folder;

    private Path store;

    @BeforeEach
    void writeStoreOfThreeSegments() {
        store = folder.resolve("store");
        StoreSpec spec = new StoreSpec(Dtype.INT8, 33, List.of(new Block("q", 0, 16, 64)), Map.of("seed", "1"));
        Stores.write(store, spec, Stores.features(ROWS, 33, 5), ROWS_A_SEGMENT * STRIDE);
    }

    @Test
    void aFlippedBitInAnyByteOfAnyFileIsFoundAndItsFileNamed() throws IOException {
        Map<String, byte[]> files = Stores.contents(store);
        assertThat(files.keySet())
                .containsExactly(
                        "features-00000.bin",
                        "features-00000.crc",
                        "features-00001.bin",
                        "features-00001.crc",
                        "features-00002.bin",
                        "features-00002.crc",
                        "manifest.json",
                        "rows.bin");
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = store.resolve(file.getKey());
            for (int i = 0; i < file.getValue().length; i++) {
                byte[] damaged = file.getValue().clone();
                damaged[i] ^= (byte) (1 << (i % 8));
                Files.write(path, damaged);
                assertThatThrownBy(() -> FeatureStore.verify(store, Progress.SILENT))
                        .as("byte %d of %s", i, path)
                        .isInstanceOf(AscribeException.class)
                        .hasMessageContaining(file.getKey());
            }
            Files.write(path, file.getValue());
        }
        assertThat(FeatureStore.verify(store, Progress.SILENT)).isPositive();
    }

    @Test
    void damageNamesItsRows() throws IOException {
        flip("rows.bin", 44 * 7 + 3);
        flip("features-00001.bin", 5);
        assertThatThrownBy(() -> FeatureStore.verify(store, Progress.SILENT))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContainingAll("rows.bin, row 7", "features-00001.bin, rows 4 to 7");
    }

    @Test
    void damageInALargeSegmentNamesTheRowsOfItsBlock() throws IOException {
        Path large = folder.resolve("large");
        Stores.write(large, Stores.spec(Dtype.F32, 5000), Stores.features(20, 5000, 1), 1 << 20);
        store = large;
        flip("features-00000.bin", 3 * FeatureStoreWriter.BLOCK_BYTES + 100);
        assertThatThrownBy(() -> FeatureStore.verify(large, Progress.SILENT))
                .hasMessageContaining("features-00000.bin, rows 9 to 13");
    }

    @Test
    void segmentsThatChangedPlacesAreFound() throws IOException {
        for (String kind : List.of(".bin", ".crc")) {
            byte[] first = Files.readAllBytes(store.resolve("features-00000" + kind));
            Files.write(
                    store.resolve("features-00000" + kind), Files.readAllBytes(store.resolve("features-00001" + kind)));
            Files.write(store.resolve("features-00001" + kind), first);
        }
        assertThatThrownBy(() -> FeatureStore.verify(store, Progress.SILENT)).isInstanceOf(CorruptDataException.class);
    }

    private void flip(String name, int at) throws IOException {
        byte[] bytes = Files.readAllBytes(store.resolve(name));
        bytes[at] ^= 0x10;
        Files.write(store.resolve(name), bytes);
    }

    @Test
    void everyTruncationAndEveryExtraByteIsRefusedByOpen() throws IOException {
        for (Map.Entry<String, byte[]> file : Stores.contents(store).entrySet()) {
            byte[] whole = file.getValue();
            Path path = store.resolve(file.getKey());
            for (int length : IntStream.of(0, 1, whole.length / 2, whole.length - 1, whole.length + 1)
                    .toArray()) {
                Files.write(path, Arrays.copyOf(whole, length));
                assertThatThrownBy(() -> FeatureStore.open(store))
                        .as("%s cut to %d of %d bytes", path, length, whole.length)
                        .isInstanceOf(AscribeException.class)
                        .hasMessageContaining(file.getKey());
            }
            Files.delete(path);
            assertThatThrownBy(() -> FeatureStore.open(store))
                    .isInstanceOf(AscribeException.class)
                    .hasMessageContaining(file.getKey());
            Files.write(path, whole);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'\"rows\" : 9', '\"rows\" : -9'",
        "'\"rows\" : 9', '\"rows\" : 2147483647'",
        "'\"rows\" : 9', '\"rows\" : 99999999999'",
        "'\"rows\" : 9,', ''",
        "'\"segmentRows\" : 4', '\"segmentRows\" : 0'",
        "'\"segmentRows\" : 4', '\"segmentRows\" : 2147483647'",
        "'\"segmentRows\" : 4', '\"segmentRows\" : 1'",
        "'\"width\" : 33', '\"width\" : 2000000000'",
        "'\"width\" : 33', '\"width\" : 0'",
        "'\"width\" : 33', '\"width\" : null'",
        "'\"width\" : 33', '\"width\" : 10'",
        "'\"width\" : 33', '\"width\" : 65'",
        "'\"dtype\" : \"int8\"', '\"dtype\" : \"f32\"'",
        "'\"dtype\" : \"int8\"', '\"dtype\" : \"f64\"'",
        "'\"offset\" : 0', '\"offset\" : -1'",
        "'\"offset\" : 0', '\"offset\" : 2147483647'",
        "'\"complete\" : true', '\"complete\" : true, \"extra\" : 1'",
    })
    void claimsThatTheFilesDoNotBearOutAreRefusedEvenWithARightDigest(String right, String wrong) throws IOException {
        reseal(right, wrong);
        assertThatThrownBy(() -> FeatureStore.open(store)).isInstanceOf(CorruptDataException.class);
    }

    @Test
    void anUnknownFormatIsRefusedByName() throws IOException {
        reseal("ascribe/features/1", "ascribe/features/2");
        for (Runnable use : List.<Runnable>of(
                () -> FeatureStore.open(store),
                () -> FeatureStoreWriter.open(store, Stores.spec(Dtype.INT8, 33), ROWS))) {
            assertThatThrownBy(use::run)
                    .isInstanceOf(UserInputException.class)
                    .hasMessageContainingAll("'ascribe/features/2'", "reads 'ascribe/features/1'");
        }
    }

    private void reseal(String right, String wrong) throws IOException {
        Path manifest = store.resolve("manifest.json");
        String text = Files.readString(manifest);
        assertThat(text).contains(right);
        String body = text.substring(0, text.indexOf(",\n  \"digest\"")).replace(right, wrong == null ? "" : wrong);
        String digest = Digests.name(Digests.sha256(body.getBytes(StandardCharsets.UTF_8)));
        Files.writeString(manifest, body + ",\n  \"digest\" : \"" + digest + "\"\n}\n");
    }

    @Test
    void aSegmentOfAbsurdSizeIsRefusedWithoutReadingIt() throws IOException {
        try (RandomAccessFile sparse =
                new RandomAccessFile(store.resolve("rows.bin").toFile(), "rw")) {
            sparse.setLength(1L << 40);
        }
        assertThatThrownBy(() -> FeatureStore.open(store))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContainingAll("rows.bin has 1099511627776 bytes", "says 396");
    }

    @Test
    void damageToTheDurableRowsOfAnInterruptedStoreIsFoundWhenItContinues() throws IOException {
        Path interrupted = folder.resolve("interrupted");
        StoreSpec spec = Stores.spec(Dtype.F32, 4);
        try (FeatureStoreWriter writer = FeatureStoreWriter.open(interrupted, spec, 3)) {
            writer.append(Stores.id(0), new float[4]);
            writer.commit();
        }
        for (String name : List.of("rows.bin", "features-00000.bin")) {
            store = interrupted;
            flip(name, 2);
            assertThatThrownBy(() -> FeatureStoreWriter.open(interrupted, spec, 3))
                    .isInstanceOf(CorruptDataException.class)
                    .hasMessageContaining("was damaged since it was interrupted");
            flip(name, 2);
        }
        FeatureStoreWriter.open(interrupted, spec, 3).close();
    }
}
