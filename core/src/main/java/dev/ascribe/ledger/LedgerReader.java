package dev.ascribe.ledger;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * A ledger opened for reading: proofs and histories under its published checkpoint. It writes nothing, needs no guard, and may be
 * used while another process writes.
 */
public final class LedgerReader {
    private final LedgerFolder folder;
    private final SignedNote note;
    private final Checkpoint checkpoint;
    private final LogFiles files;
    private final Event first;
    private final Buckets buckets;
    private final Samples samples;
    private @Nullable PrefixMap map;
    private Samples.@Nullable Finder known;

    /** An event and where it stands. */
    public record Logged(long index, Event event) {}

    private LedgerReader(LedgerFolder folder, SignedNote note, Checkpoint checkpoint) throws IOException {
        this.folder = folder;
        this.note = note;
        this.checkpoint = checkpoint;
        this.files = new LogFiles(folder.log(), checkpoint.size());
        this.first = Event.decode(files.entry(0));
        if (!(first.body() instanceof EventBody.Ledger ledger)) {
            throw new LedgerUnavailableException(folder.log() + " is damaged: its first entry is no 'ledger'");
        }
        this.buckets = Buckets.open(folder.inside(), ledger.salts());
        this.samples = new Samples(folder);
    }

    /** Opens a ledger's directory. */
    public static LedgerReader open(Path directory) {
        LedgerFolder folder = new LedgerFolder(directory);
        folder.requireLedger();
        try {
            SignedNote note = folder.note();
            Checkpoint checkpoint = Checkpoint.open(
                    note, folder.keys().stream().map(SignerKey::verifierKey).toList());
            return new LedgerReader(folder, note, checkpoint);
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be read: %s".formatted(directory, e), e);
        } catch (VerificationException e) {
            throw new LedgerUnavailableException("%s is damaged: %s".formatted(directory, e.getMessage()), e);
        }
    }

    /** The published checkpoint. */
    public Checkpoint checkpoint() {
        return checkpoint;
    }

    /** Its signed note. */
    public SignedNote note() {
        return note;
    }

    /** The public halves of the ledger's keys. */
    public List<VerifierKey> verifierKeys() {
        try {
            return folder.keys().stream().map(SignerKey::verifierKey).toList();
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** Where the guard lies. */
    public Path guard() {
        try {
            return folder.guard();
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** The event at an index. */
    public Event event(long index) {
        if (index < 0 || index >= checkpoint.size()) {
            throw new UserInputException("there is no index %d in a log of %d entries; give 0 to %d"
                    .formatted(index, checkpoint.size(), checkpoint.size() - 1));
        }
        try {
            return Event.decode(files.entry(index));
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** Passes every event under the checkpoint, in order. */
    public void forEach(Consumer<Logged> to) {
        try {
            for (long bundle = 0; bundle * Tiles.WIDTH < checkpoint.size(); bundle++) {
                long index = bundle * Tiles.WIDTH;
                for (byte[] entry : files.bundle(bundle)) {
                    to.accept(new Logged(index++, Event.decode(entry)));
                }
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** The key that signs the log's checkpoints plainly, and envelopes. */
    public VerifierKey signingKey() {
        return signer().verifierKey();
    }

    /**
     * Signs a payload as {@link Dsse} does.
     *
     * @return the signature in base64
     */
    public String signEnvelope(String payloadType, byte[] payload) {
        return Base64.getEncoder().encodeToString(Dsse.sign(payloadType, payload, signer()));
    }

    private SignerKey signer() {
        try {
            return folder.keys().stream()
                    .filter(key -> key.verifierKey().type() == KeyType.ED25519)
                    .findFirst()
                    .orElseThrow(() -> new LedgerUnavailableException(folder.keysFile() + " holds no Ed25519 key"));
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** The commitment to a sample: its bucket's, or its own where the bucket was erased; empty where nothing is known of it any more. */
    public Optional<Hash> commitment(SampleId sample) {
        return opening(sample).map(LedgerProof.Opening::commitment);
    }

    /** What opens the commitment to a sample. */
    private Optional<LedgerProof.Opening> opening(SampleId sample) {
        return buckets.salt(sample)
                .or(() -> known(known -> known.sample(sample)).map(Samples.Known::salt))
                .map(salt -> new LedgerProof.Opening(sample, salt));
    }

    /** What opens a commitment, as long as the ledger knows the sample. */
    private Optional<LedgerProof.Opening> opening(Hash commitment) {
        return known(known -> known.commitment(commitment)).flatMap(known -> opening(known.sample()));
    }

    private interface Search {
        Optional<Samples.Known> in(Samples.Finder known) throws IOException;
    }

    private Optional<Samples.Known> known(Search search) {
        try {
            if (known == null) {
                known = samples.finder();
            }
            return search.in(known);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /**
     * The indexes of what was recorded of a run, in order: of all events that carry it but contributions, which come when a run is
     * asked, not when it trains.
     */
    long[] recorded(UUID run) {
        LongStream.Builder indexes = LongStream.builder();
        forEach(logged -> {
            if (logged.event().run().equals(run) && !(logged.event().body() instanceof EventBody.Contribution)) {
                indexes.add(logged.index());
            }
        });
        return indexes.build().toArray();
    }

    /** Signs a payload as {@link Dsse} does, by each of the ledger's keys. */
    public Map<VerifierKey, byte[]> sign(String payloadType, byte[] payload) {
        try {
            Map<VerifierKey, byte[]> signatures = new LinkedHashMap<>();
            for (SignerKey key : folder.keys()) {
                signatures.put(key.verifierKey(), Dsse.sign(payloadType, payload, key));
            }
            return signatures;
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** All events about a subject, in order. */
    public List<Logged> history(Hash subject) {
        try {
            long count = map().find(subject).map(PrefixMap.Value::count).orElse(0L);
            if (count == 0) {
                return List.of();
            }
            List<Logged> found = Files.exists(folder.subjects())
                    ? among(Subjects.candidates(folder.subjects(), subject, checkpoint.size()), subject)
                    : List.of();
            if (found.size() != count) { // the file that helps to find them is damaged: look everywhere
                List<Logged> all = new ArrayList<>();
                forEach(logged -> {
                    if (logged.event().subject().equals(subject)) {
                        all.add(logged);
                    }
                });
                return all;
            }
            return found;
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private List<Logged> among(List<Long> candidates, Hash subject) throws IOException {
        List<Logged> found = new ArrayList<>();
        for (long index : candidates) {
            Event event = Event.decode(files.entry(index));
            if (event.subject().equals(subject)) {
                found.add(new Logged(index, event));
            }
        }
        return found;
    }

    private PrefixMap map() throws IOException {
        if (map == null) {
            map = MapLoader.load(folder.map(), files, checkpoint.size()).map();
        }
        return map;
    }

    /**
     * Proves that an event was logged.
     *
     * @param opened whether the proof shall show the sample, where the ledger still knows it
     */
    public TlogProof event(long index, boolean opened) {
        Event event = event(index);
        Optional<LedgerProof.Opening> opening = opened && event.body().type().about() == EventBody.About.SAMPLE
                ? opening(event.subject())
                : Optional.empty();
        return proof(index, new LedgerProof.OfEvent(opening, event));
    }

    /** Proves that these are all events about a subject. */
    public TlogProof historyProof(Hash subject, boolean opened) {
        return historyProof(subject, opened ? opening(subject) : Optional.empty());
    }

    private TlogProof historyProof(Hash subject, Optional<LedgerProof.Opening> opening) {
        try {
            List<Event> events = history(subject).stream().map(Logged::event).toList();
            long last = checkpoint.size() - 1;
            return proof(
                    last,
                    new LedgerProof.OfHistory(
                            opening, subject, events, event(last), MapProof.parse(map().prove(subject))));
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /**
     * Proves that no event is about a sample.
     *
     * @throws VerificationException when there are some, or when its bucket was erased
     */
    public TlogProof absence(SampleId sample) {
        int bucket = Commitment.bucket(sample);
        Optional<Hash> own = commitment(sample);
        if (own.isPresent()) {
            List<Logged> events = history(own.get());
            if (!events.isEmpty()) {
                throw new VerificationException("used: %d events, first at index %d"
                        .formatted(events.size(), events.getFirst().index()));
            }
        }
        Hash key = buckets.key(bucket)
                .orElseThrow(() -> new VerificationException("cannot be shown: an erased sample shares its bucket"));
        try {
            Hash commitment = Commitment.of(Commitment.salt(key, sample), sample);
            long last = checkpoint.size() - 1;
            return proof(
                    last,
                    new LedgerProof.OfAbsence(
                            sample,
                            key,
                            buckets.path(bucket),
                            first,
                            Merkle.inclusion(0, checkpoint.size(), files),
                            event(last),
                            MapProof.parse(map().prove(commitment))));
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** Proves that these are all events about a sample, opened; empty where nothing is known of it. */
    public Optional<TlogProof> historyProof(SampleId sample) {
        return opening(sample).map(opening -> historyProof(opening.commitment(), Optional.of(opening)));
    }

    private TlogProof proof(long index, LedgerProof extra) {
        return new TlogProof(Optional.of(extra), index, Merkle.inclusion(index, checkpoint.size(), files), note);
    }

    /** The proof that the log of one size extends that of another. */
    public List<Hash> consistency(long from, long to) {
        return Merkle.consistency(from, to, files);
    }

    /** The root of the log when it had a size. */
    public Hash root(long size) {
        return Merkle.root(size, files);
    }

    private LedgerUnavailableException unreadable(IOException e) {
        return new LedgerUnavailableException("%s cannot be read: %s".formatted(folder.directory(), e), e);
    }
}
