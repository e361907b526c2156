package dev.ascribe.torch.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.CorruptDataException;
import java.util.Optional;
import java.util.OptionalInt;

/** A tokenizer as {@code tokenizer.json} states it, with what the model's other files say of BOS, EOS and template. */
final class TokenizerDefinition {
    static final ObjectMapper JSON = new ObjectMapper();

    private final String source;
    private final byte[] bytes;
    private final int vocabularySize;
    private final String bosText;
    private final String eosText;
    private final OptionalInt bos;
    private final OptionalInt eos;
    private final Optional<String> chatTemplate;

    /**
     * @param source where the definition is from, for messages
     * @param json the content of {@code tokenizer.json}; read here and not kept
     * @param bosText empty where there is none
     * @param eosText empty where there is none
     */
    TokenizerDefinition(String source, ObjectNode json, String bosText, String eosText, Optional<String> chatTemplate) {
        this.source = source;
        this.bytes = write(json);
        this.vocabularySize = vocabularySize(json);
        this.bosText = bosText;
        this.eosText = eosText;
        this.bos = existing(json, "bos_token", bosText, source);
        this.eos = existing(json, "eos_token", eosText, source);
        this.chatTemplate = chatTemplate;
    }

    String source() {
        return source;
    }

    byte[] bytes() {
        return bytes.clone();
    }

    /** A {@code tokenizer_config.json} that says the same. */
    byte[] configBytes() {
        ObjectNode config = JSON.createObjectNode();
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        config.put("clean_up_tokenization_spaces", false);
        putUnlessEmpty(config, "bos_token", bosText);
        putUnlessEmpty(config, "eos_token", eosText);
        putUnlessEmpty(config, "chat_template", chatTemplate.orElse(""));
        return write(config);
    }

    int vocabularySize() {
        return vocabularySize;
    }

    String bosText() {
        return bosText;
    }

    String eosText() {
        return eosText;
    }

    OptionalInt bos() {
        return bos;
    }

    OptionalInt eos() {
        return eos;
    }

    Optional<String> chatTemplate() {
        return chatTemplate;
    }

    /** The id of a token by its exact text, among the added tokens and in the model's vocabulary. */
    static OptionalInt id(JsonNode json, String text) {
        for (JsonNode added : json.path("added_tokens")) {
            if (added.path("content").asText().equals(text)) {
                return OptionalInt.of(added.path("id").asInt());
            }
        }
        JsonNode vocabulary = json.path("model").path("vocab");
        if (vocabulary.isArray()) { // Unigram: pairs of token and score, the place is the id
            for (int i = 0; i < vocabulary.size(); i++) {
                if (vocabulary.get(i).path(0).asText().equals(text)) {
                    return OptionalInt.of(i);
                }
            }
            return OptionalInt.empty();
        }
        JsonNode id = vocabulary.path(text);
        return id.isInt() ? OptionalInt.of(id.asInt()) : OptionalInt.empty();
    }

    private static OptionalInt existing(JsonNode json, String key, String text, String source) {
        if (text.isEmpty()) {
            return OptionalInt.empty();
        }
        OptionalInt id = id(json, text);
        if (id.isEmpty()) {
            throw new CorruptDataException("%s: %s is \"%s\", which is not in the vocabulary. Name a token that is."
                    .formatted(source, key, text));
        }
        return id;
    }

    private static int vocabularySize(JsonNode json) {
        JsonNode vocabulary = json.path("model").path("vocab");
        int highest = vocabulary.isArray() ? vocabulary.size() - 1 : -1;
        if (vocabulary.isObject()) {
            for (JsonNode id : vocabulary) {
                highest = Math.max(highest, id.asInt());
            }
        }
        for (JsonNode added : json.path("added_tokens")) {
            highest = Math.max(highest, added.path("id").asInt());
        }
        return highest + 1;
    }

    private static void putUnlessEmpty(ObjectNode node, String key, String value) {
        if (!value.isEmpty()) {
            node.put(key, value);
        }
    }

    private static byte[] write(JsonNode json) {
        try {
            return JSON.writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
