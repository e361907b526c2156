package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/** Makes a ledger where there was none. */
final class Founding {
    private Founding() {}

    /** As {@link Ledger#init} says. */
    static Checkpoint of(Path directory, String origin, List<SignerKey> given, Optional<Path> guard) {
        List<SignerKey> keys = given.isEmpty()
                ? List.of(
                        SignerKey.generate(KeyType.ED25519, origin),
                        SignerKey.generate(KeyType.ML_DSA_44_COSIGNATURE, origin))
                : given;
        if (keys.stream().noneMatch(key -> key.verifierKey().type() == KeyType.ED25519)) {
            throw new UserInputException("none of the keys is an Ed25519 key (type 01), which every log signs with");
        }
        for (SignerKey key : keys) {
            if (!key.verifierKey().name().equals(origin)) {
                throw new UserInputException("the key is of '%s', but the origin is '%s'"
                        .formatted(key.verifierKey().name(), origin));
            }
        }
        LedgerFolder folder = new LedgerFolder(directory);
        Guard kept =
                new Guard(guard.orElseGet(() -> Guard.standard(keys.getFirst().verifierKey())));
        if (kept.file()
                .toAbsolutePath()
                .normalize()
                .startsWith(directory.toAbsolutePath().normalize())) {
            throw new UserInputException(
                    "the guard %s lies in the ledger, and would be rolled back with it; give another --guard"
                            .formatted(kept.file()));
        }
        if (Files.exists(kept.file())) {
            throw new UserInputException(
                    "the guard %s exists: it is another ledger's; give another --guard".formatted(kept.file()));
        }
        try {
            folder.create();
            writeKeys(folder, keys);
            folder.keepGuard(kept.file());
            Buckets buckets = Buckets.create(folder.inside(), folder.temporary());
            new Samples(folder).create();
            Sequences.create(folder);
            WriteAheadLog.create(folder.inside());
            Files.createFile(folder.lock());
            return firstCheckpoint(folder, origin, keys, kept, buckets.salts());
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be written: %s".formatted(directory, e), e);
        }
    }

    private static void writeKeys(LedgerFolder folder, List<SignerKey> keys) throws IOException {
        Path partial = folder.temporary().resolve("keys");
        Files.createFile(partial, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        List<String> lines = keys.stream().map(SignerKey::secretText).toList();
        Durable.write(partial, folder.keysFile(), LedgerFolder.checked(lines));
    }

    private static Checkpoint firstCheckpoint(
            LedgerFolder folder, String origin, List<SignerKey> keys, Guard guard, Hash salts) throws IOException {
        long now = System.currentTimeMillis();
        Event first = new Event(now, Event.NO_RUN, Hash.ZERO, 0, Hash.ZERO, new EventBody.Ledger(origin, salts));
        try (TileWriter tiles = TileWriter.open(folder.log(), folder.temporary(), 0)) {
            byte[] entry = first.encode();
            tiles.add(entry, Hash.leaf(entry));
            Group.Entry map = Group.Entry.ofMap(PrefixMap.empty().root(), 1);
            tiles.add(map.bytes(), map.leaf());
            tiles.flush();
            Checkpoint checkpoint = new Checkpoint(origin, 2, tiles.root());
            SignedNote note = checkpoint.sign(keys, now / 1000);
            new Counts(2, 0, 0, 0).write(folder);
            guard.write(note);
            Publication.write(folder, note);
            return checkpoint;
        }
    }
}
