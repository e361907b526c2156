package dev.ascribe.ledger;

import dev.ascribe.CorruptDataException;
import dev.ascribe.LedgerUnavailableException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * A map as a file, with all its hashes, so that a large log opens without hashing anything. Big-endian:
 *
 * <pre>
 * "ascribe prefix map 2\n"
 * tree size u64
 * 16 × (size n u32 ‖ root reference i32 ‖ root hash (32) ‖ n leaves of 73 bytes ‖ n − 1 inner nodes of 65 bytes
 *     ‖ n − 1 links: left reference i32 ‖ right reference i32 ‖ depth u32)
 * CRC-32C of all the above, u64
 * </pre>
 *
 * <p>The bytes depend on the order of updates, unlike the map's root. The check sum finds damage, not forgery: compare the root with the log's.
 *
 * @param treeSize size of the log that the map stands for
 * @param map the map there
 */
public record MapSnapshot(long treeSize, PrefixMap map) {
    private static final String MAGIC = "ascribe prefix map 2\n";

    /**
     * Writes the file; whoever reads it sees the old one or the new one. It is not forced to the disk: a torn one is found out and the map
     * made from the log.
     *
     * @throws LedgerUnavailableException when the disk is full, or there is no permission
     */
    public void write(Path file) {
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        try {
            try {
                try (OutputStream out = Files.newOutputStream(partial)) {
                    writeTo(out);
                }
                Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException e) {
            throw new LedgerUnavailableException(
                    "%s cannot be written: %s; check space and permission".formatted(file, e), e);
        }
    }

    /** Writes the same bytes to a stream, in pieces of many kilobytes. */
    public void writeTo(OutputStream out) throws IOException {
        CRC32C sum = new CRC32C();
        DataOutputStream data = new DataOutputStream(new CheckedOutputStream(out, sum));
        data.writeBytes(MAGIC);
        data.writeLong(treeSize);
        map.write(data);
        data.writeLong(sum.getValue());
        data.flush();
    }

    /**
     * Reads a file.
     *
     * @throws CorruptDataException when it is damaged; the map can be made from the log
     * @throws LedgerUnavailableException when it cannot be read
     */
    public static MapSnapshot read(Path file) {
        CRC32C sum = new CRC32C();
        try (DataInputStream in = new DataInputStream(new CheckedInputStream(Files.newInputStream(file), sum))) {
            byte[] magic = in.readNBytes(MAGIC.length());
            if (!MAGIC.equals(new String(magic, StandardCharsets.ISO_8859_1))) {
                throw damaged(file, "does not begin as one");
            }
            long treeSize = in.readLong();
            PrefixMap map = PrefixMap.read(in);
            long expected = sum.getValue();
            if (in.readLong() != expected || in.read() >= 0) {
                throw damaged(file, "differs from its check sum");
            }
            return new MapSnapshot(treeSize, map);
        } catch (EOFException e) {
            throw new CorruptDataException(file + " is cut short; remove it, the map is then made from the log", e);
        } catch (IOException e) {
            throw new LedgerUnavailableException("%s cannot be read: %s".formatted(file, e), e);
        }
    }

    private static CorruptDataException damaged(Path file, String how) {
        return new CorruptDataException(
                "%s %s: no snapshot of a prefix map; remove it, the map is then made from the log"
                        .formatted(file, how));
    }
}
