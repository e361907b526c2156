package dev.ascribe.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalDouble;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class EventTest {
    private static final UUID RUN = new UUID(0x0123456789abcdefL, 0x8edcba9876543210L);
    private static final Hash SAMPLE = Hash.leaf(new byte[] {1});
    private static final Hash OTHER = Hash.leaf(new byte[] {2});

    private static Event about(Hash subject, long sequence, EventBody body) {
        return new Event(1_763_782_620_123L, RUN, subject, sequence, sequence == 1 ? Hash.ZERO : OTHER, body);
    }

    private static final List<Event> EVENTS = List.of(
            new Event(5, Event.NO_RUN, Hash.ZERO, 0, Hash.ZERO, new EventBody.Ledger("example.com/log", OTHER)),
            new Event(5, Event.NO_RUN, Hash.ZERO, 0, Hash.ZERO, new EventBody.Map(Event.GREATEST, SAMPLE)),
            about(SAMPLE, 1, new EventBody.Ingest("Überprüft · 检查 · 🙂")),
            about(SAMPLE, 2, new EventBody.Transform("split", List.of(OTHER, SAMPLE), "")),
            about(SAMPLE, 3, new EventBody.Batch(0, 809_393, 7)),
            about(SAMPLE, 4, new EventBody.Contribution("gradient-cosine", OTHER, -6.25, List.of(SAMPLE))),
            about(SAMPLE, 5, new EventBody.Delete("asked by its author")),
            about(Event.subjectOf(RUN), 1, new EventBody.Checkpoint(SAMPLE, 12, 1.5, OptionalDouble.of(0), true)),
            about(Event.subjectOf(RUN), 2, new EventBody.Checkpoint(SAMPLE, 12, 1.5, OptionalDouble.empty(), false)),
            about(Event.subjectOf(RUN), 3, new EventBody.Evaluate("lds", Double.MIN_VALUE, SAMPLE, OTHER)));

    @Test
    void everyTypeComesBackFromItsBytes() {
        for (Event event : EVENTS) {
            assertThat(Event.decode(event.encode())).isEqualTo(event);
        }
    }

    @Test
    void theBytesAreThoseOfTheFormat() {
        assertThat(HexFormat.of()
                        .formatHex(
                                about(SAMPLE, 3, new EventBody.Batch(1, 2, 3)).encode()))
                .isEqualTo("01" + "12" + "0000019aa9a2f3db" + "0123456789abcdef8edcba9876543210" + SAMPLE
                        + "0000000000000003" + OTHER + "0000000000000001" + "0000000000000002" + "0000000000000003");
    }

    @Test
    void everyOtherByteStringIsRefusedOrAnotherEvent() {
        for (Event event : EVENTS) {
            byte[] entry = event.encode();
            for (int bit = 0; bit < entry.length * 8; bit++) {
                byte[] changed = entry.clone();
                changed[bit / 8] ^= (byte) (1 << bit % 8);
                try {
                    Event other = Event.decode(changed);
                    assertThat(other).isNotEqualTo(event);
                    assertThat(other.encode()).isEqualTo(changed);
                } catch (VerificationException e) {
                    assertThat(e).hasMessageNotContaining("null");
                }
            }
            for (int length = 0; length < entry.length; length++) {
                byte[] cut = Arrays.copyOf(entry, length);
                assertThatThrownBy(() -> Event.decode(cut)).isInstanceOf(VerificationException.class);
            }
            byte[] longer = Arrays.copyOf(entry, entry.length + 1);
            assertThatThrownBy(() -> Event.decode(longer))
                    .isInstanceOf(VerificationException.class)
                    .hasMessage("1 bytes follow the last field");
        }
    }

    @Test
    void headersThatContradictTheirTypeAreRefused() {
        EventBody batch = new EventBody.Batch(1, 2, 3);
        assertRefused("an event about a sample needs a subject", () -> about(Hash.ZERO, 1, batch));
        assertRefused(
                "sequence 1 has a previous hash of zero, every other one does not",
                () -> new Event(1, RUN, SAMPLE, 1, OTHER, batch));
        assertRefused(
                "sequence 1 has a previous hash of zero, every other one does not",
                () -> new Event(1, RUN, SAMPLE, 2, Hash.ZERO, batch));
        EventBody measured = new EventBody.Evaluate("m", 1, SAMPLE, OTHER);
        assertRefused("the subject is not that of the run", () -> about(SAMPLE, 1, measured));
        assertRefused(
                "an event about a run needs a run",
                () -> new Event(1, Event.NO_RUN, Event.subjectOf(Event.NO_RUN), 1, Hash.ZERO, measured));
        assertRefused(
                "an event about the log has run, subject, sequence and previous of zero",
                () -> new Event(1, RUN, Hash.ZERO, 0, Hash.ZERO, new EventBody.Map(1, OTHER)));
    }

    @Test
    void valuesThatNoReaderWouldTakeAreNotWritten() {
        assertRefused(
                "'step' is 9007199254740992; it must be a whole number from 0 to 9007199254740991",
                () -> about(SAMPLE, 1, new EventBody.Batch(1, Event.GREATEST + 1, 3))
                        .encode());
        assertRefused(
                "'score' is NaN; it must be a finite number",
                () -> about(SAMPLE, 1, new EventBody.Contribution("m", OTHER, Double.NaN, List.of(OTHER)))
                        .encode());
        assertRefused(
                "'checkpoints' is empty; it needs at least one",
                () -> about(SAMPLE, 1, new EventBody.Contribution("m", OTHER, 1, List.of()))
                        .encode());
        assertRefused(
                "'source' holds the control character U+000A",
                () -> about(SAMPLE, 1, new EventBody.Ingest("a\nb")).encode());
        assertRefused(
                "'source' holds half of a surrogate pair",
                () -> about(SAMPLE, 1, new EventBody.Ingest("\ud800")).encode());
        assertRefused(
                "'source' has 65,536 bytes or items, more than 65,535",
                () -> about(SAMPLE, 1, new EventBody.Ingest("x".repeat(65_536))).encode());
        assertRefused(
                "an entry of 65,600 bytes is longer than the log's limit of 65,535",
                () -> about(SAMPLE, 1, new EventBody.Ingest("x".repeat(65_500))).encode());
    }

    @Test
    void minusZeroIsWrittenAsZeroAndRefusedWhenRead() {
        byte[] entry = about(SAMPLE, 1, new EventBody.Contribution("m", OTHER, -0.0, List.of(OTHER)))
                .encode();
        assertThat(entry)
                .isEqualTo(about(SAMPLE, 1, new EventBody.Contribution("m", OTHER, 0.0, List.of(OTHER)))
                        .encode());
        ByteBuffer.wrap(entry).putLong(Event.HEADER + 3 + Hash.BYTES, Double.doubleToRawLongBits(-0.0));
        assertRefused("'score' is −0, which is written as +0", () -> Event.decode(entry));
    }

    private static void assertRefused(String message, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(VerificationException.class).hasMessage(message);
    }
}
