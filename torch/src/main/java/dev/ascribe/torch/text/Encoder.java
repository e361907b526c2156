package dev.ascribe.torch.text;

import dev.ascribe.Content;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.util.List;
import java.util.Optional;

/**
 * Makes token sequences of rows.
 *
 * <p>Prompt and response are tokenised apart and never joined as text. The tokenizer's post-processor, which adds BOS,
 * runs on a prompt unless a chat template rendered it (that writes its own), and on the text of a document; never on a
 * response. One EOS follows every response and every document. What is too long loses its right end.
 */
public final class Encoder {
    private final Tokenizer tokenizer;
    private final Template template;
    private final Optional<ChatTemplate> chatTemplate;
    private final Loss loss;
    private final int maxTokens;

    private Encoder(Tokenizer tokenizer, Template template, Loss loss, int maxTokens) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.chatTemplate = template.chatTemplate(tokenizer);
        this.loss = loss;
        this.maxTokens = maxTokens;
    }

    /**
     * @param tokenizer stays the caller's to close
     * @param template how words become a prompt
     * @param loss which tokens are targets
     * @param maxTokens of a sequence, at least 1
     */
    public static Encoder of(Tokenizer tokenizer, Template template, Loss loss, int maxTokens) {
        if (maxTokens < 1) {
            throw new UserInputException("--max-tokens is %d; it must be at least 1.".formatted(maxTokens));
        }
        return new Encoder(tokenizer, template, loss, maxTokens);
    }

    /** Tokens of the longest sequence. */
    public int maxTokens() {
        return maxTokens;
    }

    /** The sequence of a row. It may have no tokens, or no targets where the response was cut off. */
    public Example encode(Content content) {
        int eos = tokenizer
                .eos()
                .orElseThrow(
                        () -> new UnsupportedModelException(
                                "The tokenizer names no EOS token, which must follow every response. Add eos_token to tokenizer_config.json."));
        boolean isDocument = content instanceof Content.Text;
        int[] prompt = isDocument ? new int[0] : encodePrompt(content);
        int[] response = tokenizer.encode(content.answer(), isDocument);
        int[] tokens = new int[prompt.length + response.length + 1];
        System.arraycopy(prompt, 0, tokens, 0, prompt.length);
        System.arraycopy(response, 0, tokens, prompt.length, response.length);
        tokens[tokens.length - 1] = eos;
        return new Example(tokens, prompt.length, loss, maxTokens);
    }

    /** The ids that a model continues when it is asked what the row asks; never cut. */
    public int[] encodePrompt(Content content) {
        return chatTemplate
                .filter(chat -> isTemplated(content))
                .map(chat -> tokenizer.encode(chat.render(messages(content)), false))
                .orElseGet(() -> tokenizer.encode(prompt(content), true));
    }

    /** The ids that a model continues when it is asked these words, as an instruction without input. */
    public int[] encodePrompt(String words) {
        return encodePrompt(new Content.Instruction(words, "", ""));
    }

    /** The string that a model continues, before it becomes tokens. */
    public String promptText(Content content) {
        return chatTemplate
                .filter(chat -> isTemplated(content))
                .map(chat -> chat.render(messages(content)))
                .orElseGet(() -> prompt(content));
    }

    private static boolean isTemplated(Content content) {
        return content instanceof Content.Instruction || content instanceof Content.Chat;
    }

    private static List<Content.Message> messages(Content content) {
        return content instanceof Content.Chat chat
                ? withoutLast(chat.messages())
                : List.of(new Content.Message("user", content.question()));
    }

    private String prompt(Content content) {
        return template == Template.Named.NONE || !isTemplated(content) ? content.question() : alpaca(content);
    }

    /** The headings of the Alpaca data set. */
    private static String alpaca(Content content) {
        StringBuilder prompt = new StringBuilder();
        switch (content) {
            case Content.Instruction row -> {
                prompt.append("### Instruction:\n").append(row.instruction()).append("\n\n");
                if (!row.input().isEmpty()) {
                    prompt.append("### Input:\n").append(row.input()).append("\n\n");
                }
            }
            case Content.Chat chat -> {
                for (Content.Message message : withoutLast(chat.messages())) {
                    prompt.append(heading(message.role()))
                            .append(message.content())
                            .append("\n\n");
                }
            }
            case Content.Completion row -> throw new IllegalArgumentException("has no headings: " + row);
            case Content.Text text -> throw new IllegalArgumentException("has no headings: " + text);
        }
        return prompt.append("### Response:\n").toString();
    }

    private static String heading(String role) {
        return switch (role) {
            case "system" -> "### System:\n";
            case "user" -> "### Instruction:\n";
            case "assistant" -> "### Response:\n";
            default ->
                throw new UserInputException(
                        "A message has the role \"%s\"; give system, user or assistant.".formatted(role));
        };
    }

    private static List<Content.Message> withoutLast(List<Content.Message> messages) {
        return messages.subList(0, messages.size() - 1);
    }
}
