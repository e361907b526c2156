package dev.ascribe.torch.text;

import com.fasterxml.jackson.databind.node.ArrayNode;
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

    /** Stands for a space inside a token, as in SentencePiece. */
    private static final String SPACE = "\u2581";

    /** The seams on both sides of every punctuation character, ASCII symbols among them. */
    private static final String PUNCTUATION = "(?=[\\p{Punct}\\p{P}])|(?<=[\\p{Punct}\\p{P}])";

    private LearnedVocabulary() {}

    static TokenizerDefinition words(Iterable<String> texts) {
        ObjectNode json = definition(texts, LearnedVocabulary::splitWords);
        ObjectNode split = json.putObject("pre_tokenizer").put("type", "Sequence");
        ArrayNode steps = split.putArray("pretokenizers");
        metaspace(steps.addObject()).put("split", true);
        steps.addObject().put("type", "Punctuation").put("behavior", "Isolated");
        metaspace(json.putObject("decoder")).put("split", true);
        return finished("The word vocabulary", json);
    }

    private static ObjectNode metaspace(ObjectNode node) {
        return node.put("type", "Metaspace").put("replacement", SPACE).put("prepend_scheme", "always");
    }

    /** As the tokenizers library splits: each word with a mark for the space before it, punctuation on its own. */
    private static Stream<String> splitWords(String text) {
        String marked = text.replace(" ", SPACE);
        return Arrays.stream((marked.startsWith(SPACE) ? marked : SPACE + marked).split("(?=" + SPACE + ")"))
                .flatMap(word -> Arrays.stream(word.split(PUNCTUATION)));
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
