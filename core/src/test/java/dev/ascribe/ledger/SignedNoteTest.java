package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.VerificationException;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignedNoteTest {
    /** The example of C2SP's signed-note. */
    private static final String EXAMPLE = "This is an example message.\n\n— example.com/foo"
            + " Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    private static final VerifierKey EXAMPLE_KEY =
            VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");

    /** The example of golang.org/x/mod/sumdb/note, with a second signature whose key is not given. */
    private static final String GO_EXAMPLE =
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
                    + "— PeterNeumann"
                    + " x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
                    + "— EnochRoot"
                    + " rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

    private static final VerifierKey GO_KEY =
            VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");

    private static final SignerKey SIGNER = SignerKey.generate(KeyType.ED25519, "example.com/log");

    @Test
    void publicExamplesVerify() {
        SignedNote note = SignedNote.parse(EXAMPLE);
        note.verify(List.of(EXAMPLE_KEY));
        assertThat(note.text()).isEqualTo("This is an example message.\n");
        SignedNote.parse(GO_EXAMPLE).verify(List.of(GO_KEY));
    }

    @Test
    void theKeysOfTheExamplesHaveTheirOwnText() {
        assertThat(EXAMPLE_KEY).hasToString("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
        assertThat(EXAMPLE_KEY)
                .isEqualTo(VerifierKey.parse(EXAMPLE_KEY.toString()))
                .isNotEqualTo(GO_KEY);
    }

    @Test
    void aNoteIsWrittenAsItWasRead() {
        assertThat(SignedNote.parse(GO_EXAMPLE)).hasToString(GO_EXAMPLE);
        assertThat(SignedNote.parse(GO_EXAMPLE.getBytes(UTF_8)).bytes()).isEqualTo(GO_EXAMPLE.getBytes(UTF_8));
    }

    @Test
    void everyKeyMustHaveSigned() {
        assertThatThrownBy(() -> SignedNote.parse(GO_EXAMPLE).verify(List.of(GO_KEY, EXAMPLE_KEY)))
                .isInstanceOf(VerificationException.class)
                .hasMessage("not signed by example.com/foo+530d903a");
        assertThatThrownBy(() -> SignedNote.parse(GO_EXAMPLE).verify(List.of()))
                .isInstanceOf(VerificationException.class)
                .hasMessage("a note cannot be verified without a key");
    }

    @Test
    void noBitOfANoteCanChange() {
        byte[] note = EXAMPLE.getBytes(UTF_8);
        for (int bit = 0; bit < 8 * note.length; bit++) {
            byte[] changed = note.clone();
            changed[bit >> 3] ^= (byte) (1 << (bit & 7));
            assertThatThrownBy(() -> SignedNote.parse(changed).verify(List.of(EXAMPLE_KEY)))
                    .as("bit %d", bit)
                    .isInstanceOf(VerificationException.class);
        }
    }

    @Test
    void aWrongSignatureBesideARightOneIsRefused() {
        SignedNote right = sign("a\n");
        SignedNote wrong = sign("b\n");
        for (List<SignedNote> order : List.of(List.of(right, wrong), List.of(wrong, right))) {
            SignedNote both = new SignedNote(
                    "a\n",
                    order.stream().flatMap(note -> note.signatures().stream()).toList());
            assertThatThrownBy(() -> both.verify(List.of(SIGNER.verifierKey())))
                    .isInstanceOf(VerificationException.class)
                    .hasMessageContaining("is wrong");
        }
    }

    @Test
    void anotherSignatureOfAKeyTakesThePlaceOfItsFirst() {
        SignedNote note = SignedNote.parse(GO_EXAMPLE);
        SignedNote.Signature first = note.signatures().getFirst();
        assertThat(note.with(List.of(first)).signatures())
                .containsExactly(note.signatures().getLast(), first);
        SignedNote.Signature other = SIGNER.sign(note.text(), 0);
        assertThat(note.with(List.of(other)).signatures()).hasSize(3).endsWith(other);
    }

    @Test
    void theTextEndsAtTheLastBlankLine() {
        String text = "one\n\ntwo\n\n\nthree: é 检 🙂\n";
        assertThat(SignedNote.parse(sign(text).toString()).text()).isEqualTo(text);
        SignedNote.parse(sign(text).toString()).verify(List.of(SIGNER.verifierKey()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                "text\n",
                "text\n\n",
                "text\n— a AAAAAAA=\n",
                "text\n\n— a AAAAAAA=",
                "text\n\n— a AAAAAAA=\n\n",
                "text\n\n— a AAAAAAA=\nPS\n",
                "text\n\n- a AAAAAAA=\n",
                "text\n\n–  a AAAAAAA=\n",
                "text\n\n—  a AAAAAAA=\n",
                "text\n\n— a  AAAAAAA=\n",
                "text\n\n— a AAAAAAA= \n",
                "text\n\n— a\u00a0b AAAAAAA=\n",
                "text\n\n— a\u0085b AAAAAAA=\n",
                "text\n\n— a\u3000b AAAAAAA=\n",
                "text\n\n— a+b AAAAAAA=\n",
                "text\n\n— a AAAAAA==\n",
                "text\n\n— a AAAAAAA\n",
                "text\n\n— a AAAAAAB=\n",
                "text\n\n— a AAAA-AA=\n",
                "te\txt\n\n— a AAAAAAA=\n",
                "te\0xt\n\n— a AAAAAAA=\n",
                "text\r\n\r\n— a AAAAAAA=\r\n",
                "te\ud800xt\n\n— a AAAAAAA=\n"
            })
    void whatIsNoNoteIsRefused(String note) {
        assertThatThrownBy(() -> SignedNote.parse(note)).isInstanceOf(VerificationException.class);
    }

    @Test
    void theFormThatTheRefusedOnesDepartFromIsAccepted() {
        assertThatCode(() -> SignedNote.parse("text\n\n— a AAAAAAA=\n")).doesNotThrowAnyException();
    }

    @Test
    void bytesThatAreNotUtf8AreRefused() {
        byte[] note = "te?xt\n\n— a AAAAAAA=\n".getBytes(UTF_8);
        note[2] = (byte) 0xff;
        assertThatThrownBy(() -> SignedNote.parse(note))
                .isInstanceOf(VerificationException.class)
                .hasMessage("the note is not valid UTF-8");
    }

    @Test
    void aNoteHasAtMostAHundredSignatures() {
        SignedNote.Signature one = sign("a\n").signatures().getFirst();
        SignedNote most = new SignedNote("a\n", Collections.nCopies(100, one));
        SignedNote.parse(most.toString()).verify(List.of(SIGNER.verifierKey()));
        assertThatThrownBy(() -> new SignedNote("a\n", Collections.nCopies(101, one)))
                .isInstanceOf(VerificationException.class)
                .hasMessage("a note has 1 to 100 signatures, not 101");
    }

    @Property(tries = 500)
    void anyBytesAreReadOrRefused(@ForAll @Size(max = 60) byte[] bytes) {
        assertThatThrownBy(() -> SignedNote.parse(bytes)).isInstanceOf(VerificationException.class);
    }

    private static SignedNote sign(String text) {
        return new SignedNote(text, List.of(SIGNER.sign(text, 0)));
    }
}
