package dev.ascribe.torch.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/** Tokenizers for models trained from scratch: the vocabulary is what the texts contain, in sorted order. */
final class LearnedVocabulary {
    private static final String UNKNOWN = "<unk>";
    private static final String END = "<|endoftext|>";

    /** As the tokenizers library splits: Unicode white space. */
    private static final String WHITE_SPACE = "(?U)\\s+";

    private LearnedVocabulary() {}

    static TokenizerDefinition words(Iterable<String> texts) {
        ObjectNode json = definition(texts, text -> Arrays.stream(text.split(WHITE_SPACE)));
        json.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
        return finished("The word vocabulary", json); // with no decoder, tokens are joined by spaces
    }

    static TokenizerDefinition characters(Iterable<String> texts) {
        ObjectNode json = definition(texts, text -> text.codePoints().mapToObj(Character::toString));
        ObjectNode split = json.putObject("pre_tokenizer").put("type", "Split");
        split.putObject("pattern").put("Regex", "[\\s\\S]"); // a dot would not match a line's end
        split.put("behavior", "Isolated").put("invert", false);
        json.putObject("decoder").put("type", "Fuse");
        return finished("The character vocabulary", json);
    }

    private static ObjectNode definition(Iterable<String> texts, Function<String, Stream<String>> split) {
        TreeSet<String> found = new TreeSet<>();
        for (String text : texts) {
            split.apply(text).filter(token -> !token.isEmpty()).forEach(found::add);
        }
        found.removeAll(List.of(UNKNOWN, END));
        List<String> tokens = new ArrayList<>(List.of(END, UNKNOWN));
        tokens.addAll(found);
        ObjectNode json = TokenizerDefinition.JSON.createObjectNode();
        json.put("version", "1.0").putNull("truncation").putNull("padding");
        json.putNull("normalizer").putNull("post_processor").putNull("decoder");
        json.putArray("added_tokens")
                .add(HuggingFaceFiles.specialToken(0, END, true))
                .add(HuggingFaceFiles.specialToken(1, UNKNOWN, true));
        ObjectNode model = json.putObject("model").put("type", "WordLevel").put("unk_token", UNKNOWN);
        ObjectNode vocabulary = model.putObject("vocab");
        for (String token : tokens) {
            vocabulary.put(token, vocabulary.size());
        }
        return json;
    }

    private static TokenizerDefinition finished(String source, ObjectNode json) {
        return new TokenizerDefinition(source, json, "", END, Optional.empty());
    }
}
