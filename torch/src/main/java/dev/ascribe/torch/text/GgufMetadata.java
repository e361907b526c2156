package dev.ascribe.torch.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@code tokenizer.json} from the {@code tokenizer.*} keys of a GGUF file.
 *
 * <ul>
 *   <li>{@code tokenizer.ggml.model}: {@code gpt2} is byte-level BPE, {@code llama} is SentencePiece BPE with byte
 *       fallback;
 *   <li>{@code tokenizer.ggml.pre}: how byte-level BPE splits words; a name that is not known here is refused, because
 *       another pattern gives other tokens;
 *   <li>{@code tokenizer.ggml.tokens}, {@code token_type}, {@code merges}, {@code scores}: the vocabulary;
 *   <li>{@code tokenizer.ggml.bos_token_id}, {@code eos_token_id}, {@code add_bos_token} (absent means no);
 *   <li>{@code tokenizer.chat_template}.
 * </ul>
 */
final class GgufMetadata {
    private static final String SOURCE = "The tokenizer in the GGUF file";
    private static final String PREFIX = "tokenizer.ggml.";

    // Values of tokenizer.ggml.token_type.
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;

    private static final String LLAMA3_WORDS = words("\\p{N}{1,3}");
    private static final String QWEN2_WORDS = words("\\p{N}");

    private final Map<String, ?> metadata;
    private final List<String> tokens;
    private final List<Integer> types;

    GgufMetadata(Map<String, ?> metadata) {
        this.metadata = metadata;
        this.tokens = list("tokens", String.class);
        this.types = has("token_type")
                ? list("token_type", Number.class).stream()
                        .map(Number::intValue)
                        .toList()
                : tokens.stream().map(token -> NORMAL).toList();
        if (types.size() != tokens.size()) {
            throw corrupt("has %d tokens and %d token types".formatted(tokens.size(), types.size()));
        }
        Set<String> seen = new HashSet<>();
        for (String token : tokens) {
            if (!seen.add(token)) {
                throw corrupt("has the token \"%s\" twice".formatted(token));
            }
        }
    }

    TokenizerDefinition definition() {
        ObjectNode json = TokenizerDefinition.JSON.createObjectNode();
        json.put("version", "1.0").putNull("truncation").putNull("padding");
        json.set("added_tokens", addedTokens());
        String model = string("model").orElseThrow(() -> corrupt("has no key " + PREFIX + "model"));
        switch (model) {
            case "gpt2" -> byteLevelBpe(json);
            case "llama" -> sentencePieceBpe(json);
            default ->
                throw new UnsupportedModelException(
                        "%s is of the kind \"%s\"; gpt2 and llama are supported. Use the model's Hugging Face directory."
                                .formatted(SOURCE, model));
        }
        String bos = tokenAt("bos_token_id");
        if (flag("add_bos_token", false)) {
            json.set("post_processor", prepending(bos));
        }
        return new TokenizerDefinition(
                SOURCE,
                json,
                bos,
                tokenAt("eos_token_id"),
                Optional.ofNullable(metadata.get("tokenizer.chat_template")).map(String.class::cast));
    }

    private void byteLevelBpe(ObjectNode json) {
        String pre = string("pre").orElse("");
        ArrayNode split = TokenizerDefinition.JSON.createArrayNode();
        switch (pre) {
            case "gpt-2" -> split.add(byteLevel(true));
            case "smollm" -> {
                // Rust's char::is_numeric is \p{N}: ½ and ² too are words of their own.
                split.addObject().put("type", "Digits").put("individual_digits", true);
                split.add(byteLevel(true));
            }
            case "llama-bpe" -> split.add(isolated(LLAMA3_WORDS)).add(byteLevel(false));
            case "qwen2" -> {
                split.add(isolated(QWEN2_WORDS)).add(byteLevel(false));
                json.putObject("normalizer").put("type", "NFC");
            }
            default ->
                throw new UnsupportedModelException(
                        "%s splits words by \"%s\" (%spre); gpt-2, smollm, llama-bpe and qwen2 are supported. Use the model's Hugging Face directory."
                                .formatted(SOURCE, pre, PREFIX));
        }
        json.putObject("pre_tokenizer").put("type", "Sequence").set("pretokenizers", split);
        json.set("decoder", byteLevel(true));
        ObjectNode bpe = bpe(json);
        // Llama 3 takes a word that is in the vocabulary as it is, whatever the merges would make of it.
        bpe.put("ignore_merges", pre.equals("llama-bpe"));
        ArrayNode merges = bpe.putArray("merges");
        for (String merge : list("merges", String.class)) {
            int space = merge.indexOf(' ', 1);
            if (space < 0) {
                throw corrupt("has the merge \"%s\", which is not two tokens".formatted(merge));
            }
            merges.addArray().add(merge.substring(0, space)).add(merge.substring(space + 1));
        }
    }

    /** SentencePiece joins the pair whose union scores best: as merges, all pairs of a token ranked by its score. */
    private void sentencePieceBpe(ObjectNode json) {
        if (flag("remove_extra_whitespaces", false) || has("precompiled_charsmap")) {
            throw new UnsupportedModelException(
                    "%s rewrites text by rules (%sremove_extra_whitespaces or precompiled_charsmap), which is not supported. Use the model's Hugging Face directory."
                            .formatted(SOURCE, PREFIX));
        }
        List<Double> scores =
                list("scores", Number.class).stream().map(Number::doubleValue).toList();
        if (scores.size() != tokens.size()) {
            throw corrupt("has %d tokens and %d scores".formatted(tokens.size(), scores.size()));
        }
        int unknown = types.indexOf(UNKNOWN);
        if (unknown < 0 || !tokens.contains("<0x00>")) {
            throw new UnsupportedModelException(
                    "%s has no unknown token or no tokens for bytes, so it is no SentencePiece BPE with byte fallback. Use the model's Hugging Face directory."
                            .formatted(SOURCE));
        }
        ArrayNode normalizers =
                json.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        if (flag("add_space_prefix", true)) {
            normalizers.addObject().put("type", "Prepend").put("prepend", "▁");
        }
        normalizers.add(replace(" ", "▁"));
        ArrayNode decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
        decoders.add(replace("▁", " "));
        decoders.addObject().put("type", "ByteFallback");
        decoders.addObject().put("type", "Fuse");
        if (flag("add_space_prefix", true)) {
            decoders.addObject()
                    .put("type", "Strip")
                    .put("content", " ")
                    .put("start", 1)
                    .put("stop", 0);
        }
        ObjectNode bpe = bpe(json)
                .put("unk_token", tokens.get(unknown))
                .put("fuse_unk", true)
                .put("byte_fallback", true);
        ArrayNode merges = bpe.putArray("merges");
        for (Merge merge : merges(scores)) {
            merges.addArray().add(merge.left).add(merge.right);
        }
    }

    private record Merge(String left, String right, double score, int leftId, int rightId) {}

    private List<Merge> merges(List<Double> scores) {
        Map<String, Integer> normal = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            if (types.get(id) == NORMAL) {
                normal.put(tokens.get(id), id);
            }
        }
        List<Merge> merges = new ArrayList<>();
        normal.forEach((token, id) -> {
            for (int i = 1; i < token.length(); i++) {
                Integer left = normal.get(token.substring(0, i));
                Integer right = normal.get(token.substring(i));
                if (left != null && right != null) {
                    merges.add(new Merge(token.substring(0, i), token.substring(i), scores.get(id), left, right));
                }
            }
        });
        merges.sort(Comparator.comparingDouble(Merge::score)
                .reversed()
                .thenComparingInt(Merge::leftId)
                .thenComparingInt(Merge::rightId));
        return merges;
    }

    private ObjectNode bpe(ObjectNode json) {
        ObjectNode bpe = json.putObject("model");
        bpe.put("type", "BPE").putNull("dropout").putNull("unk_token").put("fuse_unk", false);
        bpe.put("byte_fallback", false).putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
        ObjectNode vocabulary = bpe.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        return bpe;
    }

    private ArrayNode addedTokens() {
        ArrayNode added = TokenizerDefinition.JSON.createArrayNode();
        for (int id = 0; id < tokens.size(); id++) {
            int type = types.get(id);
            if (type == CONTROL || type == UNKNOWN || type == USER_DEFINED) {
                added.add(HuggingFaceFiles.specialToken(id, tokens.get(id), type != USER_DEFINED));
            }
        }
        return added;
    }

    private ObjectNode prepending(String bos) {
        if (bos.isEmpty()) {
            throw corrupt("has add_bos_token but no bos_token_id");
        }
        ObjectNode processor = TokenizerDefinition.JSON.createObjectNode().put("type", "TemplateProcessing");
        for (String key : List.of("single", "pair")) {
            ArrayNode sequence = processor.putArray(key);
            sequence.addObject().putObject("SpecialToken").put("id", bos).put("type_id", 0);
            sequence.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        }
        processor
                .withArray("pair")
                .addObject()
                .putObject("Sequence")
                .put("id", "B")
                .put("type_id", 1);
        ObjectNode token = processor.putObject("special_tokens").putObject(bos);
        token.put("id", bos).putArray("ids").add(tokens.indexOf(bos));
        token.putArray("tokens").add(bos);
        return processor;
    }

    /** The pattern of the GPT-4 family; the members differ in how many digits make a word. */
    private static String words(String digits) {
        return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + digits
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    private static ObjectNode byteLevel(boolean splitAsGpt2) {
        return TokenizerDefinition.JSON
                .createObjectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", false)
                .put("use_regex", splitAsGpt2);
    }

    private static ObjectNode isolated(String regex) {
        ObjectNode split = TokenizerDefinition.JSON.createObjectNode().put("type", "Split");
        split.putObject("pattern").put("Regex", regex);
        return split.put("behavior", "Isolated").put("invert", false);
    }

    private static ObjectNode replace(String from, String to) {
        ObjectNode replace = TokenizerDefinition.JSON.createObjectNode().put("type", "Replace");
        replace.putObject("pattern").put("String", from);
        return replace.put("content", to);
    }

    private boolean has(String key) {
        return metadata.containsKey(PREFIX + key);
    }

    private @Nullable Object value(String key) {
        return metadata.get(PREFIX + key);
    }

    private Optional<String> string(String key) {
        return value(key) instanceof String text ? Optional.of(text) : Optional.empty();
    }

    private boolean flag(String key, boolean absent) {
        return value(key) instanceof Boolean flag ? flag : absent;
    }

    private String tokenAt(String key) {
        if (!(value(key) instanceof Number id)) {
            return "";
        }
        if (id.longValue() < 0 || id.longValue() >= tokens.size()) {
            throw corrupt("has %s = %d, but only %d tokens".formatted(key, id.longValue(), tokens.size()));
        }
        return tokens.get(id.intValue());
    }

    private <T> List<T> list(String key, Class<T> type) {
        if (!(value(key) instanceof List<?> values)) {
            throw corrupt("has no list " + PREFIX + key);
        }
        List<T> checked = new ArrayList<>(values.size());
        for (Object value : values) {
            if (!type.isInstance(value)) {
                throw corrupt(
                        "has a value in %s%s that is no %s: %s".formatted(PREFIX, key, type.getSimpleName(), value));
            }
            checked.add(type.cast(value));
        }
        return checked;
    }

    private static CorruptDataException corrupt(String what) {
        return new CorruptDataException("%s %s. Download the file again.".formatted(SOURCE, what));
    }
}
