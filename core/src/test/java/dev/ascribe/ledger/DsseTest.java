package dev.ascribe.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DsseTest {
    @Test
    void theEncodingIsThatOfTheProtocolsOwnExample() {
        assertThat(new String(Dsse.encode("http://example.com/HelloWorld", "hello world".getBytes(UTF_8)), UTF_8))
                .isEqualTo("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assertThat(new String(Dsse.encode("tyß", "ü".getBytes(UTF_8)), UTF_8)).isEqualTo("DSSEv1 4 tyß 2 ü");
    }

    @ParameterizedTest
    @EnumSource(KeyType.class)
    void aSignatureHoldsForItsPayloadTypeAndKeyOnly(KeyType type) {
        SignerKey key = SignerKey.generate(type, "example.com/a");
        byte[] payload = "{}".getBytes(UTF_8);
        byte[] signature = Dsse.sign(Dsse.IN_TOTO, payload, key);
        assertThat(Dsse.verify(Dsse.IN_TOTO, payload, signature, key.verifierKey()))
                .isTrue();
        assertThat(Dsse.verify("text/plain", payload, signature, key.verifierKey()))
                .isFalse();
        assertThat(Dsse.verify(Dsse.IN_TOTO, "{ }".getBytes(UTF_8), signature, key.verifierKey()))
                .isFalse();
        VerifierKey other = SignerKey.generate(type, "example.com/a").verifierKey();
        assertThat(Dsse.verify(Dsse.IN_TOTO, payload, signature, other)).isFalse();
        signature[5] ^= 1;
        assertThat(Dsse.verify(Dsse.IN_TOTO, payload, signature, key.verifierKey()))
                .isFalse();
        assertThat(Dsse.verify(Dsse.IN_TOTO, payload, new byte[3], key.verifierKey()))
                .isFalse();
    }
}
