package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.UserInputException;
import java.nio.ByteBuffer;
import java.security.KeyPair;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeysTest {
    private static final String NAME = "example.com/log";

    @Test
    void anEd25519SeedGivesTheKeyOfRfc8032() {
        KeyPair pair = KeyType.ED25519.keyPair(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
        assertThat(KeyType.ED25519.raw(pair.getPublic()))
                .isEqualTo(hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
        assertThat(KeyType.ED25519.sign(pair.getPrivate(), new byte[0]))
                .isEqualTo(hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                        + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"));
    }

    /** Key generation, test case 1 of NIST's ACVP for FIPS 204. */
    @Test
    void anMlDsaSeedGivesTheKeyOfNist() {
        KeyType type = KeyType.ML_DSA_44_COSIGNATURE;
        byte[] raw = type.raw(type.keyPair(hex("d71361c000f9a7bc99dfb425bcb6bb27c32c36ab444ff3708b2d93b4e66d5b5b"))
                .getPublic());
        assertThat(raw)
                .hasSize(1312)
                .startsWith(hex("b845fa2881407a59183071629b08223128116014fb58ff6bb4c8c9fe19cf5b0b"));
        assertThat(Hash.sha256(raw)).hasToString("451a808c522218fadbdab146fc12004b0741c7d069f238f43ad77216159f6a34");
    }

    @ParameterizedTest
    @EnumSource
    void keysAreReadAsTheyAreWritten(KeyType type) {
        SignerKey key = SignerKey.generate(type, NAME);
        assertThat(SignerKey.parse(key.secretText()).secretText()).isEqualTo(key.secretText());
        assertThat(SignerKey.parse(key.secretText()).verifierKey()).isEqualTo(key.verifierKey());
        assertThat(VerifierKey.parse(key.verifierKey().toString())).isEqualTo(key.verifierKey());
        assertThat(VerifierKey.parse(key.verifierKey().toString())).hasToString(key.toString());
        assertThat(key.verifierKey().type()).isEqualTo(type);
        assertThat(key.verifierKey().name()).isEqualTo(NAME);
        assertThat(key.toString())
                .doesNotContain(key.secretText().split("\\+", 5)[4].substring(2));
    }

    @ParameterizedTest
    @EnumSource
    void bytesOtherThanANotesAreSigned(KeyType type) {
        SignerKey key = SignerKey.generate(type, NAME);
        byte[] message = "DSSEv1".getBytes(UTF_8);
        byte[] signature = key.signBytes(message);
        assertThat(key.verifierKey().verifies(message, signature)).isTrue();
        assertThat(key.verifierKey().verifies("DSSEv2".getBytes(UTF_8), signature))
                .isFalse();
        assertThat(key.verifierKey().verifies(message, new byte[3])).isFalse();
    }

    @Test
    void generatedKeysDiffer() {
        assertThat(SignerKey.generate(KeyType.ED25519, NAME).secretText())
                .isNotEqualTo(SignerKey.generate(KeyType.ED25519, NAME).secretText());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "example.com/foo",
                "example.com/foo+530d903a",
                "example.com/foo+530d903a+",
                "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                "example.com/fou+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                "example.com/foo+530d903a+B+kyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==",
                "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
                "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                "exam ple+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
            })
    void whatIsNoVerifierKeyIsRefused(String text) {
        assertThatThrownBy(() -> VerifierKey.parse(text))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("is no verifier key");
    }

    /** y = 2 has no x on the curve. */
    @Test
    void aPublicKeyThatIsNoPointIsRefused() {
        byte[] raw = new byte[32];
        raw[0] = 2;
        assertThatThrownBy(() -> KeyType.ED25519.publicKey(raw)).hasMessageContaining("not a public key of Ed25519");
    }

    @Test
    void whatIsNoSignerKeyIsRefusedWithoutShowingIt() {
        String key = SignerKey.generate(KeyType.ED25519, NAME).secretText();
        String[] parts = key.split("\\+", 5);
        String data = parts[4];
        String otherId = parts[3].startsWith("0") ? "1" + parts[3].substring(1) : "0" + parts[3].substring(1);
        for (String wrong : new String[] {
            "",
            key.substring(1),
            key + "\n",
            key.replace(data, data.substring(4)),
            key.replace(data, data.substring(0, 43)),
            key.replace("+" + parts[3] + "+", "+" + otherId + "+"),
            key.replace(NAME, "other"),
            key.replace(NAME, ""),
            key.replace("+" + data, "+Bw" + data.substring(2)),
        }) {
            assertThatThrownBy(() -> SignerKey.parse(wrong))
                    .isInstanceOf(UserInputException.class)
                    .hasMessageNotContaining(data.substring(10, 40));
        }
    }

    @Test
    void aNameWithASpaceOrPlusIsRefused() {
        assertThatThrownBy(() -> SignerKey.generate(KeyType.ED25519, "a b"))
                .isInstanceOf(UserInputException.class)
                .hasMessage("no key can be made: 'a b' is no key name; expected text without spaces and '+'");
        assertThatThrownBy(() -> SignerKey.generate(KeyType.ED25519, "a+b")).isInstanceOf(UserInputException.class);
    }

    @Test
    void aNameTooLongForACosignatureIsRefused() {
        SignerKey.generate(KeyType.ML_DSA_44_COSIGNATURE, "n".repeat(255));
        SignerKey.generate(KeyType.ED25519, "n".repeat(256));
        assertThatThrownBy(() -> SignerKey.generate(KeyType.ML_DSA_44_COSIGNATURE, "n".repeat(256)))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("takes as cosigner name at most 255 bytes, not 256");
    }

    @Test
    void aKeyIdIsTheHashOfNameTypeAndKey() {
        VerifierKey key = SignerKey.generate(KeyType.ED25519, NAME).verifierKey();
        byte[] typed = Base64.getDecoder().decode(key.toString().split("\\+", 3)[2]);
        byte[] hash = Hash.sha256((NAME + "\n").getBytes(UTF_8), typed).bytes();
        assertThat(key.id()).isEqualTo(ByteBuffer.wrap(hash).getInt());
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }
}
