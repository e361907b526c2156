package dev.ascribe.ledger;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * Writes a log's bundles and tiles: entries come in, {@link #flush} makes everything durable under its name. It keeps the right
 * edge of the tree: what full tiles do not hold yet.
 */
final class TileWriter implements AutoCloseable {
    /** Files that are synced at once: the file system's journal commits them together. */
    private static final int WRITERS = 64;

    private final Path log;
    private final Path temporary;
    private final ExecutorService pool = Executors.newFixedThreadPool(WRITERS);
    private final List<byte[]> bundle = new ArrayList<>(); // entries of the partial bundle
    private final List<Edge> edges = new ArrayList<>(); // of each level of tiles
    private final List<Pending> pending = new ArrayList<>();
    private final List<Path> filled = new ArrayList<>(); // where partial files of what is full now may lie
    private long size;
    private long names;

    /** The partial tile of a level. */
    private static final class Edge {
        private final byte[] hashes = new byte[Tiles.WIDTH * Hash.BYTES];
        private int width;

        Hash get(int i) {
            return Hash.of(hashes, i * Hash.BYTES, Hash.BYTES);
        }

        Hash root(int from, int count) {
            return count == 1 ? get(from) : Hash.node(root(from, count / 2), root(from + count / 2, count / 2));
        }
    }

    /** A file to be written. */
    private record Pending(String name, Bytes bytes) {}

    /** Makes a file's bytes. */
    private interface Bytes {
        byte[] get();
    }

    private TileWriter(Path log, Path temporary) {
        this.log = log;
        this.temporary = temporary;
    }

    /** Goes on behind a published log. */
    static TileWriter open(Path log, Path temporary, long size) throws IOException {
        TileWriter writer = new TileWriter(log, temporary);
        LogFiles files = new LogFiles(log, size);
        writer.size = size;
        for (int level = 0; Tiles.count(level, size) > 0; level++) {
            Edge edge = new Edge();
            edge.width = (int) (Tiles.count(level, size) % Tiles.WIDTH);
            if (edge.width > 0) {
                byte[] tile = files.tile(level, Tiles.count(level, size) / Tiles.WIDTH);
                System.arraycopy(tile, 0, edge.hashes, 0, tile.length);
            }
            writer.edges.add(edge);
        }
        if (size % Tiles.WIDTH > 0) {
            writer.bundle.addAll(files.bundle(size / Tiles.WIDTH));
        }
        return writer;
    }

    /** Entries so far. */
    long size() {
        return size;
    }

    /** Takes the next entry. */
    void add(byte[] entry, Hash leaf) {
        bundle.add(entry);
        if (bundle.size() == Tiles.WIDTH) {
            List<byte[]> entries = List.copyOf(bundle);
            pending.add(new Pending(Tiles.entries(size / Tiles.WIDTH, Tiles.WIDTH), () -> join(entries)));
            bundle.clear();
        }
        size++;
        push(0, leaf);
    }

    private void push(int level, Hash hash) {
        if (level == edges.size()) {
            edges.add(new Edge());
        }
        Edge edge = edges.get(level);
        hash.copyTo(edge.hashes, edge.width++ * Hash.BYTES);
        if (edge.width == Tiles.WIDTH) {
            byte[] tile = edge.hashes.clone();
            long number = Tiles.count(level, size) / Tiles.WIDTH - 1;
            pending.add(new Pending(Tiles.tile(level, number, Tiles.WIDTH), () -> tile));
            edge.width = 0;
            push(level + 1, edge.root(0, Tiles.WIDTH));
        }
    }

    private static byte[] join(List<byte[]> entries) {
        int length = 0;
        for (byte[] entry : entries) {
            length += Short.BYTES + entry.length;
        }
        ByteBuffer out = ByteBuffer.allocate(length);
        for (byte[] entry : entries) {
            out.putShort((short) entry.length).put(entry);
        }
        return out.array();
    }

    /** The root over all entries so far. */
    Hash root() {
        return range().root();
    }

    /** The tree over all entries so far, to be grown apart. */
    MerkleRange range() {
        List<Hash> peaks = new ArrayList<>();
        for (int bit = Long.SIZE - 1; bit >= 0; bit--) {
            if ((size >>> bit & 1) == 1) {
                int inside = bit % Tiles.HEIGHT;
                long first = ((size >>> bit) - 1) << inside;
                peaks.add(edges.get(bit / Tiles.HEIGHT).root((int) (first % Tiles.WIDTH), 1 << inside));
            }
        }
        return MerkleRange.of(size, peaks);
    }

    /** Makes everything durable, partial bundles and tiles too. */
    void flush() throws IOException {
        List<Pending> files = new ArrayList<>(pending);
        if (!bundle.isEmpty()) {
            List<byte[]> entries = List.copyOf(bundle);
            files.add(new Pending(Tiles.entries(size / Tiles.WIDTH, entries.size()), () -> join(entries)));
        }
        for (int level = 0; level < edges.size(); level++) {
            Edge edge = edges.get(level);
            if (edge.width > 0) {
                byte[] tile = Arrays.copyOf(edge.hashes, edge.width * Hash.BYTES);
                long number = Tiles.count(level, size) / Tiles.WIDTH;
                files.add(new Pending(Tiles.tile(level, number, edge.width), () -> tile));
            }
        }
        List<Future<Path>> written = new ArrayList<>();
        for (Pending file : files) {
            Path partial = temporary.resolve("tile-" + names++);
            written.add(pool.submit(() -> Durable.prepare(partial, file.bytes().get())));
        }
        Set<Path> folders = new TreeSet<>();
        for (int i = 0; i < files.size(); i++) {
            Path target = log.resolve(files.get(i).name());
            makeFolders(Durable.folderOf(target), folders);
            Durable.place(get(written.get(i)), target);
            folders.add(Durable.folderOf(target));
        }
        List<Future<Path>> synced = new ArrayList<>();
        for (Path folder : folders) {
            synced.add(pool.submit(() -> {
                Durable.sync(folder);
                return folder;
            }));
        }
        for (Future<Path> folder : synced) {
            get(folder);
        }
        pending.forEach(file -> filled.add(log.resolve(file.name() + ".p")));
        pending.clear();
    }

    /** Removes partial files that have become full ones; to be called when no published checkpoint needs them any more. */
    void tidy() throws IOException {
        for (Path partials : filled) {
            removePartials(partials);
        }
        filled.clear();
    }

    /** Makes folders, and remembers whose names must be made durable. */
    private void makeFolders(Path folder, Set<Path> changed) throws IOException {
        if (!Files.isDirectory(folder)) {
            makeFolders(Durable.folderOf(folder), changed);
            Files.createDirectory(folder);
            changed.add(Durable.folderOf(folder));
        }
    }

    private static void removePartials(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            try (Stream<Path> partials = Files.list(folder)) {
                for (Path partial : partials.toList()) {
                    Files.delete(partial);
                }
            }
            Files.delete(folder);
        }
    }

    private static Path get(Future<Path> future) throws IOException {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
