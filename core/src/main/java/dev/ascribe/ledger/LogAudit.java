package dev.ascribe.ledger;

import dev.ascribe.Progress;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Replays a whole log from its entries: leaf hashes, every tile, the root, all rules and every map root, and that it extends
 * earlier checkpoints. It trusts nothing but the verifier keys.
 *
 * @param entries of the log
 * @param subjects samples and runs with events; 0 where entries are opaque
 * @param maps map entries; 0 where entries are opaque
 */
public record LogAudit(Checkpoint checkpoint, long entries, long subjects, long maps) {
    /** Bundles that are read ahead by other threads. */
    private static final int AHEAD = 64;

    private static final Pattern FILE =
            Pattern.compile("tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\\.p/([1-9][0-9]{0,2}))?");

    /** A bundle as it was read: its entries' leaf hashes, and the events unless they are opaque. */
    private record Bundle(List<Hash> leaves, List<Event> events) {}

    /**
     * Replays a log.
     *
     * @param directory a ledger, or a folder with {@code checkpoint} and {@code tile/}
     * @param keys every one must have signed every checkpoint
     * @param earlier checkpoints that the log must extend
     * @param opaque whether entries are arbitrary bytes, as in any log of this format
     * @throws VerificationException names the file or entry, and what is wrong with it
     */
    public static LogAudit of(
            Path directory, List<VerifierKey> keys, List<SignedNote> earlier, boolean opaque, Progress progress)
            throws IOException {
        Path log = Files.isDirectory(directory.resolve("log")) ? directory.resolve("log") : directory;
        Checkpoint checkpoint = Checkpoint.open(SignedNote.parse(read(log, "checkpoint")), keys);
        long size = checkpoint.size();
        if (size > Integer.MAX_VALUE) {
            throw new VerificationException("a log of %,d entries is larger than this audit can hold".formatted(size));
        }
        LogRules rules = new LogRules(checkpoint.origin());
        Levels levels = new Levels();
        List<Checkpoint> old = new ArrayList<>();
        for (SignedNote note : earlier) {
            old.add(Checkpoint.open(note, keys));
        }
        replay(log, checkpoint, opaque, levels, rules, old, progress);
        if (!levels.root(size).equals(checkpoint.root())) {
            throw new VerificationException("the entries' root is not the checkpoint's");
        }
        for (Checkpoint before : old) {
            requireExtends(checkpoint, before, levels);
        }
        requireFiles(log, size, levels);
        return new LogAudit(checkpoint, size, opaque ? 0 : rules.subjects(), opaque ? 0 : rules.maps());
    }

    private static void replay(
            Path log,
            Checkpoint checkpoint,
            boolean opaque,
            Levels levels,
            LogRules rules,
            List<Checkpoint> old,
            Progress progress) {
        long size = checkpoint.size();
        long bundles = (size + Tiles.WIDTH - 1) / Tiles.WIDTH;
        List<Future<Bundle>> ahead = new ArrayList<>();
        try (ExecutorService pool =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            for (long b = 0; b < bundles; b++) {
                while (ahead.size() < AHEAD && b + ahead.size() < bundles) {
                    long at = b + ahead.size();
                    ahead.add(pool.submit(() -> bundle(log, at, size, opaque)));
                }
                Bundle bundle = take(ahead.removeFirst());
                for (int i = 0; i < bundle.leaves().size(); i++) {
                    long index = b * Tiles.WIDTH + i;
                    levels.add(bundle.leaves().get(i));
                    if (!opaque) {
                        Event event = bundle.events().get(i);
                        rules.add(event, bundle.leaves().get(i));
                        boolean ends = index + 1 == size || old.stream().anyMatch(c -> c.size() == index + 1);
                        if (ends && !(event.body() instanceof EventBody.Map)) {
                            throw new VerificationException(
                                    "entry %d is the last of a checkpoint, and no 'map'".formatted(index));
                        }
                    }
                }
                progress.at("entries", Math.min(size, (b + 1) * Tiles.WIDTH), size);
            }
        }
    }

    private static Bundle take(Future<Bundle> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException reason) {
                throw reason;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private static Bundle bundle(Path log, long number, long size, boolean opaque) throws IOException {
        int width = (int) Math.min(Tiles.WIDTH, size - number * Tiles.WIDTH);
        String name = Tiles.entries(number, width);
        List<Hash> leaves = new ArrayList<>(width);
        List<Event> events = new ArrayList<>(width);
        for (byte[] entry : Tiles.split(read(log, name), width)) {
            leaves.add(Hash.leaf(entry));
            if (!opaque) {
                try {
                    events.add(Event.decode(entry));
                } catch (VerificationException e) {
                    throw new VerificationException(
                            "entry %d: %s".formatted(number * Tiles.WIDTH + leaves.size() - 1, e.getMessage()), e);
                }
            }
        }
        return new Bundle(leaves, events);
    }

    private static byte[] read(Path log, String name) throws IOException {
        try {
            return Files.readAllBytes(log.resolve(name));
        } catch (NoSuchFileException e) {
            throw new VerificationException(name + " is missing", e);
        }
    }

    private static void requireExtends(Checkpoint checkpoint, Checkpoint before, Levels levels) {
        if (!before.origin().equals(checkpoint.origin())) {
            throw new VerificationException("the earlier checkpoint is of the log '%s', not of '%s'"
                    .formatted(before.origin(), checkpoint.origin()));
        }
        if (before.size() > checkpoint.size()) {
            throw new VerificationException("the earlier checkpoint has %d entries, the log %d: it was rolled back"
                    .formatted(before.size(), checkpoint.size()));
        }
        if (!levels.root(before.size()).equals(before.root())) {
            throw new VerificationException("the log does not extend the earlier checkpoint of size %d: it was forked"
                    .formatted(before.size()));
        }
    }

    /** Every file below {@code tile/} belongs to this tree and has its bytes, and none is missing. */
    private static void requireFiles(Path log, long size, Levels levels) throws IOException {
        long expected = 0;
        for (int level = 0; Tiles.count(level, size) > 0; level++) {
            expected += (Tiles.count(level, size) + Tiles.WIDTH - 1) / Tiles.WIDTH;
        }
        long found = 0;
        Path root = log.resolve("tile");
        if (size > 0 || Files.exists(root)) {
            try (Stream<Path> walk = Files.walk(root)) {
                for (Path file : (Iterable<Path>) walk.filter(path -> !Files.isDirectory(path))::iterator) {
                    found += requireFile(log, log.relativize(file).toString().replace('\\', '/'), size, levels) ? 1 : 0;
                }
            }
        }
        if (found != expected) {
            throw new VerificationException("%d of %d tiles are missing".formatted(expected - found, expected));
        }
    }

    /** Returns whether the file is a tile of the tree as it is now, not one from before. */
    private static boolean requireFile(Path log, String name, long size, Levels levels) throws IOException {
        Matcher parts = FILE.matcher(name);
        if (!parts.matches()) {
            throw new VerificationException(name + " does not belong to a log");
        }
        boolean entries = parts.group(1).equals("entries");
        int level = entries ? 0 : Integer.parseInt(parts.group(1));
        long index = Long.parseLong(parts.group(2).replaceAll("[x/]", ""));
        int width = parts.group(3) == null ? Tiles.WIDTH : Integer.parseInt(parts.group(3));
        long there = Math.min(Tiles.WIDTH, Tiles.count(level, size) - index * Tiles.WIDTH);
        String canonical = entries ? Tiles.entries(index, width) : Tiles.tile(level, index, width);
        if (width > there || !canonical.equals(name) || (parts.group(3) != null && width == Tiles.WIDTH)) {
            throw new VerificationException(name
                    + " does not belong to a log of %d entries (one that is being written, or whose writer was killed, has such files until its next checkpoint)"
                            .formatted(size));
        }
        byte[] bytes = read(log, name);
        byte[] hashes = levels.hashes(level, index * Tiles.WIDTH, width);
        if (entries) {
            if (width == there) {
                return false; // replayed above
            }
            List<byte[]> split = Tiles.split(bytes, width);
            for (int i = 0; i < width; i++) {
                if (!Hash.leaf(split.get(i)).equals(Hash.of(hashes, i * Hash.BYTES, Hash.BYTES))) {
                    throw new VerificationException("%s: entry %d is not the log's".formatted(name, i));
                }
            }
            return false;
        }
        if (!Arrays.equals(bytes, hashes)) {
            throw new VerificationException(name + " is not what the entries say");
        }
        return width == there;
    }
}
