package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever changes anything in a published log or in a proof is found out. */
class LogTamperTest {
    private static final int FLIPS = 12;

    @TempDir
    private Path folder;

    private final long seed = Long.getLong("seed", System.nanoTime());
    private final Random random = new Random(seed);
    private Path log = Path.of("");
    private List<VerifierKey> keys = List.of();
    private List<SignedNote> earlier = List.of();

    @BeforeEach
    void makeALog() {
        System.out.println("seed of the changes: " + seed + " (set again by -Dseed=)");
        Path home = folder.resolve("ledger");
        Ledger.init(home, "example.com/tamper", List.of(), Optional.of(folder.resolve("guard")));
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(ingests(0, 100));
            ledger.publish();
            earlier = List.of(LedgerReader.open(home).note());
            ledger.append(ingests(100, 650));
            ledger.publish(); // leaves partial tiles behind
            ledger.append(ingests(650, 700));
        }
        log = home.resolve("log");
        keys = LedgerReader.open(home).verifierKeys();
    }

    private static SampleId sample(int number) {
        return SampleId.of(("sample " + number).getBytes(StandardCharsets.UTF_8));
    }

    private static List<Draft> ingests(int from, int to) {
        List<Draft> drafts = new ArrayList<>();
        for (int i = from; i < to; i++) {
            drafts.add(Draft.ingest(i, new UUID(1, 1), sample(i), "rows.jsonl"));
        }
        return drafts;
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> walk = Files.walk(log)) {
            return walk.filter(Files::isRegularFile).toList();
        }
    }

    private LogAudit audit() throws IOException {
        return LogAudit.of(log, keys, earlier, false, Progress.SILENT);
    }

    private void assertRefused(String what) {
        assertThatThrownBy(this::audit).as(what).isInstanceOf(VerificationException.class);
    }

    @Test
    void noBitOfAFileOfALogCanChange() throws IOException {
        assertThat(audit().subjects()).isEqualTo(700);
        assertThat(files()).hasSizeGreaterThan(8); // full and partial tiles and bundles, the checkpoint
        for (Path file : files()) {
            byte[] bytes = Files.readAllBytes(file);
            for (int i = 0; i < FLIPS; i++) {
                int bit = random.nextInt(8 * bytes.length);
                byte[] changed = bytes.clone();
                changed[bit / 8] ^= (byte) (1 << bit % 8);
                Files.write(file, changed);
                assertRefused("bit %d of %s".formatted(bit, file));
            }
            Files.write(file, bytes);
        }
        assertThat(audit().subjects()).isEqualTo(700);
    }

    @Test
    void noFileOfALogCanBeCutContinuedOrTakenAway() throws IOException {
        for (Path file : files()) {
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
            assertRefused(file + " cut");
            Files.write(file, Arrays.copyOf(bytes, bytes.length + 1));
            assertRefused(file + " continued");
            boolean ofAnEarlierSize = file.toString().contains(".p") && !isOfTheLastSize(file);
            if (!ofAnEarlierSize) {
                Files.delete(file);
                assertRefused(file + " taken away");
            }
            Files.write(file, bytes);
        }
        Files.write(log.resolve("tile").resolve("0").resolve("777"), new byte[Tiles.WIDTH * Hash.BYTES]);
        assertRefused("a tile too many");
    }

    private boolean isOfTheLastSize(Path file) throws IOException {
        long size = Checkpoint.parse(SignedNote.parse(Files.readAllBytes(log.resolve("checkpoint")))
                        .text())
                .size();
        return file.getFileName().toString().equals(Long.toString(size % Tiles.WIDTH))
                || file.getFileName().toString().equals(Long.toString(size / Tiles.WIDTH));
    }

    @Test
    void noBitOfAnEventsProofFileCanChange() {
        LedgerReader reader = LedgerReader.open(folder.resolve("ledger"));
        String proof = reader.event(random.nextInt(2, 100), true).text();
        byte[] bytes = proof.getBytes(StandardCharsets.UTF_8);
        assertThat(Evidence.of(TlogProof.parse(proof), keys).sample()).isPresent();
        for (int i = 0; i < bytes.length; i++) {
            byte[] changed = bytes.clone();
            changed[i] ^= (byte) (1 << random.nextInt(8));
            int at = i;
            assertThatThrownBy(() -> Evidence.of(TlogProof.parse(new String(changed, StandardCharsets.UTF_8)), keys))
                    .as("byte %d", at)
                    .isInstanceOf(VerificationException.class);
        }
    }
}
