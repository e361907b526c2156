package dev.ascribe.tree;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/** Opens models of trees, recognised by content: XGBoost (JSON, UBJSON), LightGBM (text), CatBoost (JSON), {@code ascribe/forest/1}. */
public final class ModelFile {
    private static final byte[] LIGHTGBM = "tree\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LIGHTGBM_WINDOWS = "tree\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] CATBOOST_BINARY = "CBM1".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] XGBOOST_BINARY = "binf".getBytes(StandardCharsets.US_ASCII);
    private static final int LARGEST = Integer.MAX_VALUE - 8;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private ModelFile() {}

    /** Whether a path is a file that begins as a model of trees does. */
    public static boolean recognises(Path path) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(path)) {
            byte[] head = in.readNBytes(64);
            return starts(head, LIGHTGBM)
                    || starts(head, LIGHTGBM_WINDOWS)
                    || starts(head, CATBOOST_BINARY)
                    || starts(head, XGBOOST_BINARY)
                    || firstVisible(head) == '{';
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Reads a model.
     *
     * @throws UserInputException when the file cannot be read
     * @throws UnsupportedModelException when it is of a kind, version or setting that is not supported, by name
     * @throws CorruptDataException when it is damaged
     */
    public static TreeEnsemble open(Path path) {
        byte[] bytes = bytes(path);
        if (starts(bytes, LIGHTGBM) || starts(bytes, LIGHTGBM_WINDOWS)) {
            return LightGbmText.read(
                    path, new String(bytes, StandardCharsets.UTF_8).lines().toList());
        }
        if (starts(bytes, CATBOOST_BINARY)) {
            throw new UnsupportedModelException(
                    path
                            + " is CatBoost's binary format (.cbm); save it as JSON: model.save_model('model.json', format='json')");
        }
        if (starts(bytes, XGBOOST_BINARY)) {
            throw new UnsupportedModelException(path
                    + " is XGBoost's old binary format; load it with an XGBoost before 3.1 and save it as model.json");
        }
        if (firstVisible(bytes) != '{') {
            throw new UnsupportedModelException(path
                    + " is no model of trees that is known; supported are XGBoost's .json and .ubj, LightGBM's .txt, CatBoost's .json and "
                    + ForestJson.SCHEMA);
        }
        // A JSON key begins with a quote, a UBJSON key with the type of its length.
        ModelValue document = new ModelValue(path, "", isJson(bytes) ? json(path, bytes) : Ubjson.parse(path, bytes));
        if (document.find("learner").isPresent()) {
            return XgboostJson.read(document);
        }
        if (document.find("oblivious_trees").isPresent()
                || document.find("features_info").isPresent()) {
            return CatBoostJson.read(document);
        }
        if (document.find("schema")
                .map(schema -> schema.node().asText())
                .orElse("")
                .equals(ForestJson.SCHEMA)) {
            return ForestJson.read(document);
        }
        throw new UnsupportedModelException(
                "%s is JSON but no model that is known: it has neither \"learner\" (XGBoost) nor \"oblivious_trees\" (CatBoost) nor \"schema\": \"%s\""
                        .formatted(path, ForestJson.SCHEMA));
    }

    private static byte[] bytes(Path path) {
        try {
            if (Files.size(path) > LARGEST) {
                throw new UserInputException("%s has %,d bytes; the largest model that can be read has %,d"
                        .formatted(path, Files.size(path), LARGEST));
            }
            return Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new UserInputException(path + " does not exist; check the path", e);
        } catch (AccessDeniedException e) {
            throw new UserInputException(path + " may not be read; check its permissions", e);
        } catch (IOException e) {
            throw new UserInputException(path + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static boolean starts(byte[] bytes, byte[] magic) {
        return bytes.length >= magic.length && Arrays.equals(bytes, 0, magic.length, magic, 0, magic.length);
    }

    private static int firstVisible(byte[] bytes) {
        int at = visible(bytes, 0);
        return at < bytes.length ? bytes[at] : -1;
    }

    private static int visible(byte[] bytes, int from) {
        int at = from;
        while (at < bytes.length && (bytes[at] == ' ' || bytes[at] == '\n' || bytes[at] == '\r' || bytes[at] == '\t')) {
            at++;
        }
        return at;
    }

    private static boolean isJson(byte[] bytes) {
        int key = visible(bytes, visible(bytes, 0) + 1);
        return key >= bytes.length || bytes[key] == '"' || bytes[key] == '}';
    }

    private static JsonNode json(Path path, byte[] bytes) {
        try {
            return JSON.readTree(bytes);
        } catch (JsonProcessingException e) {
            throw new CorruptDataException(
                    "%s, line %d, column %d is no JSON: %s; was the file cut off?"
                            .formatted(
                                    path,
                                    e.getLocation().getLineNr(),
                                    e.getLocation().getColumnNr(),
                                    e.getOriginalMessage().lines().findFirst().orElse("")),
                    e);
        } catch (IOException e) {
            throw new CorruptDataException(path + " is no JSON: " + e.getMessage(), e);
        }
    }
}
