package dev.ascribe.torch.text;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.ascribe.CorruptDataException;
import dev.ascribe.EngineUnavailableException;
import dev.ascribe.UserCache;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;

/** The native tokenizer library, which DJL unpacks into the user's cache on first use. */
final class NativeTokenizers {
    /** From the tokenizer's own defaults: rows are cut by us, never padded or cut by the library. */
    private static final Map<String, String> NO_CUT_NO_PAD = Map.of("truncation", "false", "padding", "false");

    private NativeTokenizers() {}

    /** Makes a native tokenizer from the bytes of a {@code tokenizer.json}; {@code source} is named in errors. */
    static HuggingFaceTokenizer create(byte[] json, String source) {
        UserCache.holdNativeLibraries();
        try {
            return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), NO_CUT_NO_PAD);
        } catch (UnsatisfiedLinkError | ExceptionInInitializerError | NoClassDefFoundError | EngineException e) {
            throw new EngineUnavailableException(
                    "The native tokenizer library could not be loaded: %s. It is unpacked into %s, which must be writable and allow execution."
                            .formatted(e.getMessage(), System.getProperty("ENGINE_CACHE_DIR")),
                    e);
        } catch (IOException | RuntimeException e) {
            throw new CorruptDataException("%s is not a valid tokenizer: %s".formatted(source, e.getMessage()), e);
        }
    }
}
