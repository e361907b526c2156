package dev.ascribe.torch.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tensors of one safetensors file, or of several that an index names, as one map.
 *
 * <pre>{@code
 * u64 n, little-endian, at most 100 MB
 * n bytes of JSON: {"__metadata__": {string: string}, name: {"dtype": …, "shape": […], "data_offsets": [from, to]}, …}
 * data, from where offsets count; the tensors fill it without gap or overlap
 * }</pre>
 *
 * <p>The index is {@code model.safetensors.index.json}: {@code {"weight_map": {name: file}, …}}, its files lie in its
 * directory or below. A tensor that a named file holds and the index does not list is there too.
 */
public final class Safetensors implements WeightFile {
    static final String METADATA = "__metadata__";
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final String MODEL = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .build();

    private final Path path;
    private final Arena arena;
    private final Map<Path, MemorySegment> files = new HashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private Safetensors(Path path, Arena arena) {
        this.path = path;
        this.arena = arena;
    }

    /**
     * Maps the file or files and reads their headers; the tensors' data are not touched.
     *
     * @param path a safetensors file, an index of several ({@code *.json}), or a directory that holds {@code
     *     model.safetensors} or {@code model.safetensors.index.json}
     */
    public static Safetensors open(Path path) {
        Path found = Files.isDirectory(path) ? inDirectory(path) : path;
        Safetensors opened = new Safetensors(found, Arena.ofShared());
        try {
            if (found.toString().endsWith(".json")) {
                opened.addShards();
            } else {
                opened.add(found);
            }
            return opened;
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    private static Path inDirectory(Path directory) {
        for (String name : List.of(MODEL, INDEX)) {
            if (Files.exists(directory.resolve(name))) {
                return directory.resolve(name);
            }
        }
        throw new UserInputException(
                "%s holds neither %s nor %s; if it has weights in another form, save it as safetensors"
                        .formatted(directory, MODEL, INDEX));
    }

    /** The {@code __metadata__} of the file; of several, all entries, the first file's where they differ. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public MemorySegment bytes(String name) {
        TensorInfo info = tensor(name);
        MemorySegment file = files.get(info.file());
        if (file == null) {
            throw new AssertionError("every tensor's file is mapped: " + info);
        }
        return file.asSlice(info.offset(), info.bytes());
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public void close() {
        arena.close();
    }

    private void addShards() {
        Map<String, String> weightMap = readIndex();
        Path directory = path.toAbsolutePath().normalize().getParent();
        for (String shard : new LinkedHashSet<>(weightMap.values())) {
            add(shardPath(directory, shard));
        }
        weightMap.forEach((tensor, shard) -> {
            TensorInfo info = tensors.get(tensor);
            if (info == null || !info.file().equals(shardPath(directory, shard))) {
                throw new CorruptDataException(
                        "%s says that tensor '%s' is in %s, but it is not; fetch the model again, complete"
                                .formatted(path, tensor, shard));
            }
        });
    }

    private Path shardPath(@Nullable Path directory, String shard) {
        if (directory == null) {
            throw new UserInputException("%s is not in a directory".formatted(path));
        }
        try {
            Path resolved = directory.resolve(shard).normalize();
            if (!Path.of(shard).isAbsolute() && resolved.startsWith(directory) && !resolved.equals(directory)) {
                if (!Files.exists(resolved)) {
                    throw new CorruptDataException("%s names %s, which does not exist; fetch the model again, complete"
                            .formatted(path, resolved));
                }
                return resolved;
            }
        } catch (InvalidPathException e) {
            throw new CorruptDataException("%s names a file '%s': %s".formatted(path, shard, e.getReason()), e);
        }
        throw new CorruptDataException("%s names a file '%s' outside its own directory".formatted(path, shard));
    }

    private Map<String, String> readIndex() {
        byte[] json = Mapping.firstBytes(path, (int) MAX_HEADER_BYTES + 1);
        if (json.length > MAX_HEADER_BYTES) {
            throw new CorruptDataException("%s is longer than %d bytes".formatted(path, MAX_HEADER_BYTES));
        }
        Map<String, String> weightMap = new LinkedHashMap<>();
        parse(path, json, parser -> {
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean wanted = parser.currentName().equals("weight_map");
                parser.nextToken();
                if (wanted) {
                    readStrings(path, parser, weightMap);
                } else {
                    parser.skipChildren();
                }
            }
        });
        if (weightMap.isEmpty()) {
            throw new CorruptDataException("%s has no weight_map, or an empty one".formatted(path));
        }
        return weightMap;
    }

    private void add(Path file) {
        MemorySegment mapped = Mapping.map(file, arena);
        files.put(file, mapped);
        long size = mapped.byteSize();
        if (size < Long.BYTES) {
            throw new CorruptDataException("%s has %d bytes, too few for a safetensors file".formatted(file, size));
        }
        long length = mapped.get(LENGTH, 0);
        if (length < 0 || length > MAX_HEADER_BYTES || length > size - Long.BYTES) {
            throw new CorruptDataException(
                    "%s claims a header of %s bytes, but has %d bytes, and a header at most %d: it is truncated, or no safetensors file"
                            .formatted(file, Long.toUnsignedString(length), size, MAX_HEADER_BYTES));
        }
        byte[] json = mapped.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        if (length == 0 || json[0] != '{') {
            throw new CorruptDataException(
                    "%s: the header does not begin with '{'; it is no safetensors file".formatted(file));
        }
        List<TensorInfo> found = new ArrayList<>();
        long start = Long.BYTES + length;
        parse(file, json, parser -> {
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals(METADATA)) {
                    Map<String, String> entries = new LinkedHashMap<>();
                    readStrings(file, parser, entries);
                    entries.forEach(metadata::putIfAbsent);
                } else {
                    found.add(readTensor(file, name, parser, start, size));
                }
            }
        });
        found.sort(Comparator.comparingLong(TensorInfo::offset).thenComparingLong(TensorInfo::bytes));
        requireFilled(file, found, start, size);
        for (TensorInfo info : found) {
            TensorInfo other = tensors.putIfAbsent(info.name(), info);
            if (other != null) {
                throw new CorruptDataException(
                        "tensor '%s' is both in %s and in %s".formatted(info.name(), other.file(), file));
            }
        }
    }

    private static TensorInfo readTensor(Path file, String name, JsonParser parser, long start, long size)
            throws IOException {
        String dtype = "";
        List<Long> shape = List.of();
        List<Long> offsets = List.of();
        int keys = 0;
        require(parser.currentToken() == JsonToken.START_OBJECT, file, name, "is not an object");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            keys++;
            switch (key) {
                case "dtype" -> {
                    require(
                            parser.currentToken() == JsonToken.VALUE_STRING,
                            file,
                            name,
                            "has a dtype that is no string");
                    dtype = parser.getText();
                }
                case "shape" -> shape = readLongs(file, name, parser);
                case "data_offsets" -> offsets = readLongs(file, name, parser);
                default -> throw corrupt(file, name, "has unknown key '" + key + "'");
            }
        }
        require(keys == 3, file, name, "must have dtype, shape and data_offsets");
        require(offsets.size() == 2, file, name, "has data_offsets " + offsets + ", not two");
        String stored = dtype;
        TensorType type = TensorType.ofSafetensors(dtype)
                .orElseThrow(() -> new UnsupportedModelException("%s: tensor '%s' has dtype '%s'; known are %s"
                        .formatted(file, name, stored, "F64, F32, F16, BF16, F8, integers and BOOL")));
        long from = offsets.getFirst();
        long to = offsets.getLast();
        require(
                from <= to && to <= size - start,
                file,
                name,
                "has data_offsets %s, but the file has %d bytes of data: it is truncated, or its header is damaged"
                        .formatted(offsets, size - start));
        long bytes;
        try {
            bytes = TensorInfo.byteSize(type, shape);
        } catch (ArithmeticException e) {
            throw corrupt(file, name, "has an impossible shape %s: %s".formatted(shape, e.getMessage()));
        }
        require(
                bytes == to - from,
                file,
                name,
                "has data_offsets %s, but type %s and shape %s need %d bytes".formatted(offsets, type, shape, bytes));
        return new TensorInfo(name, type, shape, file, start + from, bytes);
    }

    private static List<Long> readLongs(Path file, String name, JsonParser parser) throws IOException {
        require(parser.currentToken() == JsonToken.START_ARRAY, file, name, "has a number where an array belongs");
        List<Long> longs = new ArrayList<>();
        while (parser.nextToken() == JsonToken.VALUE_NUMBER_INT) {
            JsonParser.NumberType kind = parser.getNumberType();
            require(kind != JsonParser.NumberType.BIG_INTEGER, file, name, "has the number " + parser.getText());
            require(parser.getLongValue() >= 0, file, name, "has the negative number " + parser.getText());
            longs.add(parser.getLongValue());
        }
        require(parser.currentToken() == JsonToken.END_ARRAY, file, name, "has an array of other than whole numbers");
        return longs;
    }

    private static void readStrings(Path file, JsonParser parser, Map<String, String> into) throws IOException {
        String where = String.valueOf(parser.currentName());
        require(parser.currentToken() == JsonToken.START_OBJECT, file, where, "is not an object");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            require(parser.nextToken() == JsonToken.VALUE_STRING, file, where, "has '" + key + "', which is no string");
            into.put(key, parser.getText());
        }
    }

    private static void requireFilled(Path file, List<TensorInfo> byOffset, long start, long size) {
        long end = start;
        for (TensorInfo info : byOffset) {
            require(
                    info.offset() == end,
                    file,
                    info.name(),
                    "begins at byte %d of the data; the tensor before it ends at %d (%s)"
                            .formatted(info.offset() - start, end - start, info.offset() < end ? "overlap" : "gap"));
            end += info.bytes();
        }
        if (end != size) {
            throw new CorruptDataException(
                    "%s: %d bytes follow the last tensor; the file is damaged".formatted(file, size - end));
        }
    }

    private static void parse(Path file, byte[] json, Content content) {
        try (JsonParser parser = JSON.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new CorruptDataException("%s: the JSON is not an object".formatted(file));
            }
            content.read(parser);
            if (parser.nextToken() != null) {
                throw new CorruptDataException("%s: something follows the JSON's end".formatted(file));
            }
        } catch (JsonProcessingException e) {
            throw new CorruptDataException(
                    "%s: the JSON is broken at line %d, column %d: %s"
                            .formatted(
                                    file,
                                    e.getLocation() == null
                                            ? 0
                                            : e.getLocation().getLineNr(),
                                    e.getLocation() == null
                                            ? 0
                                            : e.getLocation().getColumnNr(),
                                    e.getOriginalMessage()),
                    e);
        } catch (IOException e) {
            throw new CorruptDataException("%s: the JSON cannot be decoded: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static void require(boolean condition, Path file, String name, String fault) {
        if (!condition) {
            throw corrupt(file, name, fault);
        }
    }

    private static CorruptDataException corrupt(Path file, String name, String fault) {
        return new CorruptDataException("%s: '%s' %s".formatted(file, name, fault));
    }

    /** What is between the braces of the outermost object. */
    private interface Content {
        void read(JsonParser parser) throws IOException;
    }
}
