package dev.ascribe.torch.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * Text to token ids and back, by the Hugging Face tokenizers library.
 *
 * <p>Special tokens written out in a text become the special token. Nothing is ever cut or padded here. Instances may be
 * shared by threads; closing frees native memory.
 */
public final class Tokenizer implements AutoCloseable {
    private static final Pattern LONE_SURROGATE =
            Pattern.compile("(?<![\\uD800-\\uDBFF])[\\uDC00-\\uDFFF]|[\\uD800-\\uDBFF](?![\\uDC00-\\uDFFF])");

    private final TokenizerDefinition definition;
    private final HuggingFaceTokenizer engine;

    private Tokenizer(TokenizerDefinition definition) {
        this.definition = definition;
        this.engine = NativeTokenizers.create(definition.bytes(), definition.source());
    }

    /**
     * The tokenizer of a Hugging Face model directory: {@code tokenizer.json}, and where present
     * {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code chat_template.jinja}.
     */
    public static Tokenizer fromDirectory(Path modelDirectory) {
        return new Tokenizer(HuggingFaceFiles.read(modelDirectory));
    }

    /**
     * The tokenizer that a GGUF file describes.
     *
     * @param metadata the file's {@code tokenizer.*} keys; values are String, Number, Boolean or List
     */
    public static Tokenizer fromGguf(Map<String, ?> metadata) {
        return new Tokenizer(new GgufMetadata(metadata).definition());
    }

    /**
     * One token for each word of the texts and one for each punctuation mark; decoding gives back the text. Words that the
     * texts do not have become {@code <unk>}.
     */
    public static Tokenizer wordLevel(Iterable<String> texts) {
        return new Tokenizer(LearnedVocabulary.words(texts));
    }

    /** One token for each character (code point) of the texts; decoding gives back the text, every space kept. */
    public static Tokenizer characters(Iterable<String> texts) {
        return new Tokenizer(LearnedVocabulary.characters(texts));
    }

    /**
     * @param postProcess whether the tokenizer's post-processor runs, which is what adds BOS
     * @return ids; empty for a text that yields none
     */
    public int[] encode(String text, boolean postProcess) {
        String valid = LONE_SURROGATE.matcher(text).replaceAll("\uFFFD");
        // Below HuggingFaceTokenizer.encode, which also copies masks, spans and strings that nobody reads here.
        long encoding = TokenizersLibrary.LIB.encode(engine.getHandle(), valid, postProcess);
        try {
            return Arrays.stream(TokenizersLibrary.LIB.getTokenIds(encoding))
                    .mapToInt(Math::toIntExact)
                    .toArray();
        } finally {
            TokenizersLibrary.LIB.deleteEncoding(encoding);
        }
    }

    /** The text of the ids, special tokens left out, spaces as they are. */
    public String decode(int[] ids) {
        return engine.decode(Arrays.stream(ids).asLongStream().toArray(), true);
    }

    /** The text of one token, special or not; {@code �} for a token that is only part of a character. */
    public String token(int id) {
        return display(List.of(id));
    }

    /**
     * The text that each token adds. Joined they are the text of all ids, special tokens included. A character made of
     * several tokens belongs to the last of them, and the others are empty.
     */
    public List<String> pieces(int[] ids) {
        PieceDecoder decoder = new PieceDecoder(this);
        List<String> pieces = new ArrayList<>(ids.length);
        for (int id : ids) {
            pieces.add(decoder.next(id));
        }
        if (!pieces.isEmpty()) {
            pieces.addLast(pieces.removeLast() + decoder.rest());
        }
        return pieces;
    }

    /** A decoder that gives text as tokens come, never half a character. */
    public PieceDecoder pieceDecoder() {
        return new PieceDecoder(this);
    }

    /** The highest id plus one. A model's table of embeddings may be longer. */
    public int vocabularySize() {
        return definition.vocabularySize();
    }

    public OptionalInt bos() {
        return definition.bos();
    }

    public OptionalInt eos() {
        return definition.eos();
    }

    /** The text of the BOS token; empty where there is none. */
    public String bosText() {
        return definition.bosText();
    }

    /** The text of the EOS token; empty where there is none. */
    public String eosText() {
        return definition.eosText();
    }

    /** The source of the model's chat template, in Jinja. */
    public Optional<String> chatTemplate() {
        return definition.chatTemplate();
    }

    /**
     * Writes {@code tokenizer.json} and {@code tokenizer_config.json}, which {@link #fromDirectory} and
     * {@code transformers} read.
     */
    public void save(Path directory) {
        try {
            Files.createDirectories(directory);
            Files.write(directory.resolve(HuggingFaceFiles.TOKENIZER), definition.bytes());
            Files.write(directory.resolve(HuggingFaceFiles.CONFIG), definition.configBytes());
        } catch (IOException e) {
            throw new UserInputException(
                    "Cannot write the tokenizer to %s: %s. Give a directory that can be written and has space."
                            .formatted(directory, FileTrouble.of(e)),
                    e);
        }
    }

    @Override
    public void close() {
        engine.close();
    }

    /** The text of ids, special tokens included. */
    String display(List<Integer> ids) {
        return engine.decode(ids.stream().mapToLong(Integer::longValue).toArray(), false);
    }
}
