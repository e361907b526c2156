package dev.ascribe.torch.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {

    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "smollm"})
    void a_tokenizer_rebuilt_from_gguf_metadata_gives_the_reference_ids(String pre) {
        Map<String, Object> metadata = Fixture.gguf();
        metadata.put("tokenizer.ggml.pre", pre);
        try (Tokenizer tokenizer = Tokenizer.fromGguf(metadata)) {
            for (JsonNode row : Fixture.json("expected-gguf.json").get(pre)) {
                assertMatches(tokenizer, row);
            }
        }
    }

    @Test
    void a_tokenizer_of_a_directory_gives_the_reference_ids_uncut_and_unpadded() {
        try (Tokenizer tokenizer = Tokenizer.fromDirectory(Fixture.path("hf"))) {
            for (JsonNode row : Fixture.json("expected-hf.json")) {
                assertMatches(tokenizer, row);
            }
            assertThat(tokenizer.vocabularySize()).isEqualTo(400);
            assertThat(tokenizer.bos()).hasValue(1);
            assertThat(tokenizer.eos()).hasValue(2);
            assertThat(tokenizer.eosText()).isEqualTo("<|im_end|>");
            assertThat(tokenizer.chatTemplate()).hasValue("{{ messages[0]['content'] }}");
        }
    }

    private static void assertMatches(Tokenizer tokenizer, JsonNode row) {
        String text = row.get("text").asText();
        int[] ids = Fixture.ids(row.get("ids"));
        assertThat(tokenizer.encode(text, false)).as(text).isEqualTo(ids);
        assertThat(tokenizer.encode(text, true)).as(text).isEqualTo(Fixture.ids(row.get("processed")));
        assertThat(tokenizer.decode(ids)).isEqualTo(row.get("decoded").asText());
        List<String> pieces = tokenizer.pieces(ids);
        assertThat(pieces).hasSameSizeAs(IntStream.of(ids).boxed().toList());
        assertThat(String.join("", pieces))
                .isEqualTo(row.get("decodedWithSpecial").asText());
    }

    @Test
    void add_bos_token_of_a_gguf_file_puts_bos_in_front() {
        Map<String, Object> metadata = Fixture.gguf();
        metadata.put("tokenizer.ggml.add_bos_token", true);
        try (Tokenizer tokenizer = Tokenizer.fromGguf(metadata)) {
            assertThat(tokenizer.encode("", true)).containsExactly(1);
            assertThat(tokenizer.encode("a", true)).startsWith(1).hasSize(2);
            assertThat(tokenizer.encode("a", false)).hasSize(1);
        }
    }

    @Test
    void a_character_of_several_tokens_is_shown_by_the_last_of_them() {
        try (Tokenizer tokenizer = Tokenizer.fromGguf(Fixture.gguf())) {
            int[] ids = tokenizer.encode("😀!", false);
            assertThat(tokenizer.pieces(ids)).containsExactly("", "", "", "😀", "!");
            assertThat(tokenizer.pieces(new int[] {ids[0], ids[1]})).containsExactly("", "\uFFFD");
            assertThat(tokenizer.token(ids[0])).isEqualTo("\uFFFD");
            assertThat(tokenizer.token(2)).isEqualTo("<|im_end|>");
            assertThat(tokenizer.pieces(new int[0])).isEmpty();
        }
    }

    @Test
    void half_a_surrogate_pair_is_read_as_the_replacement_character() {
        try (Tokenizer tokenizer = Tokenizer.fromGguf(Fixture.gguf())) {
            assertThat(tokenizer.encode("a\uD83Db\uDE00", false)).isEqualTo(tokenizer.encode("a\uFFFDb\uFFFD", false));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-bpe", "qwen2"})
    void llama3_and_qwen2_split_digits_each_in_its_way(String pre) {
        Map<String, Object> metadata = Fixture.gguf();
        metadata.put("tokenizer.ggml.pre", pre);
        List<Object> tokens = new ArrayList<>((List<?>) metadata.get("tokenizer.ggml.tokens"));
        List<Object> types = new ArrayList<>((List<?>) metadata.get("tokenizer.ggml.token_type"));
        List<Object> merges = new ArrayList<>((List<?>) metadata.get("tokenizer.ggml.merges"));
        tokens.add("77");
        types.add(1);
        merges.add("7 7");
        metadata.put("tokenizer.ggml.tokens", tokens);
        metadata.put("tokenizer.ggml.token_type", types);
        metadata.put("tokenizer.ggml.merges", merges);
        try (Tokenizer tokenizer = Tokenizer.fromGguf(metadata)) {
            assertThat(tokenizer.pieces(tokenizer.encode("77777", false)))
                    .isEqualTo(pre.equals("qwen2") ? List.of("7", "7", "7", "7", "7") : List.of("77", "7", "77"));
            assertThat(tokenizer.decode(tokenizer.encode("e\u0301", false)))
                    .isEqualTo(pre.equals("qwen2") ? "é" : "e\u0301");
        }
    }

    @Test
    void a_word_pattern_that_is_not_known_is_refused_by_name() {
        Map<String, Object> metadata = Fixture.gguf();
        metadata.put("tokenizer.ggml.pre", "tekken");
        assertThatThrownBy(() -> Tokenizer.fromGguf(metadata))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("\"tekken\"")
                .hasMessageContaining("smollm");
        metadata.put("tokenizer.ggml.model", "t5");
        assertThatThrownBy(() -> Tokenizer.fromGguf(metadata))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("\"t5\"");
    }

    @Test
    void broken_metadata_is_named() {
        Map<String, Object> metadata = Fixture.gguf();
        metadata.put("tokenizer.ggml.eos_token_id", 400);
        assertThatThrownBy(() -> Tokenizer.fromGguf(metadata))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining("eos_token_id = 400");
        metadata.put("tokenizer.ggml.merges", List.of("nospace"));
        assertThatThrownBy(() -> Tokenizer.fromGguf(metadata))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining("\"nospace\"");
        metadata.put("tokenizer.ggml.merges", List.of("no such"));
        metadata.put("tokenizer.ggml.eos_token_id", 2);
        assertThatThrownBy(() -> Tokenizer.fromGguf(metadata)).isInstanceOf(CorruptDataException.class);
        metadata.put("tokenizer.ggml.tokens", List.of("a", "a"));
        assertThatThrownBy(() -> Tokenizer.fromGguf(metadata)).isInstanceOf(CorruptDataException.class);
        metadata.remove("tokenizer.ggml.tokens");
        assertThatThrownBy(() -> Tokenizer.fromGguf(metadata))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining("tokenizer.ggml.tokens");
    }

    @Test
    void sentencepiece_joins_by_score_and_falls_back_to_bytes() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
        List<Double> scores = new ArrayList<>(List.of(0.0, 0.0, 0.0));
        for (int b = 0; b < 256; b++) {
            tokens.add("<0x%02X>".formatted(b));
            types.add(6);
            scores.add(0.0);
        }
        for (String token : List.of("ab", "bc", "▁ab", "▁", "a", "b", "c")) {
            tokens.add(token);
            types.add(1);
            scores.add(tokens.size() == 261 ? 0.0 : -(double) tokens.size()); // "bc" is best
        }
        Map<String, Object> metadata = Map.of(
                "tokenizer.ggml.model",
                "llama",
                "tokenizer.ggml.tokens",
                tokens,
                "tokenizer.ggml.token_type",
                types,
                "tokenizer.ggml.scores",
                scores,
                "tokenizer.ggml.add_bos_token",
                true,
                "tokenizer.ggml.bos_token_id",
                1,
                "tokenizer.ggml.eos_token_id",
                2);
        try (Tokenizer tokenizer = Tokenizer.fromGguf(metadata)) {
            int[] ids = tokenizer.encode("abc ab é", true);
            assertThat(IntStream.of(ids).mapToObj(tokens::get))
                    .containsExactly("<s>", "▁", "a", "bc", "▁ab", "▁", "<0xC3>", "<0xA9>");
            assertThat(tokenizer.decode(ids)).isEqualTo("abc ab é");
            assertThat(String.join("", tokenizer.pieces(tokenizer.encode("abc ab é", false))))
                    .isEqualTo("abc ab é");
        }
    }

    @Test
    void a_word_vocabulary_sets_punctuation_apart_and_gives_back_the_text(@TempDir Path directory) {
        try (Tokenizer tokenizer = Tokenizer.wordLevel(List.of("Is the tower tall?", "No, the tower's old."))) {
            assertThat(tokenizer.vocabularySize()).isEqualTo(2 + 11);
            int[] ids = tokenizer.encode("the tower is old?", false);
            assertThat(ids).hasSize(5).contains(1); // "is" was never seen in lower case
            String seen = "No, the tower's tall.";
            assertThat(tokenizer.decode(tokenizer.encode(seen, false))).isEqualTo(seen);
            assertThat(String.join("", tokenizer.pieces(tokenizer.encode(seen, false)))
                            .strip())
                    .isEqualTo(seen);
            assertThat(tokenizer.eosText()).isEqualTo("<|endoftext|>");
            assertThat(tokenizer.bos()).isEmpty();
            tokenizer.save(directory);
            try (Tokenizer saved = Tokenizer.fromDirectory(directory)) {
                assertThat(saved.encode("the tower is old?", true)).isEqualTo(ids);
                assertThat(saved.eos()).isEqualTo(tokenizer.eos());
            }
        }
    }

    @Property(tries = 200)
    void a_character_vocabulary_loses_nothing(@ForAll String text) {
        String valid = text.replaceAll("\\p{Cs}", "?");
        try (Tokenizer tokenizer = Tokenizer.characters(List.of(valid))) {
            int[] ids = tokenizer.encode(valid, true);
            assertThat(ids).hasSize(valid.codePointCount(0, valid.length()));
            assertThat(tokenizer.decode(ids)).isEqualTo(valid);
            assertThat(String.join("", tokenizer.pieces(ids))).isEqualTo(valid);
        }
    }

    @Test
    void files_that_are_missing_or_broken_are_named(@TempDir Path directory) throws IOException {
        assertThatThrownBy(() -> Tokenizer.fromDirectory(directory))
                .isInstanceOf(UserInputException.class)
                .hasMessageContaining("tokenizer.json");
        Path file = directory.resolve("tokenizer.json");
        Files.writeString(file, "{\n\"model\": {");
        assertThatThrownBy(() -> Tokenizer.fromDirectory(directory))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining(file + ", line 2");
        Files.writeString(file, "{\"model\": {\"type\": \"BPE\"}}");
        assertThatThrownBy(() -> Tokenizer.fromDirectory(directory))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining(file.toString());
        Files.copy(Fixture.path("hf/tokenizer.json"), file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(directory.resolve("tokenizer_config.json"), "{\"eos_token\": \"</nowhere>\"}");
        assertThatThrownBy(() -> Tokenizer.fromDirectory(directory))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageContaining("</nowhere>");
    }

    @Test
    void a_jinja_file_wins_and_gpt2s_end_of_text_needs_no_configuration(@TempDir Path directory) throws IOException {
        Files.copy(Fixture.path("hf/tokenizer.json"), directory.resolve("tokenizer.json"));
        try (Tokenizer tokenizer = Tokenizer.fromDirectory(directory)) {
            assertThat(tokenizer.eosText()).isEqualTo("<|endoftext|>");
            assertThat(tokenizer.chatTemplate()).isEmpty();
        }
        Files.writeString(
                directory.resolve("tokenizer_config.json"),
                "{\"chat_template\": \"one\", \"eos_token\": \"<|im_start|>\"}");
        try (Tokenizer tokenizer = Tokenizer.fromDirectory(directory)) {
            assertThat(tokenizer.eos()).hasValue(1);
            assertThat(tokenizer.chatTemplate()).hasValue("one");
        }
        Files.writeString(directory.resolve("chat_template.jinja"), "two\n");
        try (Tokenizer tokenizer = Tokenizer.fromDirectory(directory)) {
            assertThat(tokenizer.chatTemplate()).hasValue("two\n");
        }
    }

    @Test
    void a_token_that_only_the_configuration_declares_is_added(@TempDir Path directory) throws IOException {
        Files.copy(Fixture.path("hf/tokenizer.json"), directory.resolve("tokenizer.json"));
        Files.writeString(directory.resolve("tokenizer_config.json"), """
                {"eos_token": "<end>", "added_tokens_decoder": {"400": {"content": "<end>", "lstrip": false,
                 "normalized": false, "rstrip": false, "single_word": false, "special": true}}}""");
        try (Tokenizer tokenizer = Tokenizer.fromDirectory(directory)) {
            assertThat(tokenizer.eos()).hasValue(400);
            assertThat(tokenizer.vocabularySize()).isEqualTo(401);
            assertThat(tokenizer.encode("<end>", false)).containsExactly(400);
        }
    }
}
