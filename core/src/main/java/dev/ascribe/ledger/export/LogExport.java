package dev.ascribe.ledger.export;

import java.io.IOException;
import java.io.OutputStream;

/**
 * A public format that a log can be written in. Every one names origin, size and root of the checkpoint that it speaks of, holds nothing
 * that is not in the public log (so no sample id, salt or content), and gives the same bytes for the same log.
 */
public interface LogExport {
    /**
     * Writes the format's document.
     *
     * @throws dev.ascribe.VerificationException when the log holds nothing that the format could speak of
     */
    void write(Excerpt excerpt, OutputStream to) throws IOException;
}
