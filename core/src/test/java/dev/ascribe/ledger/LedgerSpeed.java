package dev.ascribe.ledger;

import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;

/** Measures a ledger: {@code bench/ledger/speed} says how. Each job prints one line. */
final class LedgerSpeed {
    private static final UUID RUN = new UUID(0x1234567812345678L, 0x8765432187654321L);
    private static final String ORIGIN = "example.com/speed";
    private static final int GROUP = 4096;

    private LedgerSpeed() {}

    public static void main(String[] args) throws IOException {
        Locale.setDefault(Locale.ROOT);
        Path ledger = Path.of(args[1]);
        switch (args[0]) {
            case "fill" -> fill(ledger, Integer.parseInt(args[2]), Long.parseLong(args[3]));
            case "append" ->
                append(ledger, Integer.parseInt(args[2]), Integer.parseInt(args[3]), Long.parseLong(args[4]));
            case "prove" -> prove(ledger, Integer.parseInt(args[2]));
            case "verify" -> verify(ledger);
            case "open" -> open(ledger);
            default -> throw new IllegalArgumentException("no job " + args[0]);
        }
    }

    /** The sample of a number; made by mixing, so that making it costs nothing beside the ledger. */
    private static SampleId sample(long number) {
        SplittableRandom random = new SplittableRandom(number);
        return new SampleId(random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong());
    }

    /** Makes a ledger in which each subject has its ingest and then batches, {@code events} in all. */
    private static void fill(Path home, int subjects, long events) {
        Path guard = home.resolveSibling(home.getFileName() + ".guard");
        Ledger.init(home, ORIGIN, List.of(), Optional.of(guard));
        long started = System.nanoTime();
        try (Ledger ledger = Ledger.open(home)) {
            List<Draft> drafts = new ArrayList<>();
            for (long i = 0; i < events; i++) {
                drafts.add(
                        i < subjects
                                ? Draft.ingest(i, Event.NO_RUN, sample(i), "rows.jsonl")
                                : batch(i, sample(i % subjects)));
                if (drafts.size() == GROUP || i + 1 == events) {
                    ledger.append(drafts);
                    drafts.clear();
                }
            }
        }
        System.out.printf(
                "fill: %,d events about %,d subjects in %.1f s with opening and closing%n",
                events, subjects, seconds(started));
    }

    private static Draft batch(long i, SampleId sample) {
        return Draft.batch(1_700_000_000_000L + i, RUN, sample, i >> 20, i, i & 1023);
    }

    private static double seconds(long started) {
        return (System.nanoTime() - started) / 1e9;
    }

    /** Appends batches of random known subjects, one thread, a group at a time; each group is durable before the next begins. */
    private static void append(Path home, int subjects, int group, long events) {
        try (Ledger ledger = Ledger.open(home)) {
            run(ledger, subjects, group, Math.max(group, events / 10), new Random(1)); // warm
            Published published = new Published(home);
            List<Double> millis = new ArrayList<>();
            long started = System.nanoTime();
            run(ledger, subjects, group, events, new Random(2), millis);
            double seconds = seconds(started);
            published.stop();
            double[] sorted =
                    millis.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            long behind = System.nanoTime();
            ledger.publish();
            System.out.printf(
                    "append: groups of %,d: %,.0f events/s acknowledged (%,d in %.2f s), group median %.2f ms, 99%% %.2f ms, longest %.0f ms;"
                            + " %d checkpoints meanwhile, longest wait for one %.2f s; the last one %.2f s after%n",
                    group,
                    events / seconds,
                    events,
                    seconds,
                    sorted[sorted.length / 2],
                    sorted[sorted.length * 99 / 100],
                    sorted[sorted.length - 1],
                    published.count,
                    published.longest / 1e9,
                    seconds(behind));
        }
    }

    private static void run(Ledger ledger, int subjects, int group, long events, Random random) {
        run(ledger, subjects, group, events, random, new ArrayList<>());
    }

    private static void run(Ledger ledger, int subjects, int group, long events, Random random, List<Double> millis) {
        List<Draft> drafts = new ArrayList<>(group);
        for (long done = 0; done < events; done += group) {
            drafts.clear();
            for (int i = 0; i < group; i++) {
                drafts.add(batch(done + i, sample(random.nextInt(subjects))));
            }
            long started = System.nanoTime();
            ledger.append(drafts);
            millis.add(1e3 * seconds(started));
        }
    }

    /** Watches the published checkpoint as a reader would. */
    private static final class Published {
        private final Thread thread;
        private volatile boolean stopped;
        private int count;
        private long longest;

        Published(Path home) {
            Path file = home.resolve("log").resolve("checkpoint");
            thread = Thread.ofPlatform().start(() -> {
                try {
                    byte[] before = Files.readAllBytes(file);
                    long since = System.nanoTime();
                    while (!stopped) {
                        Thread.sleep(5);
                        byte[] now = Files.readAllBytes(file);
                        longest = Math.max(longest, System.nanoTime() - since);
                        if (!Arrays.equals(before, now)) {
                            before = now;
                            count++;
                            since = System.nanoTime();
                        }
                    }
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
        }

        void stop() {
            stopped = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Makes proofs of random events, then proofs of histories. */
    private static void prove(Path home, int count) {
        LedgerReader reader = LedgerReader.open(home);
        List<VerifierKey> keys = reader.verifierKeys();
        Random random = new Random(3);
        long size = reader.checkpoint().size();
        for (int round = 0; round < 2; round++) {
            double[] made = new double[count];
            double[] verified = new double[count];
            for (int i = 0; i < count; i++) {
                long started = System.nanoTime();
                String text = reader.event(random.nextLong(size), false).text();
                made[i] = 1e3 * seconds(started);
                started = System.nanoTime();
                Evidence.of(TlogProof.parse(text), keys);
                verified[i] = 1e3 * seconds(started);
            }
            Arrays.sort(made);
            Arrays.sort(verified);
            System.out.printf(
                    "prove, round %d: %d event proofs of a log of %,d: made in %.3f ms (median), %.3f (99%%), %.3f (longest); verified in %.3f, %.3f, %.3f%n",
                    round + 1,
                    count,
                    size,
                    made[count / 2],
                    made[count * 99 / 100],
                    made[count - 1],
                    verified[count / 2],
                    verified[count * 99 / 100],
                    verified[count - 1]);
        }
    }

    private static void verify(Path home) throws IOException {
        List<VerifierKey> keys = LedgerReader.open(home).verifierKeys();
        long started = System.nanoTime();
        LogAudit audit = LogAudit.of(home, keys, List.of(), false, Progress.SILENT);
        System.out.printf(
                "verify: %,d entries, %,d subjects, %d maps in %.2f s%n",
                audit.entries(), audit.subjects(), audit.maps(), seconds(started));
    }

    private static void open(Path home) {
        long started = System.nanoTime();
        try (Ledger ledger = Ledger.open(home)) {
            double seconds = seconds(started);
            long size = ledger.checkpoint().size();
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            long used = runtime.totalMemory() - runtime.freeMemory();
            System.out.printf(
                    "open: %,d entries in %.2f s; %,d subjects, heap then in use %,d bytes, %.0f a subject%n",
                    size, seconds, ledger.subjects(), used, (double) used / ledger.subjects());
        }
    }
}
