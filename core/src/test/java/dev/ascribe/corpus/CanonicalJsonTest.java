package dev.ascribe.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Content;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Ids computed by Python: hashlib.sha256(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()). */
class CanonicalJsonTest {

    @Test
    void idsAreThoseThatPythonComputes() {
        assertThat(CanonicalJson.id(new Content.Instruction("Say \"hi\"\\\n\u0001\u007f\u2028é😀/", "", "hi")))
                .hasToString("sha256:bdcc30613e36058f31075a97696a97304d9e0bdcb8a83c79acc5e7b908b5c7fa");
        assertThat(CanonicalJson.id(new Content.Completion("a", "b")))
                .hasToString("sha256:05c8394bcac387b0e43fafd247338f47b70a2819caa6f0d9f1eef6b8f8829c6d");
        assertThat(CanonicalJson.id(new Content.Chat(
                        List.of(new Content.Message("user", "a"), new Content.Message("assistant", "b")))))
                .hasToString("sha256:4f9fe6bad9d31e5036203ecd793c79658f0349162d3f72077fa81b00b2c74cf7");
        assertThat(CanonicalJson.id(new Content.Text("a")))
                .hasToString("sha256:6193c97585a0f731ce7b500bb69d2476816afb14c8d95ac8e6e865f680e9e438");
    }
}
