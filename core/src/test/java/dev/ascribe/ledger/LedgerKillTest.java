package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerKillTest {
    private static final int KILLS = 5;
    private static final int GROUP = 50;
    private static final UUID RUN = new UUID(3, 4);

    @TempDir
    private Path folder;

    /** Run in a process of its own: appends for ever, and says of each event where it lies once it is durable. */
    static final class Forever {
        private Forever() {}

        public static void main(String[] args) {
            long number = Long.parseLong(args[1]);
            try (Ledger ledger = Ledger.open(Path.of(args[0]))) {
                while (true) {
                    List<Draft> drafts = new ArrayList<>();
                    long[] numbers = new long[GROUP];
                    for (int i = 0; i < GROUP; i++) {
                        numbers[i] = number + i;
                        drafts.add(draft(number + i));
                    }
                    long index = ledger.commit(ledger.prepare(drafts, numbers));
                    StringBuilder said = new StringBuilder();
                    for (int i = 0; i < GROUP; i++) {
                        said.append(number + i).append(' ').append(index + i).append('\n');
                    }
                    System.out.print(said);
                    System.out.flush();
                    number += GROUP;
                }
            }
        }
    }

    private static Draft draft(long number) {
        SampleId sample = new SampleId((number - 1) / 3, 5, 6, 7);
        return number % 3 == 1
                ? Draft.ingest(number, Event.NO_RUN, sample, "rows.jsonl")
                : Draft.batch(number, RUN, sample, 1, number, number % 3);
    }

    @Test
    void nothingAcknowledgedIsLostAndNoIndexChangesWheneverTheWriterIsKilled()
            throws IOException, InterruptedException {
        Path home = folder.resolve("ledger");
        Ledger.init(home, "example.com/kill", List.of(), Optional.of(folder.resolve("guard")));
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed of the kills: " + seed + " (set again by -Dseed=)");
        Random random = new Random(seed);
        List<Long> indexes = new ArrayList<>(); // of the events acknowledged, from number 1 on
        List<SignedNote> published = new ArrayList<>();
        for (int kill = 0; kill < KILLS; kill++) {
            Path out = folder.resolve("acknowledged-" + kill);
            long next = 1 + count(home);
            Process writer = start(home, next, out);
            while (writer.isAlive() && Files.size(out) == 0) {
                Thread.sleep(1);
            }
            TimeUnit.MICROSECONDS.sleep(random.nextInt(1_500_000));
            assertThat(writer.isAlive()).isTrue();
            writer.destroyForcibly().waitFor();

            String said = Files.readString(out);
            for (String line :
                    said.substring(0, said.lastIndexOf('\n') + 1).lines().toList()) {
                long number = Long.parseLong(line.substring(0, line.indexOf(' ')));
                long index = Long.parseLong(line.substring(line.indexOf(' ') + 1));
                assertThat(number).isBetween((long) indexes.size() + 1, next + indexes.size() + GROUP);
                while (indexes.size() < number - 1) { // logged, but killed before it was said
                    indexes.add(-1L);
                }
                indexes.add(index);
            }
            try (Ledger ledger = Ledger.open(home)) {
                assertThat(ledger.sequences().count()).isGreaterThanOrEqualTo(indexes.size());
                for (int i = 0; i < indexes.size(); i++) {
                    if (indexes.get(i) >= 0) {
                        assertThat(ledger.sequences().index(i + 1L)).isEqualTo(indexes.get(i));
                    }
                }
            }
            List<VerifierKey> keys = LedgerReader.open(home).verifierKeys();
            LogAudit.of(home, keys, published, false, Progress.SILENT); // extends all that was published before
            published.add(LedgerReader.open(home).note());
        }
        assertThat(indexes).hasSizeGreaterThan(KILLS * GROUP);
        LedgerReader reader = LedgerReader.open(home);
        for (int i = 0; i < indexes.size(); i++) {
            if (indexes.get(i) >= 0) {
                assertThat(reader.event(indexes.get(i)).time()).isEqualTo(i + 1L);
            }
        }
    }

    /** Events that were appended with a number, also those that nobody was told of. */
    private static long count(Path home) {
        try (Ledger ledger = Ledger.open(home)) {
            return ledger.sequences().count();
        }
    }

    private static Process start(Path home, long next, Path out) throws IOException {
        Files.createFile(out);
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Forever.class.getName(),
                        home.toString(),
                        Long.toString(next))
                .redirectError(Redirect.INHERIT)
                .redirectOutput(out.toFile())
                .start();
    }
}
