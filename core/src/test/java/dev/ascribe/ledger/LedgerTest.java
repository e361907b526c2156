package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
    private static final UUID RUN = new UUID(1, 2);

    @TempDir
    private Path folder;

    private Path home;
    private List<VerifierKey> keys = List.of();

    @BeforeEach
    void makeALedger() {
        home = folder.resolve("ledger");
        Checkpoint first = Ledger.init(home, "example.com/test", List.of(), Optional.of(folder.resolve("guard")));
        assertThat(first.size()).isEqualTo(2);
        keys = LedgerReader.open(home).verifierKeys();
    }

    private static SampleId sample(int number) {
        return SampleId.of(("sample " + number).getBytes(StandardCharsets.UTF_8));
    }

    private static List<Draft> ingests(int from, int to) {
        List<Draft> drafts = new ArrayList<>();
        for (int i = from; i < to; i++) {
            drafts.add(Draft.ingest(1000 + i, RUN, sample(i), "rows.jsonl"));
        }
        return drafts;
    }

    private LogAudit audit() throws IOException {
        return LogAudit.of(home, keys, List.of(), false, Progress.SILENT);
    }

    @Test
    void whatWasAppendedIsThereAfterReopeningAndTheWholeLogHolds() throws IOException {
        try (Ledger ledger = Ledger.open(home)) {
            assertThat(ledger.append(ingests(0, 300))).isEqualTo(2);
            assertThat(ledger.append(List.of(
                            Draft.batch(5, RUN, sample(7), 1, 2, 3),
                            Draft.transform(6, RUN, sample(900), "tokenize", List.of(sample(7), sample(8)), "bpe"),
                            Draft.contribution(
                                    7, RUN, sample(7), "gradient-cosine", sample(5000), 0.5, List.of(Hash.ZERO)),
                            Draft.ofRun(
                                    8,
                                    RUN,
                                    new EventBody.Checkpoint(Hash.ZERO, 9, 1.5, OptionalDouble.empty(), true)))))
                    .isEqualTo(302);
        }
        LedgerReader reader = LedgerReader.open(home);
        assertThat(reader.history(reader.commitment(sample(7)).orElseThrow()))
                .extracting(LedgerReader.Logged::index)
                .containsExactly(9L, 302L, 304L);
        assertThat(reader.history(Event.subjectOf(RUN))).hasSize(1);
        LogAudit audit = audit();
        assertThat(audit.entries()).isEqualTo(307);
        assertThat(audit.subjects()).isEqualTo(302);
        assertThat(audit.checkpoint()).isEqualTo(reader.checkpoint());
        try (Ledger ledger = Ledger.open(home)) {
            assertThat(ledger.publish().toString()).isEqualTo(reader.note().toString());
            assertThat(ledger.append(List.of(Draft.batch(9, RUN, sample(7), 2, 1, 1))))
                    .isEqualTo(307);
        }
        assertThat(LogAudit.of(home, keys, List.of(reader.note()), false, Progress.SILENT)
                        .entries())
                .isEqualTo(309);
    }

    @Test
    void sizesAroundTileBoundariesHold() throws IOException {
        int done = 0;
        for (int size : new int[] {1, 250, 252, 253, 254, 255, 256, 300, 511, 512, 1030}) {
            try (Ledger ledger = Ledger.open(home)) {
                ledger.append(ingests(done, size));
                done = size;
            }
            assertThat(audit().subjects()).isEqualTo(size);
            LedgerReader reader = LedgerReader.open(home);
            Evidence last = Evidence.of(
                    TlogProof.parse(
                            reader.event(reader.checkpoint().size() - 2, true).text()),
                    keys);
            assertThat(last.sample()).contains(sample(size - 1));
        }
    }

    @Test
    void everyProofHoldsAndEveryFlippedBitOfOneIsRefused() throws IOException {
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(ingests(0, 20));
            ledger.append(List.of(Draft.batch(5, RUN, sample(7), 1, 2, 3)));
        }
        LedgerReader reader = LedgerReader.open(home);
        Hash subject = reader.commitment(sample(7)).orElseThrow();
        assertHolds(reader.event(9, true), Optional.of(sample(7)), 1);
        assertHolds(reader.event(9, false), Optional.empty(), 1);
        assertHolds(reader.historyProof(subject, true), Optional.of(sample(7)), 2);
        assertHolds(reader.historyProof(reader.commitment(sample(99)).orElseThrow(), false), Optional.empty(), 0);
        assertHolds(reader.absence(sample(99)), Optional.of(sample(99)), 0);
    }

    private void assertHolds(TlogProof proof, Optional<SampleId> sample, int events) {
        Evidence evidence = Evidence.of(TlogProof.parse(proof.text()), keys);
        assertThat(evidence.sample()).isEqualTo(sample);
        assertThat(evidence.events()).hasSize(events);
        byte[] extra = proof.extra().orElseThrow().encode();
        for (int bit = 0; bit < extra.length * 8; bit += 3) {
            byte[] changed = extra.clone();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            try {
                LedgerProof other = LedgerProof.decode(changed);
                Evidence says = Evidence.of(
                        new TlogProof(Optional.of(other), proof.index(), proof.path(), proof.checkpoint()), keys);
                // another subject without events in the same empty place: true, and not what was said before
                assertThat(evidence.events())
                        .as("bit %d of %s", bit, evidence.kind())
                        .isEmpty();
                assertThat(says.events()).isEmpty();
                assertThat(says.subject()).isNotEqualTo(evidence.subject());
            } catch (VerificationException e) {
                assertThat(e).hasMessageNotContaining("null");
            }
        }
    }

    @Test
    void rulesAreKeptAndNothingIsWrittenWhenOneIsBroken() {
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(ingests(0, 3));
            assertRefused(
                    ledger,
                    1,
                    "a sample's first event must be 'ingest' or 'transform'",
                    List.of(Draft.ingest(1, RUN, sample(50), ""), Draft.batch(1, RUN, sample(51), 1, 1, 1)));
            assertRefused(
                    ledger,
                    0,
                    "a parent has no earlier event: log its 'ingest' first",
                    List.of(Draft.transform(1, RUN, sample(60), "clean", List.of(sample(61)), "")));
            assertRefused(
                    ledger,
                    0,
                    "a sample cannot be its own parent",
                    List.of(Draft.transform(1, RUN, sample(1), "clean", List.of(sample(1)), "")));
            assertThat(ledger.append(ingests(3, 4))).isEqualTo(5);
        }
        LedgerReader reader = LedgerReader.open(home);
        assertThat(reader.history(reader.commitment(sample(50)).orElseThrow())).isEmpty();
    }

    private static void assertRefused(Ledger ledger, int position, String reason, List<Draft> drafts) {
        assertThatThrownBy(() -> ledger.append(drafts)).isInstanceOfSatisfying(RefusedDraftException.class, e -> {
            assertThat(e.position()).isEqualTo(position);
            assertThat(e).hasMessage(reason);
        });
    }

    @Test
    void anErasedSampleLeavesNoTraceAndItsOldProofsStillHold() throws IOException {
        TlogProof before;
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(ingests(0, 40));
            ledger.publish();
            before = LedgerReader.open(home).event(9, true);
            assertThat(ledger.erase(sample(7), "asked", 77)).isEqualTo(43);
            assertThatThrownBy(() -> ledger.erase(sample(7), "asked", 77)).isInstanceOf(VerificationException.class);
            // the content comes again: it is another subject now
            ledger.append(ingests(7, 8));
        }
        assertThat(Evidence.of(before, keys).sample()).contains(sample(7));
        LedgerReader reader = LedgerReader.open(home);
        assertThat(reader.history(reader.commitment(sample(7)).orElseThrow())).hasSize(1);
        assertThat(reader.history(reader.event(9).subject()))
                .extracting(logged -> logged.event().body().type())
                .containsExactly(EventBody.Type.INGEST, EventBody.Type.DELETE);
        assertThat(audit().subjects()).isEqualTo(41);
    }

    @Test
    void afterAnErasureNoFileHoldsTheIdOrTheSalt() throws IOException {
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(ingests(0, 40));
            ledger.publish();
            assertThat(filesWith(sample(7).bytes())).isNotEmpty().allMatch(name -> name.startsWith("private"));
            ledger.erase(sample(7), "asked", 77);
        }
        assertThat(filesWith(sample(7).bytes())).isEmpty();
        assertThatThrownBy(() -> LedgerReader.open(home).absence(sample(7)))
                .isInstanceOf(VerificationException.class)
                .hasMessage("cannot be shown: an erased sample shares its bucket");
    }

    private List<String> filesWith(byte[] wanted) throws IOException {
        String hex = HexFormat.of().formatHex(wanted);
        List<String> found = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(home)) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                if (HexFormat.of().formatHex(Files.readAllBytes(file)).contains(hex)) {
                    found.add(home.relativize(file).toString());
                }
            }
        }
        return found;
    }

    @Test
    void aSecondWriterIsRefused() {
        try (Ledger ledger = Ledger.open(home)) {
            assertThat(ledger.checkpoint().size()).isEqualTo(2);
            assertThatThrownBy(() -> Ledger.open(home))
                    .isInstanceOf(LedgerUnavailableException.class)
                    .hasMessageContaining("locked");
        }
    }

    @Test
    void anOlderCopyIsRefusedAsRolledBackAndAnotherFutureAsForked() throws IOException {
        Path copy = folder.resolve("copy");
        copy(home, copy);
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(ingests(0, 5));
        }
        assertThatThrownBy(() -> Ledger.open(copy))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageContaining("rolled back: the ledger has 2 entries, but a checkpoint of 8 was signed");
        assertThat(Ledger.resetGuard(copy).size()).isEqualTo(2);
        try (Ledger ledger = Ledger.open(copy)) {
            ledger.append(ingests(10, 20));
        }
        assertThatThrownBy(() -> Ledger.open(home))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageContaining("rolled back: the ledger has 8 entries, but a checkpoint of 13 was signed");
        Ledger.resetGuard(home);
        assertThatThrownBy(() -> Ledger.open(copy))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageContaining("forked: the ledger of 13 entries has another root at size 8");
        Files.delete(folder.resolve("guard"));
        assertThatThrownBy(() -> Ledger.open(home))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageContaining("guard missing");
        assertThat(LedgerReader.open(home).checkpoint().size()).isEqualTo(8); // reading needs no guard
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> walk = Files.walk(from)) {
            for (Path path : walk.toList()) {
                Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    @Test
    void whatOnlyTheWriteAheadLogHoldsIsThereAfterACrash() throws IOException {
        Path crashed = folder.resolve("crashed");
        Ledger ledger = Ledger.open(home);
        try {
            ledger.append(ingests(0, 5));
            ledger.append(ingests(5, 9));
            copy(home, crashed); // as a killed process would leave it, published or not
        } finally {
            ledger.close();
        }
        Files.delete(folder.resolve("guard"));
        Ledger.resetGuard(crashed);
        try (Ledger again = Ledger.open(crashed)) {
            assertThat(again.append(ingests(9, 10))).isGreaterThanOrEqualTo(11);
        }
        assertThat(LogAudit.of(crashed, keys, List.of(), false, Progress.SILENT).subjects())
                .isEqualTo(10);
    }

    @Test
    void aSnapshotOfTheMapThatWasWrittenInPiecesOpensWheneverItsWriterIsKilled() throws IOException {
        Random random = new Random(5);
        List<Path> killed = new ArrayList<>();
        List<MapLoader.Loaded> maps = new ArrayList<>();
        Map<Hash, PrefixMap.Value> heads = new HashMap<>();
        try (Ledger ledger = Ledger.open(home, 30, 3_600_000)) {
            for (int round = 0; round < 24; round++) {
                List<Draft> drafts = ingests(20 * round, 20 * round + 20);
                for (int i = 0; i < 20; i++) {
                    drafts.add(Draft.batch(i, RUN, sample(random.nextInt(20 * round + 20)), 1, round, i));
                }
                List<Ledger.Prepared> prepared = ledger.prepare(drafts, new long[drafts.size()]);
                ledger.commit(prepared);
                for (Ledger.Prepared one : prepared) {
                    heads.put(one.subject(), one.head());
                }
                ledger.publish();
                Path copy = folder.resolve("killed-" + round);
                copy(home, copy);
                killed.add(copy);
                MapLoader.Loaded loaded = load(copy, copy);
                heads.forEach((subject, head) ->
                        assertThat(loaded.map().find(subject)).contains(head));
                assertThat(loaded.map().size()).isEqualTo(heads.size());
                maps.add(loaded);
            }
        }
        assertThat(maps.stream().filter(loaded -> loaded.snapshot() > 0).count())
                .as("maps that came from a snapshot")
                .isGreaterThan(15);
        for (int round = 1; round < killed.size(); round++) {
            if (maps.get(round).snapshot()
                    > maps.get(round - 1).snapshot()) { // its last piece is newer than the older log
                assertThat(load(killed.get(round), killed.get(round - 1)).map().root())
                        .isEqualTo(maps.get(round - 1).map().root());
            }
        }
        Path last = killed.getLast();
        Ledger.resetGuard(last);
        try (Ledger again = Ledger.open(last)) {
            again.append(ingests(480, 490));
        }
        assertThat(LogAudit.of(last, keys, List.of(), false, Progress.SILENT).subjects())
                .isEqualTo(490);
    }

    /** The map of a log, with the snapshot of one that may be another. */
    private MapLoader.Loaded load(Path snapshot, Path log) throws IOException {
        LedgerFolder there = new LedgerFolder(log);
        long size = Checkpoint.open(there.note(), keys).size();
        return MapLoader.load(new LedgerFolder(snapshot).map(), new LogFiles(there.log(), size), size);
    }

    @Test
    void aLedgerIsNotMadeWhereSomethingLies() throws IOException {
        Path full = Files.createDirectory(folder.resolve("full"));
        Files.createFile(full.resolve("file"));
        assertThatThrownBy(() -> Ledger.init(full, "example.com/x", List.of(), Optional.of(folder.resolve("g2"))))
                .isInstanceOf(UserInputException.class)
                .hasMessage(full + " is not empty; give a new folder");
        assertThatThrownBy(() -> Ledger.init(
                        folder.resolve("new"), "example.com/x", List.of(), Optional.of(folder.resolve("guard"))))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("the guard " + folder.resolve("guard") + " exists");
        assertThatThrownBy(() -> Ledger.open(full)).isInstanceOf(UserInputException.class);
        assertThat(full.toFile().list()).containsExactly("file");
    }

    @Test
    void aLedgerThatCannotBeMadeLeavesNothingBehind() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        Path empty = Files.createDirectory(folder.resolve("empty"));
        for (Path place : List.of(folder.resolve("new"), empty)) { // all goes well until the guard's folder is a file
            assertThatThrownBy(() -> Ledger.init(place, "example.com/x", List.of(), Optional.of(file.resolve("guard"))))
                    .isInstanceOf(LedgerUnavailableException.class)
                    .hasMessageStartingWith(place + " cannot be written");
            Ledger.init(place, "example.com/x", List.of(), Optional.of(folder.resolve(place.getFileName() + ".guard")));
        }
        Path third = folder.resolve("third");
        assertThatThrownBy(() -> Ledger.init(third, "example.com/x", List.of(), Optional.of(file.resolve("guard"))))
                .isInstanceOf(LedgerUnavailableException.class);
        assertThat(third).doesNotExist();
    }
}
