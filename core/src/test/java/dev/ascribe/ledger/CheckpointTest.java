package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.VerificationException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    /** A checkpoint of Go's checksum database. */
    private static final String GO = """
            go.sum database tree
            6476701
            mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=

            — sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=
            """;

    private static final VerifierKey GO_KEY =
            VerifierKey.parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8");

    private static final long TIME = 1_763_782_620;
    private static final String ROOT = "mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=";
    private static final Checkpoint CHECKPOINT = new Checkpoint("example.com/log", 70_004, Canonical.hash(ROOT));
    private static final SignerKey ED25519 = SignerKey.generate(KeyType.ED25519, "example.com/log");
    private static final SignerKey WITNESS = SignerKey.generate(KeyType.ED25519_COSIGNATURE, "example.com/witness");
    private static final SignerKey ML_DSA = SignerKey.generate(KeyType.ML_DSA_44_COSIGNATURE, "example.com/log");
    private static final List<SignerKey> ALL = List.of(ED25519, WITNESS, ML_DSA);
    private static final SignedNote SIGNED = CHECKPOINT.sign(ALL, TIME);

    @Test
    void aCheckpointOfGosChecksumDatabaseOpens() {
        Checkpoint checkpoint = Checkpoint.open(SignedNote.parse(GO), List.of(GO_KEY));
        assertThat(checkpoint).isEqualTo(new Checkpoint("go.sum database tree", 6_476_701, Canonical.hash(ROOT)));
        assertThat(GO).startsWith(checkpoint.text() + "\n");
    }

    @Test
    void everyKindOfKeySignsAndVerifies() {
        SignedNote note = CHECKPOINT.sign(ALL, TIME);
        assertThat(Checkpoint.open(SignedNote.parse(note.bytes()), verifiers(ALL)))
                .isEqualTo(CHECKPOINT);
        for (int i = 0; i < ALL.size(); i++) {
            VerifierKey key = ALL.get(i).verifierKey();
            SignedNote.Signature signature = note.signatures().get(i);
            assertThat(key.verify(note)).containsExactly(signature);
            assertThat(key.time(signature)).isEqualTo(key.type().isCosignature() ? TIME : 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSignatureIsBoundToOriginSizeRootNameAndKey(KeyType type) {
        SignerKey key = SignerKey.generate(type, "example.com/a");
        List<SignedNote.Signature> signatures = List.of(key.sign(CHECKPOINT.text(), TIME));
        for (Checkpoint other : List.of(
                new Checkpoint("example.com/other", CHECKPOINT.size(), CHECKPOINT.root()),
                new Checkpoint(CHECKPOINT.origin(), CHECKPOINT.size() + 1, CHECKPOINT.root()),
                new Checkpoint(CHECKPOINT.origin(), CHECKPOINT.size(), Hash.ZERO))) {
            assertThatThrownBy(
                            () -> Checkpoint.open(new SignedNote(other.text(), signatures), List.of(key.verifierKey())))
                    .isInstanceOf(VerificationException.class)
                    .hasMessageContaining("the signature of example.com/a+");
        }
        SignerKey stranger = SignerKey.generate(type, "example.com/a");
        SignedNote.Signature forged = SignedNote.Signature.of(
                "example.com/a",
                key.verifierKey().id(),
                stranger.sign(CHECKPOINT.text(), TIME).field());
        assertThatThrownBy(() ->
                        Checkpoint.open(new SignedNote(CHECKPOINT.text(), List.of(forged)), List.of(key.verifierKey())))
                .isInstanceOf(VerificationException.class);
    }

    @Test
    void anEd25519CosignatureSignsItsTimeAndTheText() {
        byte[] message = ("cosignature/v1\ntime " + TIME + "\n" + CHECKPOINT.text()).getBytes(UTF_8);
        byte[] field = WITNESS.sign(CHECKPOINT.text(), TIME).field();
        assertThat(field).hasSize(8 + 64);
        assertThat(WITNESS.verifierKey().verifies(message, Arrays.copyOfRange(field, 8, field.length)))
                .isTrue();
    }

    @Test
    void anMlDsaCosignatureSignsCosignerTimeOriginSizeAndRoot() throws IOException {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(message);
        out.writeBytes("subtree/v1\n\0");
        out.writeByte(15);
        out.writeBytes("example.com/log");
        out.writeLong(TIME);
        out.writeByte(15);
        out.writeBytes("example.com/log");
        out.writeLong(0);
        out.writeLong(70_004);
        out.write(CHECKPOINT.root().bytes());
        byte[] field = ML_DSA.sign(CHECKPOINT.text(), TIME).field();
        assertThat(field).hasSize(8 + 2420);
        assertThat(ML_DSA.verifierKey().verifies(message.toByteArray(), Arrays.copyOfRange(field, 8, field.length)))
                .isTrue();
    }

    @Property(tries = 300)
    void noBitOfASignedCheckpointCanChange(@ForAll @IntRange(max = 40_000) int any) {
        byte[] note = SIGNED.bytes();
        int bit = any % (8 * note.length);
        note[bit >> 3] ^= (byte) (1 << (bit & 7));
        assertThatThrownBy(() -> Checkpoint.open(SignedNote.parse(note), verifiers(ALL)))
                .isInstanceOf(VerificationException.class);
    }

    @Test
    void aCosignatureIsOverACheckpointOnly() {
        for (SignerKey key : List.of(WITNESS, ML_DSA)) {
            assertThatThrownBy(() -> key.sign("text\n", TIME)).isInstanceOf(VerificationException.class);
        }
    }

    @Test
    void aNegativeTimeIsRefused() {
        assertThatThrownBy(() -> WITNESS.sign(CHECKPOINT.text(), -1)).isInstanceOf(IllegalArgumentException.class);
        byte[] field = WITNESS.sign(CHECKPOINT.text(), TIME).field();
        field[0] |= (byte) 0x80;
        SignedNote note = new SignedNote(
                CHECKPOINT.text(),
                List.of(SignedNote.Signature.of(
                        WITNESS.verifierKey().name(), WITNESS.verifierKey().id(), field)));
        assertThatThrownBy(() -> Checkpoint.open(note, verifiers(List.of(WITNESS))))
                .isInstanceOf(VerificationException.class);
    }

    @Test
    void aNameOrOriginTooLongForAnMlDsaCosignatureIsRefused() {
        Checkpoint longest = new Checkpoint("o".repeat(255), 1, CHECKPOINT.root());
        Checkpoint.open(longest.sign(List.of(ML_DSA), TIME), verifiers(List.of(ML_DSA)));
        assertThatThrownBy(() -> new Checkpoint("o".repeat(256), 1, CHECKPOINT.root()).sign(List.of(ML_DSA), TIME))
                .isInstanceOf(VerificationException.class)
                .hasMessage("an ML-DSA-44 cosignature takes as origin at most 255 bytes, not 256");
    }

    @Test
    void theEmptyTreeHasOneRoot() {
        Checkpoint empty = new Checkpoint("o", 0, Hash.ofNothing());
        assertThat(empty.text()).isEqualTo("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
        assertThat(Checkpoint.parse(empty.text())).isEqualTo(empty);
        assertThatThrownBy(() -> new Checkpoint("o", 0, Hash.ZERO)).isInstanceOf(VerificationException.class);
    }

    @Test
    void linesAfterTheThirdAreLeftOut() {
        assertThat(Checkpoint.parse("o\n1\n" + ROOT + "\nan extension\n"))
                .isEqualTo(new Checkpoint("o", 1, Canonical.hash(ROOT)));
        assertThat(Checkpoint.parse("o\n9223372036854775807\n" + ROOT + "\n").size())
                .isEqualTo(Long.MAX_VALUE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                "o\n1\n",
                "o\n1\n" + ROOT,
                "\n1\n" + ROOT + "\n",
                "o\n\n" + ROOT + "\n",
                "o\n1\n\n",
                "o\n1\n" + ROOT + "\n\n",
                "o\n1\n" + ROOT + "\n\nextension\n",
                "o\n01\n" + ROOT + "\n",
                "o\n00\n" + ROOT + "\n",
                "o\n+1\n" + ROOT + "\n",
                "o\n-1\n" + ROOT + "\n",
                "o\n-0\n" + ROOT + "\n",
                "o\n1 \n" + ROOT + "\n",
                "o\n0x1\n" + ROOT + "\n",
                "o\n١\n" + ROOT + "\n",
                "o\n9223372036854775808\n" + ROOT + "\n",
                "o\n18446744073709551616\n" + ROOT + "\n",
                "o\n1\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk\n",
                "o\n1\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wl=\n",
                "o\n1\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Q==\n",
                "o\n1\n99bf102d022cd19d323f90acb6aea0ba3f3ba1759e0bd80433ca158a49a6f569\n",
                "o\to\n1\n" + ROOT + "\n"
            })
    void whatIsNoCheckpointIsRefused(String text) {
        assertThatThrownBy(() -> Checkpoint.parse(text)).isInstanceOf(VerificationException.class);
    }

    private static List<VerifierKey> verifiers(List<SignerKey> keys) {
        return keys.stream().map(SignerKey::verifierKey).toList();
    }
}
