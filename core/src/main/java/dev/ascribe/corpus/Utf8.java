package dev.ascribe.corpus;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Strict UTF-8: what is not text is refused at its place, never replaced. */
final class Utf8 {
    private static final char REPLACEMENT = '\uFFFD';

    private Utf8() {}

    /** @throws MalformedException at a UTF-16 unit of the text before the first byte that is not UTF-8 */
    static String decode(byte[] bytes) throws MalformedException {
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf(REPLACEMENT) >= 0) { // written in the file, or put there for a bad byte
            requireValid(bytes);
        }
        return text;
    }

    /** The byte at which a UTF-16 unit of the decoded text begins. */
    static int byteOf(byte[] bytes, long unit) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        String before = text.substring(0, (int) Math.min(unit, text.length()));
        return before.getBytes(StandardCharsets.UTF_8).length;
    }

    private static void requireValid(byte[] bytes) throws MalformedException {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer text = CharBuffer.allocate(bytes.length);
        if (decoder.decode(in, text, true).isError()) {
            throw new MalformedException(
                    text.position(),
                    "not UTF-8 (byte 0x%02x); save the file as UTF-8".formatted(bytes[in.position()] & 0xFF));
        }
    }
}
