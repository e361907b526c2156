package dev.ascribe.corpus;

import dev.ascribe.Content;
import dev.ascribe.SampleId;
import java.nio.charset.StandardCharsets;

/**
 * The bytes that a sample's identity is the SHA-256 of: compact JSON in UTF-8.
 *
 * <p>The keys, all present and in this order, are
 *
 * <ul>
 *   <li>{@code instruction}, {@code input}, {@code output}; a row without {@code input} has the {@code input} {@code ""}
 *   <li>{@code prompt}, {@code completion}
 *   <li>{@code messages}: an array of objects with {@code role}, {@code content}
 *   <li>{@code text}
 * </ul>
 *
 * <p>No space stands between tokens. In strings, {@code "} and {@code \} are escaped by a backslash, the control characters
 * U+0008, U+0009, U+000A, U+000C, U+000D as {@code \b \t \n \f \r}, the others below U+0020 as {@code \}{@code u00xx} in lower-case
 * hexadecimal; every other character is itself. That is the string form of RFC 8785, and what Python writes:
 *
 * <pre>{@code
 * row = {"instruction": …, "input": …, "output": …}
 * hashlib.sha256(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
 * }</pre>
 *
 * <p>So an Alpaca row in JSON, in a JSON array and in CSV has one identity, however it was spaced, ordered or escaped.
 */
public final class CanonicalJson {
    private CanonicalJson() {}

    /** The canonical bytes of a sample's content. */
    public static byte[] bytes(Content content) {
        StringBuilder json = new StringBuilder();
        switch (content) {
            case Content.Instruction row -> {
                string(json.append("{\"instruction\":"), row.instruction());
                string(json.append(",\"input\":"), row.input());
                string(json.append(",\"output\":"), row.output());
            }
            case Content.Completion row -> {
                string(json.append("{\"prompt\":"), row.prompt());
                string(json.append(",\"completion\":"), row.completion());
            }
            case Content.Chat chat -> {
                String before = "{\"messages\":[";
                for (Content.Message message : chat.messages()) {
                    string(json.append(before).append("{\"role\":"), message.role());
                    string(json.append(",\"content\":"), message.content());
                    json.append('}');
                    before = ",";
                }
                json.append(']');
            }
            case Content.Text row -> string(json.append("{\"text\":"), row.text());
        }
        return json.append('}').toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The identity of a sample with this content. */
    public static SampleId id(Content content) {
        return SampleId.of(bytes(content));
    }

    static void string(StringBuilder json, String value) {
        json.append('"');
        int written = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c >= 0x20 && c != '"' && c != '\\') {
                continue;
            }
            json.append(value, written, i);
            written = i + 1;
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\b' -> json.append("\\b");
                case '\t' -> json.append("\\t");
                case '\n' -> json.append("\\n");
                case '\f' -> json.append("\\f");
                case '\r' -> json.append("\\r");
                default ->
                    json.append("\\u00").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            }
        }
        json.append(value, written, value.length()).append('"');
    }
}
