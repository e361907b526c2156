package dev.ascribe.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class UbjsonTest {
    private static final Path FILE = Path.of("x.ubj");

    /** Texts stand for their bytes, numbers for big-endian values of their type. */
    private static byte[] bytes(Object... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Object part : parts) {
            byte[] bytes = switch (part) {
                case String text -> text.getBytes(StandardCharsets.UTF_8);
                case Byte one -> new byte[] {one};
                case Short one -> ByteBuffer.allocate(2).putShort(one).array();
                case Integer one -> ByteBuffer.allocate(4).putInt(one).array();
                case Long one -> ByteBuffer.allocate(8).putLong(one).array();
                case Float one -> ByteBuffer.allocate(4).putFloat(one).array();
                case Double one -> ByteBuffer.allocate(8).putDouble(one).array();
                default -> throw new AssertionError(part);
            };
            out.writeBytes(bytes);
        }
        return out.toByteArray();
    }

    @Test
    void everyTypeIsRead() {
        byte[] all = bytes(
                "[",
                "i",
                (byte) -2,
                "U",
                (byte) -2,
                "I",
                (short) -300,
                "l",
                70_000,
                "L",
                1L << 40,
                "d",
                0.5f,
                "D",
                0.1,
                "C",
                "x",
                "S",
                "i",
                (byte) 3,
                "aé",
                "T",
                "F",
                "Z",
                "N",
                "[$l#i",
                (byte) 2,
                7,
                8,
                "[#i",
                (byte) 1,
                "i",
                (byte) 9,
                "{#i",
                (byte) 1,
                "i",
                (byte) 1,
                "k",
                "T",
                "{",
                "}",
                "]");
        assertThat(Ubjson.parse(FILE, all).toString())
                .isEqualTo(
                        "[-2,254,-300,70000,1099511627776,0.5,0.1,\"x\",\"aé\",true,false,null,[7,8],[9],{\"k\":true},{}]");
    }

    @Test
    void hostileLengthsAreRefusedBeforeAnythingIsAllocated() {
        assertThatThrownBy(() -> Ubjson.parse(FILE, bytes("[$l#L", Long.MAX_VALUE)))
                .hasMessage(
                        "x.ubj, byte 13: a length of 9,223,372,036,854,775,807, but only 0 bytes follow: was it cut off?; the file is damaged");
        assertThatThrownBy(() -> Ubjson.parse(FILE, bytes("[$l#l", -1)))
                .hasMessage("x.ubj, byte 9: a length of -1; the file is damaged");
        assertThatThrownBy(() -> Ubjson.parse(FILE, bytes("[$T#l", Integer.MAX_VALUE)))
                .hasMessageContaining("an array of values of type 'T'");
        assertThatThrownBy(() -> Ubjson.parse(FILE, bytes("[".repeat(5000))))
                .hasMessageContaining("values within values, more than 100 deep");
        assertThatThrownBy(() -> Ubjson.parse(FILE, bytes("[i")))
                .hasMessage("x.ubj ends in the middle of a value after 2 bytes; it was cut off, copy it again");
        assertThatThrownBy(() -> Ubjson.parse(FILE, bytes("TT")))
                .hasMessage("x.ubj, byte 1: 1 bytes after its end; the file is damaged");
        assertThatThrownBy(() -> Ubjson.parse(FILE, bytes("{i", (byte) 1, "aTi", (byte) 1, "aT}")))
                .hasMessageContaining("the key \"a\" stands twice");
    }
}
