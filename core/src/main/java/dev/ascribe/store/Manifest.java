package dev.ascribe.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.ascribe.CorruptDataException;
import dev.ascribe.Digests;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * {@code manifest.json}: what the other files must be. Its last line is the SHA-256 of everything before that line, which
 * makes it at once the manifest's own checksum and the name of the store's content.
 *
 * @param segmentRows rows of a full segment
 * @param rows rows that are durable
 * @param planned rows when finished
 * @param rowTable SHA-256 of {@code rows.bin}
 * @param checksums SHA-256 of all segments' block checksums in order
 * @param digest the last line's
 */
record Manifest(
        StoreSpec spec,
        int segmentRows,
        int rows,
        int planned,
        boolean complete,
        String rowTable,
        String checksums,
        String digest) {
    static final String FORMAT = "ascribe/features/1";
    static final String FILE = "manifest.json";
    static final String TEMPORARY = "manifest.json.tmp";

    private static final String SEAL = ",\n  \"digest\" : \"";
    private static final String END = "\"\n}\n";
    /** Far above any real one, far below what would hurt. */
    private static final long SIZE_LIMIT = 64 << 20;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .build();
    private static final ObjectWriter WRITER = JSON.writer(new DefaultPrettyPrinter()
            .withObjectIndenter(new DefaultIndenter("  ", "\n"))
            .withArrayIndenter(new DefaultIndenter("  ", "\n")));

    /** The JSON, in order, without the seal. */
    private record Document(
            String format,
            Dtype dtype,
            int width,
            int segmentRows,
            int rows,
            int planned,
            boolean complete,
            List<Block> blocks,
            Map<String, String> identity,
            String rowTable,
            String checksums) {}

    Manifest {
        if (rows < 0 || planned < 1 || rows > planned || (complete && rows != planned)) {
            throw new IllegalArgumentException("%d of %d rows, complete %s".formatted(rows, planned, complete));
        }
        if (segmentRows < 1 || segmentRows > Math.max(1, FeatureStoreWriter.SEGMENT_LIMIT / spec.stride())) {
            throw new IllegalArgumentException("%d rows of %d bytes a segment".formatted(segmentRows, spec.stride()));
        }
    }

    /** Writes it so that either the old or the new one is there after a crash, and returns it with its digest. */
    static Manifest commit(
            Path directory,
            StoreSpec spec,
            int segmentRows,
            int rows,
            int planned,
            boolean complete,
            String rowTable,
            String checksums)
            throws IOException {
        Document document = new Document(
                FORMAT,
                spec.dtype(),
                spec.width(),
                segmentRows,
                rows,
                planned,
                complete,
                spec.blocks(),
                spec.identity(),
                rowTable,
                checksums);
        String json = WRITER.writeValueAsString(document);
        String body = json.substring(0, json.length() - "\n}".length());
        String digest = Digests.name(Digests.sha256(body.getBytes(StandardCharsets.UTF_8)));
        Manifest manifest = new Manifest(spec, segmentRows, rows, planned, complete, rowTable, checksums, digest);

        Path temporary = directory.resolve(TEMPORARY);
        ByteBuffer bytes = ByteBuffer.wrap((body + SEAL + digest + END).getBytes(StandardCharsets.UTF_8));
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(temporary, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        forceDirectory(directory);
        return manifest;
    }

    /** Makes the names in a directory durable. */
    static void forceDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (AccessDeniedException e) {
            // Windows does not open directories; its renames are journalled.
            if (!System.getProperty("os.name", "").startsWith("Windows")) {
                throw e;
            }
        }
    }

    /** Reads and checks it. */
    static Manifest read(Path directory) {
        Path file = directory.resolve(FILE);
        byte[] bytes;
        try {
            if (Files.size(file) > SIZE_LIMIT) {
                throw new CorruptDataException(
                        "%s has %d bytes, more than any manifest (%d)".formatted(file, Files.size(file), SIZE_LIMIT));
            }
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new UserInputException(directory + " is not an index: it has no " + FILE, e);
        } catch (IOException e) {
            throw new UserInputException("cannot read " + file + ": " + e, e);
        }
        try {
            JsonNode tree = JSON.readTree(bytes);
            String format = tree.path("format").asText();
            if (!format.equals(FORMAT)) {
                throw new UserInputException(
                        "%s has format '%s', this version of Ascribe reads '%s'; make the index again, or use the version that made it"
                                .formatted(file, format, FORMAT));
            }
            return unsealed(bytes);
        } catch (IOException | IllegalArgumentException e) {
            String why = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
            throw new CorruptDataException("%s is damaged (%s); make the index again".formatted(file, why), e);
        }
    }

    private static Manifest unsealed(byte[] bytes) throws IOException {
        // Latin-1 keeps every byte a character, so that no damage is repaired by decoding.
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int seal = text.lastIndexOf(SEAL);
        if (seal < 0) {
            throw new IllegalArgumentException("no digest in its last line");
        }
        byte[] body = Arrays.copyOf(bytes, seal);
        String digest = Digests.name(Digests.sha256(body));
        if (!text.substring(seal).equals(SEAL + digest + END)) {
            throw new IllegalArgumentException("its digest is not that of its content, " + digest);
        }
        Document read = JSON.readValue(new String(body, StandardCharsets.UTF_8) + "\n}", Document.class);
        StoreSpec spec = new StoreSpec(read.dtype(), read.width(), read.blocks(), read.identity());
        return new Manifest(
                spec,
                read.segmentRows(),
                read.rows(),
                read.planned(),
                read.complete(),
                read.rowTable(),
                read.checksums(),
                digest);
    }

    /** How many segments hold the rows. */
    int segments() {
        return Math.ceilDiv(rows, segmentRows);
    }

    /** Rows in a segment. */
    int rowsIn(int segment) {
        return (int) Math.min(segmentRows, rows - (long) segment * segmentRows);
    }

    /** Bytes of a segment. */
    long bytesIn(int segment) {
        return rowsIn(segment) * spec.stride();
    }
}
