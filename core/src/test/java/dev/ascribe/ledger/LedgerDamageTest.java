package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A private file that was changed, cut short or lost is made again from the log, or named and refused; it never makes a wrong log. */
class LedgerDamageTest {
    private static final UUID RUN = new UUID(7, 8);
    private static final int SAMPLES = 400;

    @TempDir
    private Path folder;

    private final long seed = Long.getLong("seed", System.nanoTime());
    private final Random random = new Random(seed);
    private Path closed = Path.of("");
    private Path killed = Path.of("");

    @BeforeEach
    void makeALedgerThatWasClosedAndOneThatWasKilled() throws IOException {
        System.out.println("seed of the damage: " + seed + " (set again by -Dseed=)");
        closed = folder.resolve("closed");
        Ledger.init(closed, "example.com/damage", List.of(), Optional.of(folder.resolve("guard")));
        try (Ledger ledger = Ledger.open(closed)) {
            append(ledger, 0, SAMPLES);
            ledger.publish();
            ledger.erase(sample(3), "asked", 9);
            append(ledger, SAMPLES, SAMPLES + 1);
            ledger.append(List.of(
                    Draft.contribution(7, RUN, sample(1), "gradient-cosine", sample(90_000), 0.5, List.of(Hash.ZERO))));
        }
        killed = folder.resolve("killed");
        copy(closed, killed);
        Path writing = folder.resolve("writing");
        copy(closed, writing);
        Ledger ledger = Ledger.open(writing);
        try {
            append(ledger, SAMPLES + 1, SAMPLES + 30);
            copy(writing, folder.resolve("copied"));
        } finally {
            ledger.close();
        }
        killed = folder.resolve("copied");
        Ledger.resetGuard(killed); // the other went on
        Files.copy(folder.resolve("guard"), folder.resolve("guard.killed"));
        Ledger.resetGuard(closed);
        Files.copy(folder.resolve("guard"), folder.resolve("guard.closed"));
    }

    private static SampleId sample(int number) {
        return SampleId.of(("sample " + number).getBytes(StandardCharsets.UTF_8));
    }

    private static void append(Ledger ledger, int from, int to) {
        List<Draft> drafts = new ArrayList<>();
        long[] numbers = new long[to - from];
        for (int i = from; i < to; i++) {
            numbers[i - from] = i + 1L;
            drafts.add(Draft.ingest(i, RUN, sample(i), "rows.jsonl"));
        }
        ledger.commit(ledger.prepare(drafts, numbers));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> walk = Files.walk(from)) {
            for (Path path : walk.toList()) {
                Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    private static Map<String, Hash> digests(Path home) throws IOException {
        Map<String, Hash> all = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(home)) {
            for (Path path : walk.filter(Files::isRegularFile).toList()) {
                all.put(home.relativize(path).toString(), Hash.sha256(Files.readAllBytes(path)));
            }
        }
        return all;
    }

    /** A way to damage a file. */
    private interface Damage {
        void to(Path file) throws IOException;
    }

    @Test
    void aPrivateFileThatLostABitIsRepairedOrRefused() throws IOException {
        for (Path home : List.of(closed, killed)) {
            for (int round = 0; round < 3; round++) {
                eachPrivateFile(home, "with a flipped bit", file -> {
                    byte[] bytes = Files.readAllBytes(file);
                    if (bytes.length > 0) {
                        int bit = random.nextInt(8 * bytes.length);
                        bytes[bit / 8] ^= (byte) (1 << bit % 8);
                    }
                    Files.write(file, bytes);
                });
            }
        }
    }

    @Test
    void aPrivateFileThatWasCutShortIsRepairedOrRefused() throws IOException {
        for (Path home : List.of(closed, killed)) {
            eachPrivateFile(home, "cut to nothing", file -> Files.write(file, new byte[0]));
            eachPrivateFile(home, "cut somewhere", file -> {
                byte[] bytes = Files.readAllBytes(file);
                Files.write(file, Arrays.copyOf(bytes, bytes.length == 0 ? 0 : random.nextInt(bytes.length)));
            });
            eachPrivateFile(home, "cut by a byte", file -> {
                byte[] bytes = Files.readAllBytes(file);
                Files.write(file, Arrays.copyOf(bytes, Math.max(0, bytes.length - 1)));
            });
        }
    }

    @Test
    void aPrivateFileThatIsLostIsRepairedOrRefused() throws IOException {
        for (Path home : List.of(closed, killed)) {
            eachPrivateFile(home, "lost", Files::delete);
        }
    }

    private void eachPrivateFile(Path home, String how, Damage damage) throws IOException {
        List<String> names;
        try (Stream<Path> files = Files.list(home.resolve("private"))) {
            names = files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .toList();
        }
        assertThat(names).contains("keys", "guard", "buckets", "samples", "sequences", "counts", "subjects", "lock");
        for (String name : names) {
            Path copy = folder.resolve("damaged");
            delete(copy);
            copy(home, copy);
            Path guard = folder.resolve("guard." + (home.equals(closed) ? "closed" : "killed"));
            Files.copy(guard, folder.resolve("guard"), StandardCopyOption.REPLACE_EXISTING);
            damage.to(copy.resolve("private").resolve(name));
            Map<String, Hash> before = digests(copy);
            boolean logged = false;
            try (Ledger ledger = Ledger.open(copy)) {
                long count = ledger.sequences().count();
                // what was acknowledged and is not in the published log may be lost with the end of the write-ahead
                // log, and with it alone
                assertThat(count)
                        .as("%s %s", name, how)
                        .isGreaterThanOrEqualTo(
                                home.equals(closed) || !name.startsWith("wal-") ? count(home) : SAMPLES + 1);
                append(ledger, (int) count, (int) count + 5);
                logged = true;
            } catch (LedgerUnavailableException e) {
                assertThat(logged).isFalse();
                assertThat(e).as("%s %s", name, how).hasMessageContaining(copy.toString());
                assertThat(digests(copy)).as("%s %s", name, how).isEqualTo(before);
            }
            if (logged) {
                assertRight(copy, home, "%s %s".formatted(name, how));
            } else {
                assertThat(List.of("map", "subjects", "lock"))
                        .as("%s %s: it can be made from the log", name, how)
                        .doesNotContain(name);
            }
        }
    }

    private static long count(Path home) {
        return home.getFileName().toString().equals("closed") ? SAMPLES + 1 : SAMPLES + 30;
    }

    private void assertRight(Path copy, Path home, String what) throws IOException {
        LedgerReader before = LedgerReader.open(home);
        LogAudit.of(copy, before.verifierKeys(), List.of(before.note()), false, Progress.SILENT);
        LedgerReader reader = LedgerReader.open(copy);
        for (int number : new int[] {0, 1, 17, SAMPLES - 1}) {
            Optional<Hash> subject = reader.commitment(sample(number));
            assertThat(subject).as(what).isPresent();
            Evidence history = Evidence.of(reader.historyProof(subject.orElseThrow(), true), before.verifierKeys());
            assertThat(history.sample()).as(what).contains(sample(number));
            assertThat(history.events()).as(what).hasSize(number == 1 ? 2 : 1);
        }
    }

    private static void delete(Path tree) throws IOException {
        if (Files.exists(tree)) {
            try (Stream<Path> walk = Files.walk(tree)) {
                for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    @Test
    void aLogWhosePartialFilesBecameFullOnesBeforeItsCheckpointFollowedOpensAndHolds() throws IOException {
        Path home = folder.resolve("small");
        Path guard = folder.resolve("small.guard");
        Ledger.init(home, "example.com/small", List.of(), Optional.of(guard));
        Path before = folder.resolve("small.before");
        copy(home, before);
        byte[] guarded = Files.readAllBytes(guard);
        try (Ledger ledger = Ledger.open(home)) {
            append(ledger, 0, 600);
        }
        delete(before.resolve("log").resolve("tile"));
        copy(home.resolve("log").resolve("tile"), before.resolve("log").resolve("tile"));
        assertThat(before.resolve("log").resolve("tile").resolve("0").resolve("000.p"))
                .doesNotExist();
        Files.write(guard, guarded);
        assertThat(LedgerReader.open(before).event(1).body()).isInstanceOf(EventBody.Map.class);
        try (Ledger ledger = Ledger.open(before)) {
            append(ledger, 0, 600);
        }
        LedgerReader reader = LedgerReader.open(before);
        assertThat(LogAudit.of(before, reader.verifierKeys(), List.of(), false, Progress.SILENT)
                        .subjects())
                .isEqualTo(600);
    }

    @Test
    void aRefusedLedgerIsLeftAsItIs() throws IOException {
        Path older = folder.resolve("older");
        copy(killed, older);
        Files.copy(folder.resolve("guard.killed"), folder.resolve("guard"), StandardCopyOption.REPLACE_EXISTING);
        try (Ledger ledger = Ledger.open(killed)) {
            append(ledger, (int) count(killed), (int) count(killed) + 5);
        }
        Map<String, Hash> before = digests(older);
        assertThatThrownBy(() -> Ledger.open(older))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageContaining("rolled back");
        assertThat(digests(older)).isEqualTo(before);
    }
}
