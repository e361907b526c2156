package dev.ascribe.ledger;

import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * Writes a {@link MapSnapshot} a few subtrees at a time, while the map goes on changing between the times, so that no checkpoint waits for
 * a large file. A subtree that is written later holds what came after the size that the snapshot names, but never more than is published by then. Whoever reads
 * it replays the published log from that size on: every subject of those entries gets its last value, whether its subtree had it or not. A log
 * that was put back to a shorter one gives another root, and the map is made from the entries alone.
 */
final class SnapshotWriter implements AutoCloseable {
    private static final int AT_ONCE = 2; // of 16 subtrees

    private final Path file;
    private final Path partial;
    private final long treeSize;
    private final CRC32C sum = new CRC32C();
    private final FileChannel channel;
    private final DataOutputStream data;
    private int written;

    /** @param treeSize size of the log that the map stands for now */
    SnapshotWriter(Path file, long treeSize) throws IOException {
        this.file = file;
        this.partial = file.resolveSibling(file.getFileName() + ".partial");
        this.treeSize = treeSize;
        this.channel = FileChannel.open(
                partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        this.data = new DataOutputStream(new CheckedOutputStream(Channels.newOutputStream(channel), sum));
        data.writeBytes(MapSnapshot.MAGIC);
        data.writeLong(treeSize);
    }

    long treeSize() {
        return treeSize;
    }

    /**
     * Writes the next subtrees; the file gets its name with the last ones. They are forced to the disk, so that the tiles that are synced
     * next do not wait for all of a large file.
     *
     * @return whether it is done
     */
    boolean next(PrefixMap map) throws IOException {
        for (int end = Math.min(written + AT_ONCE, PrefixMap.TRIES); written < end; written++) {
            map.write(written, data);
        }
        channel.force(false);
        if (written < PrefixMap.TRIES) {
            return false;
        }
        data.writeLong(sum.getValue());
        data.close();
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return true;
    }

    /** Takes away what is unfinished. */
    @Override
    public void close() throws IOException {
        data.close();
        Files.deleteIfExists(partial);
    }
}
