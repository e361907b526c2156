package dev.ascribe.ledger.witness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.Progress;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.AddCheckpoint;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Cosigner;
import dev.ascribe.ledger.Draft;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.KeyType;
import dev.ascribe.ledger.Ledger;
import dev.ascribe.ledger.LedgerReader;
import dev.ascribe.ledger.LogAudit;
import dev.ascribe.ledger.SignedNote;
import dev.ascribe.ledger.SignerKey;
import dev.ascribe.ledger.VerifierKey;
import dev.ascribe.ledger.Witness;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WitnessTest {
    private static final String ORIGIN = "example.com/log";
    private static final SignerKey ML_DSA = SignerKey.generate(KeyType.ML_DSA_44_COSIGNATURE, "example.com/witness");
    private static final SignerKey ED25519 = SignerKey.generate(KeyType.ED25519_COSIGNATURE, "example.com/witness");
    private static final List<SignerKey> KEYS =
            List.of(SignerKey.generate(KeyType.ED25519, "example.com/witness"), ML_DSA, ED25519);
    private static final List<VerifierKey> VERIFIERS =
            KEYS.stream().map(SignerKey::verifierKey).toList();

    @TempDir
    private Path folder;

    private Path home;
    private Path state;
    private List<VerifierKey> logKeys = List.of();
    private final List<WitnessServer> servers = new ArrayList<>();
    private final List<Cosigner> cosigners = new ArrayList<>();

    @BeforeEach
    void makeALedger() {
        home = folder.resolve("ledger");
        state = folder.resolve("state");
        Ledger.init(home, ORIGIN, List.of(), Optional.of(folder.resolve("guard")));
        logKeys = LedgerReader.open(home).verifierKeys();
    }

    @AfterEach
    void stop() {
        servers.forEach(WitnessServer::close);
        cosigners.forEach(Cosigner::close);
        servers.clear();
        cosigners.clear();
    }

    private WitnessServer serve(Path its) {
        Cosigner cosigner = Cosigner.open(KEYS, logKeys, its);
        cosigners.add(cosigner);
        WitnessServer server = WitnessServer.start("127.0.0.1:0", cosigner);
        servers.add(server);
        return server;
    }

    private Witness witness(Path its) {
        return HttpWitness.at(serve(its).address(), VERIFIERS);
    }

    private void append(int from, int count) {
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(drafts(from, count));
        }
    }

    private static List<Draft> drafts(int from, int count) {
        List<Draft> drafts = new ArrayList<>();
        for (int i = from; i < from + count; i++) {
            SampleId sample = SampleId.of(("sample " + i).getBytes(StandardCharsets.UTF_8));
            drafts.add(Draft.ingest(i, Event.NO_RUN, sample, "rows"));
        }
        return drafts;
    }

    private SignedNote publish(Witness... witnesses) {
        try (Ledger ledger = Ledger.open(home)) {
            return ledger.publish(List.of(witnesses));
        }
    }

    private LogAudit audit() throws IOException {
        return LogAudit.of(home, logKeys, List.of(), false, Progress.SILENT);
    }

    private static List<VerifierKey> all(List<VerifierKey> keys) {
        List<VerifierKey> all = new ArrayList<>(keys);
        all.addAll(VERIFIERS.subList(1, 3));
        return all;
    }

    @Test
    void aCheckpointIsCosignedAgainAndAgainAsTheLogGrows() throws IOException {
        Witness witness = witness(state);
        publish(witness).verify(all(logKeys));
        for (int size : new int[] {1, 254, 3, 600}) {
            append(size * 1000, size);
            SignedNote note = publish(witness);
            note.verify(all(logKeys));
            assertThat(Files.readAllBytes(home.resolve("log/checkpoint"))).isEqualTo(note.bytes());
            assertThat(Files.readString(state))
                    .isEqualTo(ORIGIN + " " + audit().entries() + " "
                            + Checkpoint.parse(note.text()).root().base64() + "\n");
        }
        LedgerReader.open(home).event(3, false).checkpoint().verify(all(logKeys));
    }

    @Test
    void nothingNewIsCosignedWithoutAnotherMapEntryAndKeepsOtherWitnesses() throws IOException {
        append(0, 5);
        long entries = audit().entries();
        SignedNote once = publish(witness(state));
        SignedNote twice = publish(witness(folder.resolve("other")));
        assertThat(twice.text()).isEqualTo(once.text());
        assertThat(audit().entries()).isEqualTo(entries);
        assertThat(twice.signatures()).hasSize(4);
        assertThat(publish().toString()).isEqualTo(twice.toString());
    }

    /** Logs events, and fails to publish them: one witness accepts, the other is gone. Returns the checkpoint before. */
    private String appendAndFail(int from, int count, Witness good, Witness broken) throws IOException {
        try (Ledger ledger = Ledger.open(home)) {
            ledger.append(drafts(from, count));
            String before = Files.readString(home.resolve("log/checkpoint"));
            assertThatThrownBy(() -> ledger.publish(List.of(good, broken)))
                    .isInstanceOf(VerificationException.class)
                    .hasMessageContaining("did not cosign: it cannot be reached");
            return before;
        }
    }

    @Test
    void aWitnessThatFailsLeavesTheOldCheckpointAndALogThatHolds() throws IOException {
        append(0, 250);
        WitnessServer gone = serve(folder.resolve("gone"));
        Witness broken = HttpWitness.at(gone.address(), VERIFIERS);
        gone.close();
        Witness good = witness(state);
        publish(good);
        String before = appendAndFail(1000, 300, good, broken);
        assertThat(Files.readString(home.resolve("log/checkpoint"))).isEqualTo(before);
        long entries = audit().entries(); // which fails if there is a tile of what was not published
        long guarded = Ledger.guard(home).size();
        assertThat(guarded).as("what left the house is guarded").isGreaterThan(entries);
        assertThat(audit().entries()).as("showing the guard publishes nothing").isEqualTo(entries);
        assertThatThrownBy(() -> publish(good, broken)).isInstanceOf(VerificationException.class);
        assertThat(Files.readString(home.resolve("log/checkpoint"))).isEqualTo(before);
        publish(good).verify(all(logKeys));
        assertThat(audit().entries()).as("no second map entry").isEqualTo(guarded);
        appendAndFail(2000, 7, good, broken);
        guarded = Ledger.guard(home).size();
        append(3000, 1);
        publish(good).verify(all(logKeys));
        assertThat(audit().entries()).isEqualTo(guarded + 2);
    }

    @Test
    void theAnswersAreThoseOfTheProtocol() throws Exception {
        append(0, 5);
        LedgerReader log = LedgerReader.open(home);
        SignedNote eight = log.note();
        append(5, 7);
        log = LedgerReader.open(home);
        SignedNote sixteen = log.note();
        assertThat(Checkpoint.parse(eight.text()).size()).isEqualTo(8);
        assertThat(Checkpoint.parse(sixteen.text()).size()).isEqualTo(16);
        List<Hash> proof = log.consistency(8, 16);
        String url = serve(state).address() + "/add-checkpoint";

        assertThat(post(url, "old 0\n").statusCode()).isEqualTo(400);
        assertThat(post(url, "old 00\n\n" + eight).statusCode()).isEqualTo(400);
        assertThat(post(url, "old 9\n\n" + eight).statusCode()).isEqualTo(400);
        assertThat(post(url, "old 0\nAAAA\n\n" + eight).statusCode()).isEqualTo(400);
        assertThat(post(url, "old 0\n" + (Hash.ZERO.base64() + "\n").repeat(64) + "\n" + eight)
                        .statusCode())
                .isEqualTo(400);
        assertThat(post(url, "x".repeat(1 << 20)).statusCode()).isEqualTo(400);
        SignerKey stranger = SignerKey.generate(KeyType.ED25519, "example.com/stranger");
        SignedNote unknown = new Checkpoint("example.com/stranger", 1, Hash.ZERO).sign(List.of(stranger), 1);
        assertThat(post(url, "old 0\n\n" + unknown).statusCode()).isEqualTo(404);
        SignerKey impostor = SignerKey.generate(KeyType.ED25519, ORIGIN);
        SignedNote forged = Checkpoint.parse(eight.text()).sign(List.of(impostor), 1);
        assertThat(post(url, "old 0\n\n" + forged).statusCode()).isEqualTo(403);
        String flipped = eight.toString().replace("\n8\n", "\n9\n");
        assertThat(post(url, "old 0\n\n" + flipped).statusCode()).isEqualTo(403);
        assertThat(post(url, "old 0\n" + Hash.ZERO.base64() + "\n\n" + eight).statusCode())
                .isEqualTo(422);
        assertThat(state).doesNotExist();

        HttpResponse<String> first = post(url, "old 0\n\n" + eight);
        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(first.body().lines()).hasSize(2).allMatch(line -> line.startsWith("— example.com/witness "));
        HttpResponse<String> stale = post(url, "old 0\n\n" + sixteen);
        assertThat(stale.statusCode()).isEqualTo(409);
        assertThat(stale.body()).isEqualTo("8\n");
        assertThat(stale.headers().firstValue("Content-Type")).contains("text/x.tlog.size");
        assertThat(post(url, "old 8\n\n" + sixteen).statusCode()).isEqualTo(422);
        assertThat(post(url, text(new AddCheckpoint(8, List.of(Hash.ZERO), sixteen)))
                        .statusCode())
                .isEqualTo(422);
        assertThat(post(url, "old 8\n\n" + eight).statusCode())
                .as("the same once more")
                .isEqualTo(200);
        assertThat(post(url, "old 8\n" + Hash.ZERO.base64() + "\n\n" + eight).statusCode())
                .isEqualTo(422);
        assertThat(post(url, text(new AddCheckpoint(8, proof, sixteen))).statusCode())
                .isEqualTo(200);
        assertThat(post(url, "old 8\n\n" + eight).statusCode())
                .as("a log that shrinks")
                .isEqualTo(409);

        assertThat(post(url.replace("/add", "/sub"), "old 16\n\n" + sixteen).statusCode())
                .isEqualTo(404);
        HttpResponse<String> got = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(got.statusCode()).isEqualTo(405);

        stop();
        String again = serve(state).address() + "/add-checkpoint"; // another process would read the same state
        assertThat(post(again, "old 0\n\n" + sixteen).body()).isEqualTo("16\n");
    }

    private static String text(AddCheckpoint request) {
        return new String(request.bytes(), StandardCharsets.UTF_8);
    }

    private static HttpResponse<String> post(String url, String body) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(url))
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void aSecondWitnessWithTheSameStateIsRefused() {
        try (Cosigner first = Cosigner.open(KEYS, logKeys, state)) {
            assertThat(first.verifierKeys()).isNotEmpty();
            assertThatThrownBy(() -> Cosigner.open(KEYS, logKeys, state))
                    .isInstanceOf(LedgerUnavailableException.class)
                    .hasMessageContaining(state + " is locked");
        }
        Cosigner.open(KEYS, logKeys, state).close();
    }

    @Test
    void anEqualSizeWithAnotherRootIsNotCosigned() throws Exception {
        Cosigner cosigner = Cosigner.open(KEYS, List.of(ED25519_LOG.verifierKey()), state);
        assertThat(add(cosigner, 0, 4, "a").status()).isEqualTo(200);
        assertThat(add(cosigner, 4, 4, "b").status()).isEqualTo(422);
        assertThat(add(cosigner, 4, 4, "a").status()).isEqualTo(200);
        assertThat(Files.readString(state)).contains(" 4 " + root("a").base64());
    }

    private static final SignerKey ED25519_LOG = SignerKey.generate(KeyType.ED25519, "example.com/other");

    private static Hash root(String name) {
        return Hash.sha256(name.getBytes(StandardCharsets.UTF_8));
    }

    private static Cosigner.Answer add(Cosigner cosigner, long old, long size, String root) throws IOException {
        SignedNote note = new Checkpoint("example.com/other", size, root(root)).sign(List.of(ED25519_LOG), 1);
        return cosigner.add(new AddCheckpoint(old, List.of(), note).bytes(), 1);
    }

    @Test
    void aWitnessThatHasSeenMoreShowsThatTheLedgerWasRolledBack() throws IOException {
        SignerKey key = SignerKey.generate(KeyType.ED25519, ORIGIN);
        List<VerifierKey> keys = new ArrayList<>(logKeys);
        keys.add(key.verifierKey());
        Cosigner cosigner = Cosigner.open(KEYS, keys, state);
        SignedNote later = new Checkpoint(ORIGIN, 1000, Hash.ZERO).sign(List.of(key), 1);
        assertThat(cosigner.add(new AddCheckpoint(0, List.of(), later).bytes(), 1)
                        .status())
                .isEqualTo(200);
        WitnessServer server = WitnessServer.start("127.0.0.1:0", cosigner);
        servers.add(server);
        assertThatThrownBy(() -> publish(HttpWitness.at(server.address(), VERIFIERS)))
                .isInstanceOf(VerificationException.class)
                .hasMessageContaining(
                        "it has cosigned a checkpoint of 1000 entries, this one has 2: the ledger was rolled back");
    }

    @Test
    void aWitnessWithAnotherKeyIsNotBelieved() {
        List<VerifierKey> other = List.of(SignerKey.generate(KeyType.ML_DSA_44_COSIGNATURE, "example.com/witness")
                .verifierKey());
        String address = serve(state).address();
        assertThatThrownBy(() -> publish(HttpWitness.at(address, other)))
                .isInstanceOf(VerificationException.class)
                .hasMessageContaining("did not cosign: not signed by example.com/witness+");
    }

    @Test
    void addressesKeysAndStatesThatAreNoneAreRefused() throws IOException {
        assertThatThrownBy(() -> HttpWitness.at("witness.example.com", VERIFIERS))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("is no witness; expected an address");
        assertThatThrownBy(() -> HttpWitness.at("https://a b", VERIFIERS)).isInstanceOf(UserInputException.class);
        assertThatThrownBy(() -> HttpWitness.at("https://a", VERIFIERS.subList(0, 1)))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("makes no cosignatures");
        assertThatThrownBy(() -> Cosigner.open(KEYS.subList(0, 1), logKeys, state))
                .isInstanceOf(UserInputException.class);
        Files.writeString(state, ORIGIN + " 05 " + Hash.ZERO.base64() + "\n");
        assertThatThrownBy(() -> Cosigner.open(KEYS, logKeys, state))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageContaining("state");
        Cosigner cosigner = Cosigner.open(KEYS, logKeys, folder.resolve("other"));
        for (String listen : List.of("8080", "127.0.0.1", "127.0.0.1:99999", "a b:1")) {
            assertThatThrownBy(() -> WitnessServer.start(listen, cosigner)).isInstanceOf(UserInputException.class);
        }
        assertThatThrownBy(() -> WitnessServer.start(
                        serve(folder.resolve("third")).address().substring("http://".length()), cosigner))
                .isInstanceOf(LedgerUnavailableException.class)
                .hasMessageContaining("cannot listen at");
    }
}
