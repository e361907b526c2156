package dev.ascribe.torch.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.Content;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncoderTest {
    private static final int BOS = 1;
    private static final int EOS = 2;
    private static final Content.Instruction ROW = new Content.Instruction("Say hi", "", "hi you");
    private static final Content.Chat CHAT = new Content.Chat(List.of(
            new Content.Message("system", "S"),
            new Content.Message("user", "U"),
            new Content.Message("assistant", "A"),
            new Content.Message("user", " V "),
            new Content.Message("assistant", "B")));

    /** Adds BOS; has no chat template. */
    private static final Tokenizer PLAIN = tokenizer(true, "");
    /** Adds BOS; its chat template writes roles in brackets. */
    private static final Tokenizer CHATTY = tokenizer(
            true,
            "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{% endif %}");

    private static final Tokenizer WITHOUT_BOS = tokenizer(false, "");

    private static Tokenizer tokenizer(boolean addsBos, String chatTemplate) {
        Map<String, Object> metadata = Fixture.gguf();
        metadata.put("tokenizer.ggml.add_bos_token", addsBos);
        if (chatTemplate.isEmpty()) {
            metadata.remove("tokenizer.chat_template");
        } else {
            metadata.put("tokenizer.chat_template", chatTemplate);
        }
        return Tokenizer.fromGguf(metadata);
    }

    @AfterAll
    static void close() {
        PLAIN.close();
        CHATTY.close();
        WITHOUT_BOS.close();
    }

    private static Encoder encoder(Tokenizer tokenizer, Template template) {
        return Encoder.of(tokenizer, template, Loss.RESPONSE, 512);
    }

    @Test
    void headings_are_those_of_alpaca() {
        Encoder encoder = encoder(PLAIN, Template.Named.AUTO);
        assertThat(encoder.promptText(ROW)).isEqualTo("### Instruction:\nSay hi\n\n### Response:\n");
        assertThat(encoder.promptText(new Content.Instruction(" a ", "b\n", "c")))
                .isEqualTo("### Instruction:\n a \n\n### Input:\nb\n\n\n### Response:\n");
        assertThat(encoder.promptText(CHAT))
                .isEqualTo(
                        "### System:\nS\n\n### Instruction:\nU\n\n### Response:\nA\n\n### Instruction:\n V \n\n### Response:\n");
        assertThat(encoder.promptText(new Content.Completion("p ", "c"))).isEqualTo("p ");
    }

    @Test
    void a_chat_template_takes_all_messages_but_the_last() {
        Encoder encoder = encoder(CHATTY, Template.Named.AUTO);
        assertThat(encoder.promptText(CHAT)).isEqualTo("[system]S[user]U[assistant]A[user] V >");
        assertThat(encoder.promptText(new Content.Instruction("a", "b", "c"))).isEqualTo("[user]a\n\nb>");
        assertThat(encoder.promptText(ROW)).isEqualTo("[user]Say hi>");
        assertThat(encoder.promptText(new Content.Completion("p", "c"))).isEqualTo("p");
    }

    @Test
    void bos_comes_from_the_post_processor_or_from_the_template_never_from_both() {
        assertThat(encoder(PLAIN, Template.Named.AUTO).encode(ROW).tokens())
                .startsWith(BOS)
                .endsWith(EOS);
        int[] chat = encoder(CHATTY, Template.Named.AUTO).encode(ROW).tokens();
        assertThat(chat).doesNotContain(BOS).endsWith(EOS);
        assertThat(encoder(CHATTY, Template.Named.AUTO).encodePrompt(new Content.Completion("p", "c")))
                .startsWith(BOS);
        assertThat(encoder(CHATTY, Template.Named.ALPACA).encodePrompt(ROW)).startsWith(BOS);
    }

    @Test
    void prompt_and_response_are_tokenised_apart_and_eos_is_appended() {
        Content.Completion row = new Content.Completion("the tow", "er <|im_end|>");
        Example example = encoder(PLAIN, Template.Named.AUTO).encode(row);
        int[] prompt = PLAIN.encode("the tow", true);
        int[] response = PLAIN.encode("er <|im_end|>", false);
        assertThat(example.tokens())
                .isEqualTo(IntStream.concat(
                                IntStream.concat(IntStream.of(prompt), IntStream.of(response)), IntStream.of(EOS))
                        .toArray());
        assertThat(example.responseStart()).isEqualTo(prompt.length);
        assertThat(example.firstTarget()).isEqualTo(prompt.length);
        assertThat(example.targets()).isEqualTo(response.length + 1);
        assertThat(example.isTarget(prompt.length - 1)).isFalse();
        assertThat(example.isTarget(prompt.length)).isTrue();
        assertThat(example.cut()).isFalse();
    }

    @Test
    void the_first_token_is_never_a_target() {
        Content.Text text = new Content.Text("a b");
        Example withBos = encoder(PLAIN, Template.Named.AUTO).encode(text);
        assertThat(withBos.tokens()).startsWith(BOS);
        assertThat(withBos.targets()).isEqualTo(withBos.length() - 1);
        Example bare = encoder(WITHOUT_BOS, Template.Named.AUTO).encode(text);
        assertThat(bare.length()).isEqualTo(withBos.length() - 1);
        assertThat(bare.targets()).isEqualTo(bare.length() - 1);
        Example all = Encoder.of(PLAIN, Template.Named.AUTO, Loss.ALL, 512).encode(ROW);
        assertThat(all.targets()).isEqualTo(all.length() - 1);
        Example empty = encoder(WITHOUT_BOS, Template.Named.AUTO).encode(new Content.Completion("", "ab"));
        assertThat(empty.firstTarget()).isEqualTo(1);
        Example nothing = encoder(WITHOUT_BOS, Template.Named.AUTO).encode(new Content.Text(""));
        assertThat(nothing.tokens()).containsExactly(EOS);
        assertThat(nothing.targets()).isZero();
    }

    @Test
    void what_is_too_long_loses_its_right_end() {
        int[] whole = encoder(PLAIN, Template.Named.AUTO).encode(ROW).tokens();
        int prompt = encoder(PLAIN, Template.Named.AUTO).encodePrompt(ROW).length;
        Example shorter = Encoder.of(PLAIN, Template.Named.AUTO, Loss.RESPONSE, whole.length - 1)
                .encode(ROW);
        assertThat(shorter.tokens())
                .isEqualTo(IntStream.of(whole).limit(whole.length - 1).toArray());
        assertThat(shorter.cut()).isTrue();
        assertThat(shorter.targets()).isEqualTo(whole.length - 1 - prompt);
        for (int limit : new int[] {prompt, prompt - 3, 1}) {
            Example cutOff =
                    Encoder.of(PLAIN, Template.Named.AUTO, Loss.RESPONSE, limit).encode(ROW);
            assertThat(cutOff.length()).isEqualTo(limit);
            assertThat(cutOff.targets()).isZero();
        }
        assertThat(Encoder.of(PLAIN, Template.Named.AUTO, Loss.RESPONSE, whole.length)
                        .encode(ROW)
                        .cut())
                .isFalse();
    }

    @Test
    void template_none_takes_the_words_as_they_are() {
        Encoder encoder = encoder(CHATTY, Template.Named.NONE);
        assertThat(encoder.promptText(new Content.Instruction("a", "b", "c"))).isEqualTo("a\n\nb");
        assertThat(encoder.encodePrompt("Say hi")).isEqualTo(CHATTY.encode("Say hi", true));
        assertThat(encoder(CHATTY, Template.Named.AUTO).encodePrompt("Say hi"))
                .isEqualTo(CHATTY.encode("[user]Say hi>", false));
    }

    @Test
    void options_are_read_and_bad_ones_named(@TempDir Path directory) throws IOException {
        assertThat(Template.parse("auto")).isEqualTo(Template.Named.AUTO);
        assertThat(Template.parse("alpaca")).hasToString("alpaca");
        assertThatThrownBy(() -> Template.parse("alpacca"))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("\"alpacca\"");
        Path file = Files.writeString(directory.resolve("t.jinja"), "<{{ messages[0].content }}>{{ eos_token }}\n");
        assertThat(encoder(PLAIN, Template.parse(file.toString())).promptText(ROW))
                .isEqualTo("<Say hi><|im_end|>");
        assertThatThrownBy(() -> encoder(PLAIN, Template.Named.CHAT))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("no chat template");
        assertThat(encoder(CHATTY, Template.Named.CHAT).promptText(ROW)).isEqualTo("[user]Say hi>");
        assertThat(Loss.parse("all")).isEqualTo(Loss.ALL);
        assertThatThrownBy(() -> Loss.parse("none")).isInstanceOf(UserInputException.class);
        assertThatThrownBy(() -> Encoder.of(PLAIN, Template.Named.AUTO, Loss.ALL, 0))
                .isInstanceOf(UserInputException.class);
    }

    @Test
    void a_tokenizer_without_eos_cannot_end_a_response() {
        Map<String, Object> metadata = Fixture.gguf();
        metadata.remove("tokenizer.ggml.eos_token_id");
        try (Tokenizer tokenizer = Tokenizer.fromGguf(metadata)) {
            assertThatThrownBy(() -> encoder(tokenizer, Template.Named.ALPACA).encode(ROW))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("eos_token");
        }
    }
}
