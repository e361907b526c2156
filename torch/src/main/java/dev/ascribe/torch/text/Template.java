package dev.ascribe.torch.text;

import dev.ascribe.FileTrouble;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** How a row's words become a prompt: option {@code --template}. */
public sealed interface Template {
    /** What needs no file. */
    enum Named implements Template {
        /** The model's chat template where it has one, else Alpaca's headings. */
        AUTO,
        /** Alpaca's headings, also for a model that has a chat template. */
        ALPACA,
        /** The model's chat template, which must exist. */
        CHAT,
        /** The words as they are. */
        NONE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A chat template of the user's.
     *
     * @param file where it is from
     * @param source in Jinja
     */
    record Jinja(Path file, String source) implements Template {
        @Override
        public String toString() {
            return file.toString();
        }
    }

    /** Reads {@code auto}, {@code alpaca}, {@code chat}, {@code none}, or the name of a Jinja file. */
    static Template parse(String value) {
        return switch (value) {
            case "auto" -> Named.AUTO;
            case "alpaca" -> Named.ALPACA;
            case "chat" -> Named.CHAT;
            case "none" -> Named.NONE;
            default -> file(Path.of(value));
        };
    }

    private static Template file(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new UserInputException(
                    "--template is \"%s\", which is no file; give auto, alpaca, chat, none or a Jinja file."
                            .formatted(file));
        }
        try {
            return new Jinja(file, Files.readString(file));
        } catch (CharacterCodingException e) {
            throw new UserInputException("--template %s is not UTF-8 text.".formatted(file), e);
        } catch (IOException e) {
            throw new UserInputException("Cannot read --template %s: %s".formatted(file, FileTrouble.of(e)), e);
        }
    }

    /** The chat template that this option means for a model; none where its words are not for a chat template. */
    default Optional<ChatTemplate> chatTemplate(Tokenizer tokenizer) {
        Optional<String> own = tokenizer.chatTemplate();
        Optional<String> source = switch (this) {
            case Jinja jinja -> Optional.of(jinja.source());
            case Named named ->
                switch (named) {
                    case AUTO -> own;
                    case ALPACA, NONE -> Optional.empty();
                    case CHAT -> {
                        if (own.isEmpty()) {
                            throw new UserInputException(
                                    "--template chat: the model has no chat template. Use --template alpaca, or give a Jinja file.");
                        }
                        yield own;
                    }
                };
        };
        return source.map(text -> ChatTemplate.of(text, tokenizer.bosText(), tokenizer.eosText()));
    }
}
