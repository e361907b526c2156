package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.SampleId;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Random;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class CommitmentTest {
    @Test
    void aCommitmentIsTheLibrarysHmacUnderTheLibrarysHmac() throws GeneralSecurityException {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed of the keys: " + seed + " (set again by -Dseed=)");
        Random random = new Random(seed);
        for (int i = 0; i < 100; i++) {
            byte[] key = new byte[Hash.BYTES];
            random.nextBytes(key);
            byte[] id = new byte[Hash.BYTES];
            random.nextBytes(id);
            SampleId sample = SampleId.fromDigest(id);
            byte[] salt = hmac(key, "ascribe-salt-v1", id);
            assertThat(Commitment.salt(Hash.of(key), sample)).isEqualTo(Hash.of(salt));
            assertThat(Commitment.of(Hash.of(salt), sample)).isEqualTo(Hash.of(hmac(salt, "ascribe-sample-v1", id)));
        }
    }

    private static byte[] hmac(byte[] key, String label, byte[] id) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update(label.getBytes(StandardCharsets.US_ASCII));
        return mac.doFinal(id);
    }
}
