package dev.ascribe.torch.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.CorruptDataException;
import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads the tokenizer's files of a Hugging Face model directory. Keys that mean nothing here are not errors. */
final class HuggingFaceFiles {
    static final String TOKENIZER = "tokenizer.json";
    static final String CONFIG = "tokenizer_config.json";
    private static final String SPECIAL_TOKENS = "special_tokens_map.json";
    private static final String TEMPLATE = "chat_template.jinja";

    /** What GPT-2's own files leave to the tokenizer's class. */
    private static final String GPT2_END = "<|endoftext|>";

    private static final List<String> SPECIAL_KEYS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private HuggingFaceFiles() {}

    static TokenizerDefinition read(Path directory) {
        Path file = directory.resolve(TOKENIZER);
        if (!Files.isRegularFile(file)) {
            throw new UserInputException(
                    "%s has no %s. Load its tokenizer in transformers and save_pretrained it there as a fast tokenizer."
                            .formatted(directory, TOKENIZER));
        }
        ObjectNode json = object(file);
        // Rows are cut by --max-tokens and never padded, whatever was set when the tokenizer was saved.
        json.putNull("truncation");
        json.putNull("padding");
        ObjectNode config = objectIfPresent(directory.resolve(CONFIG));
        ObjectNode special = objectIfPresent(directory.resolve(SPECIAL_TOKENS));
        addDeclaredTokens(json, config);
        for (String key : SPECIAL_KEYS) {
            markSpecial(json, tokenText(config, special, key));
        }
        for (ObjectNode node : List.of(config, special)) {
            for (String key : List.of("additional_special_tokens", "extra_special_tokens")) {
                if (node.path(key).isArray()) {
                    node.path(key).forEach(token -> markSpecial(json, text(token)));
                }
            }
        }
        String eos = tokenText(config, special, "eos_token");
        if (eos.isEmpty() && !config.has("eos_token") && isAdded(json, GPT2_END)) {
            eos = GPT2_END;
        }
        return new TokenizerDefinition(
                file.toString(), json, tokenText(config, special, "bos_token"), eos, chatTemplate(directory, config));
    }

    /** {@code chat_template.jinja} wins; in the configuration a string, or a list of named ones. */
    private static Optional<String> chatTemplate(Path directory, ObjectNode config) {
        Path file = directory.resolve(TEMPLATE);
        if (Files.isRegularFile(file)) {
            return Optional.of(string(file));
        }
        JsonNode template = config.path("chat_template");
        if (template.isArray()) {
            for (JsonNode named : template) {
                if (named.path("name").asText().equals("default")) {
                    return Optional.of(named.path("template").asText());
                }
            }
            return Optional.empty();
        }
        if (template.isObject()) {
            return Optional.ofNullable(template.get("default")).map(JsonNode::asText);
        }
        return template.isTextual() ? Optional.of(template.asText()) : Optional.empty();
    }

    /** A token is a string, or an object with {@code content}; the configuration wins over the map. */
    private static String tokenText(ObjectNode config, ObjectNode special, String key) {
        return config.has(key) ? text(config.path(key)) : text(special.path(key));
    }

    private static String text(JsonNode token) {
        return token.isObject() ? token.path("content").asText("") : token.isTextual() ? token.asText() : "";
    }

    /** Tokens that only the configuration declares, as {@code "added_tokens_decoder": {"50256": {"content": …}}}. */
    private static void addDeclaredTokens(ObjectNode json, ObjectNode config) {
        config.path("added_tokens_decoder").properties().forEach(entry -> {
            String text = text(entry.getValue());
            if (!text.isEmpty() && !isAdded(json, text)) {
                ObjectNode token = entry.getValue().deepCopy();
                token.remove("__type");
                token.put("id", Integer.parseInt(entry.getKey()));
                json.withArray("added_tokens").add(token);
            }
        });
    }

    /** A special token of the vocabulary is special in every text, also where tokenizer.json does not list it. */
    private static void markSpecial(ObjectNode json, String text) {
        OptionalInt id = TokenizerDefinition.id(json, text);
        if (!text.isEmpty() && id.isPresent() && !isAdded(json, text)) {
            json.withArray("added_tokens").add(specialToken(id.getAsInt(), text, true));
        }
    }

    /** An entry of {@code added_tokens}, matched in the raw text. */
    static ObjectNode specialToken(int id, String text, boolean special) {
        return TokenizerDefinition.JSON
                .createObjectNode()
                .put("id", id)
                .put("content", text)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", special);
    }

    private static boolean isAdded(ObjectNode json, String text) {
        for (JsonNode token : json.path("added_tokens")) {
            if (token.path("content").asText().equals(text)) {
                return true;
            }
        }
        return false;
    }

    private static ObjectNode objectIfPresent(Path file) {
        return Files.isRegularFile(file) ? object(file) : TokenizerDefinition.JSON.createObjectNode();
    }

    private static ObjectNode object(Path file) {
        try {
            JsonNode node = TokenizerDefinition.JSON.readTree(string(file));
            if (node instanceof ObjectNode object) {
                return object;
            }
            throw new CorruptDataException("%s is not a JSON object. Download it again.".formatted(file));
        } catch (JsonProcessingException e) {
            throw new CorruptDataException(
                    "%s, line %d, column %d: %s. Download it again."
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
        }
    }

    private static String string(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UserInputException("Cannot read %s: %s".formatted(file, FileTrouble.of(e)), e);
        }
    }
}
