package dev.ascribe.ledger;

import dev.ascribe.VerificationException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * One event of the log. It has exactly one encoding, and every byte string decodes to one event or is refused.
 *
 * <pre>
 * u8 version = 1 ‖ u8 type ‖ u64 time ‖ run (16) ‖ subject (32) ‖ u64 sequence ‖ previous (32) ‖ body
 * </pre>
 *
 * @param time milliseconds since 1970, as told by whoever appends
 * @param run all zero: none
 * @param subject a sample's commitment, a run's subject, or zero where it is about the log itself
 * @param sequence 1 for the subject's first event, then 2, 3, …; 0 where there is no subject
 * @param previous leaf hash of the subject's previous entry; zero when there is none
 */
public record Event(long time, UUID run, Hash subject, long sequence, Hash previous, EventBody body) {
    /** The only version. */
    public static final int VERSION = 1;

    /** What the log can hold as one entry. */
    public static final int LIMIT = 65_535;

    /** Whole numbers go up to here, so that any JSON reader keeps them exactly. */
    public static final long GREATEST = (1L << 53) - 1;

    /** No run. */
    public static final UUID NO_RUN = new UUID(0, 0);

    static final int HEADER = 98;
    private static final int SUBJECT_AT = 26;
    private static final int SEQUENCE_AT = 58;
    private static final byte[] RUN_SUBJECT = "ascribe-run-v1".getBytes(StandardCharsets.US_ASCII);

    public Event {
        boolean linked = sequence >= 1 && (sequence == 1) == previous.equals(Hash.ZERO);
        switch (body.type().about()) {
            case LOG ->
                require(
                        run.equals(NO_RUN) && subject.equals(Hash.ZERO) && sequence == 0 && previous.equals(Hash.ZERO),
                        "an event about the log has run, subject, sequence and previous of zero");
            case SAMPLE -> {
                require(!subject.equals(Hash.ZERO), "an event about a sample needs a subject");
                require(linked, "sequence 1 has a previous hash of zero, every other one does not");
            }
            case RUN -> {
                require(!run.equals(NO_RUN), "an event about a run needs a run");
                require(subject.equals(subjectOf(run)), "the subject is not that of the run");
                require(linked, "sequence 1 has a previous hash of zero, every other one does not");
            }
        }
    }

    private static void require(boolean holds, String rule) {
        if (!holds) {
            throw new VerificationException(rule);
        }
    }

    /** What stands for a run in the prefix map: SHA-256("ascribe-run-v1" ‖ run). */
    public static Hash subjectOf(UUID run) {
        return Hash.sha256(RUN_SUBJECT, bytes(run));
    }

    private static byte[] bytes(UUID run) {
        return ByteBuffer.allocate(16)
                .putLong(run.getMostSignificantBits())
                .putLong(run.getLeastSignificantBits())
                .array();
    }

    /** Its bytes. */
    public byte[] encode() {
        EntryWriter to = new EntryWriter();
        to.u8(VERSION);
        to.u8(body.type().code());
        to.number("time", time);
        to.u64(run.getMostSignificantBits());
        to.u64(run.getLeastSignificantBits());
        to.hash("subject", subject);
        to.number("sequence", sequence);
        to.hash("previous", previous);
        body.write(to);
        return to.entry();
    }

    /** The event that bytes are, or a {@link VerificationException}. */
    public static Event decode(byte[] entry) {
        EntryReader from = EntryReader.of(entry);
        int version = from.u8("version");
        require(version == VERSION, "version " + version + " is not known");
        EventBody.Type type = type(from.u8("type"));
        long time = from.number("time");
        ByteBuffer run = ByteBuffer.wrap(from.bytes("run", 16));
        Event event = new Event(
                time,
                new UUID(run.getLong(), run.getLong()),
                from.hash("subject"),
                from.number("sequence"),
                from.hash("previous"),
                EventBody.read(type, from));
        from.end();
        return event;
    }

    private static EventBody.Type type(int code) {
        for (EventBody.Type type : EventBody.Type.values()) {
            if (type.code() == code) {
                return type;
            }
        }
        throw new VerificationException("type " + code + " is not known");
    }

    /** The type code of an entry that is known to be well formed. */
    static int typeOf(byte[] entry) {
        return entry[1];
    }

    /** The subject of an entry that is known to be well formed. */
    static Hash subjectOf(byte[] entry) {
        return Hash.of(entry, SUBJECT_AT, Hash.BYTES);
    }

    /** The first 8 bytes of its subject. */
    static long markOf(byte[] entry) {
        return BigEndian.getLong(entry, SUBJECT_AT);
    }

    /** The sequence of an entry that is known to be well formed. */
    static long sequenceOf(byte[] entry) {
        return BigEndian.getLong(entry, SEQUENCE_AT);
    }
}
