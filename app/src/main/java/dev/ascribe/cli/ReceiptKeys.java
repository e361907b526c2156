package dev.ascribe.cli;

import dev.ascribe.UserInputException;
import dev.ascribe.WholeFile;
import dev.ascribe.ledger.Dsse;
import dev.ascribe.ledger.LedgerReader;
import dev.ascribe.ledger.SignerKey;
import dev.ascribe.ledger.VerifierKey;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What signs a receipt: keys of a file, or a ledger's own. Every one of them signs. */
@FunctionalInterface
interface ReceiptKeys {
    /** Signs a payload of {@link Dsse#IN_TOTO}. */
    Map<VerifierKey, byte[]> sign(byte[] payload);

    /** The keys that a command names; refused before any work is done. */
    static ReceiptKeys of(@Nullable Path file, @Nullable Path ledger) {
        if (file != null) {
            List<SignerKey> keys = LedgerCommand.signerKeys(file);
            return payload -> {
                Map<VerifierKey, byte[]> signatures = new LinkedHashMap<>();
                keys.forEach(key -> signatures.put(key.verifierKey(), Dsse.sign(Dsse.IN_TOTO, payload, key)));
                return signatures;
            };
        }
        if (ledger == null) {
            throw new UserInputException(
                    "--receipt needs a key: give --receipt-key FILE (ascribe ledger keygen makes one), or --ledger DIR, whose own key signs then");
        }
        return payload -> LedgerReader.open(ledger).sign(Dsse.IN_TOTO, payload);
    }

    /** Signs a receipt and writes it. */
    default void write(Path file, Receipt receipt) {
        byte[] statement = receipt.statement();
        WholeFile.write(file, new Envelope(Dsse.IN_TOTO, statement, sign(statement)).json());
    }
}
