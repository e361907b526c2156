package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * A ledger that was opened for writing, with what a crash left unfinished: it takes the lock, replays the write-ahead log, compares
 * with the guard, and only then writes.
 *
 * @param snapshot size of the log that the map's snapshot stands for; 0: there is none
 */
record Opening(
        LedgerFolder folder,
        FileChannel lock,
        Samples samples,
        Sequences sequences,
        Buckets buckets,
        Heads heads,
        Drafting drafting,
        long snapshot,
        Publication publication,
        WriteAheadLog wal,
        Recovery recovery) {

    /** As {@link Ledger#open} says. */
    static Opening of(Path directory) {
        LedgerFolder folder = new LedgerFolder(directory);
        folder.requireLedger();
        FileChannel lock = null;
        try {
            lock = lock(folder);
            return of(folder, lock);
        } catch (IOException | RuntimeException e) {
            if (lock != null) {
                release(lock);
            }
            throw e instanceof UserInputException refused ? refused : unavailable(directory, e);
        }
    }

    static LedgerUnavailableException unavailable(Path directory, Exception e) {
        if (e instanceof LedgerUnavailableException known) {
            return known;
        }
        String why = e instanceof VerificationException
                ? "it is damaged: " + e.getMessage()
                : e instanceof NoSuchFileException
                        ? e.getMessage() + " is missing; put back an undamaged copy"
                        : e.toString();
        return new LedgerUnavailableException("%s cannot be opened: %s".formatted(directory, why), e);
    }

    static void release(FileChannel lock) {
        try {
            lock.close();
        } catch (IOException e) {
            // the lock ends with the process
        }
    }

    /** Takes the lock, or says who has it. */
    static FileChannel lock(LedgerFolder folder) throws IOException {
        FileChannel channel = FileChannel.open(folder.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // held by this very process
        }
        channel.close();
        throw new LedgerUnavailableException(
                folder.directory() + " is locked: another process writes to it; wait until it has finished");
    }

    private static Opening of(LedgerFolder folder, FileChannel lock) throws IOException {
        List<SignerKey> keys = folder.keys();
        List<VerifierKey> verifiers = keys.stream().map(SignerKey::verifierKey).toList();
        SignedNote note = folder.note();
        Checkpoint published = Checkpoint.open(note, verifiers);
        long size = published.size();
        LogFiles files = new LogFiles(folder.log(), size);
        TileWriter tiles = TileWriter.open(folder.log(), folder.temporary(), size);
        try {
            if (!tiles.root().equals(published.root())) {
                throw new LedgerUnavailableException(
                        folder.log() + " is damaged: its tiles do not have the checkpoint's root");
            }
            if (!(Event.decode(files.entry(0)).body() instanceof EventBody.Ledger first)) {
                throw new LedgerUnavailableException(folder.log() + " is damaged: its first entry is no 'ledger'");
            }
            Guard guard = new Guard(folder.guard());
            Checkpoint guarded = guard.read(verifiers);
            Counts counts = Counts.read(folder);
            Buckets buckets = Buckets.open(folder.inside(), first.salts());
            MapLoader.Loaded map = MapLoader.load(folder.map(), files, size);
            Heads heads = new Heads(map.map());
            WriteAheadLog.Replay replay = WriteAheadLog.replay(folder.inside(), counts.segment());
            Recovery recovery = new Recovery(replay.groups(), heads, tiles.range(), files, size, guarded);
            Samples samples = new Samples(folder);
            Counts.require(samples.file(), counts.samples(), samples.count());
            Drafting drafting = new Drafting(buckets, heads);
            drafting.learn(samples);
            recovery.stored(samples);
            recovery.known().forEach(drafting::learn);
            Sequences sequences = Sequences.open(folder, counts.sequences());
            sequences.replay(recovery.entries(), size);

            // all is well: from here on it may write
            folder.clearTemporary();
            WriteAheadLog wal = WriteAheadLog.open(folder.inside(), replay);
            for (Group fill : recovery.fills()) {
                wal.append(fill);
            }
            Subjects.repair(folder.subjects(), files, size);
            Publication publication =
                    new Publication(folder, keys, guard, samples, sequences, tiles, note, published, counts);
            return new Opening(
                    folder,
                    lock,
                    samples,
                    sequences,
                    buckets,
                    heads,
                    drafting,
                    map.snapshot(),
                    publication,
                    wal,
                    recovery);
        } catch (IOException | RuntimeException e) {
            tiles.close();
            throw e;
        }
    }
}
