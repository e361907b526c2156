package dev.ascribe.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.SampleId;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Draft;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.EventBody;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.Ledger;
import dev.ascribe.ledger.RefusedDraftException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Reads events from JSON lines and logs them. */
final class LedgerAppend {
    private static final String SEQUENCE = "seq";

    private final Ledger ledger;
    private final String source;
    private final boolean ack;
    private long line;
    private long appended;
    private long repeated;
    private long first = -1;
    private long last = -1;

    /** A line: what to log, its number among those with one, and where it stands. */
    private record Line(long number, Draft draft, long sequence, boolean timed) {}

    LedgerAppend(Ledger ledger, String source, boolean ack) {
        this.ledger = ledger;
        this.source = source;
        this.ack = ack;
    }

    long appended() {
        return appended;
    }

    long repeated() {
        return repeated;
    }

    ObjectNode summary() {
        ObjectNode fields =
                LedgerCommand.JSON.createObjectNode().put("appended", appended).put("repeated", repeated);
        if (first < 0) {
            fields.putNull("first").putNull("last");
        } else {
            fields.put("first", first).put("last", last);
        }
        return fields;
    }

    /** Logs a file, all of it or nothing. */
    void file(Path file, int batch) {
        List<Line> lines = new ArrayList<>();
        byte[] bytes = LedgerCommand.bytes(file);
        for (int start = 0; start < bytes.length; ) {
            int end = start;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            lines.add(parse(Arrays.copyOfRange(bytes, start, end)));
            start = end + 1;
        }
        try {
            log(lines, batch);
        } catch (BadLine e) {
            throw e.error;
        }
    }

    /** Logs a stream, group by group; a bad line stops it, and what came before stays. */
    void stream(InputStream in, int batch, int wait) throws IOException {
        LineStream stream = new LineStream(in);
        while (true) {
            List<Line> lines = new ArrayList<>();
            UserInputException bad = null;
            long started = System.nanoTime();
            while (lines.size() < batch) {
                long left = lines.isEmpty() ? Long.MAX_VALUE : wait - (System.nanoTime() - started) / 1_000_000;
                Optional<byte[]> next = stream.next(left);
                if (next.isEmpty()) {
                    break;
                }
                if (lines.isEmpty()) {
                    started = System.nanoTime();
                }
                try {
                    lines.add(parse(next.get()));
                } catch (UserInputException e) {
                    bad = e;
                    break;
                }
            }
            if (lines.isEmpty() && bad == null) {
                return;
            }
            logAsFarAsGood(lines, batch);
            if (bad != null) {
                throw bad;
            }
        }
    }

    private void logAsFarAsGood(List<Line> lines, int batch) {
        try {
            log(lines, batch);
        } catch (BadLine e) {
            log(lines.subList(0, e.position), batch);
            throw e.error;
        }
    }

    /** A line of a group that a rule forbids. */
    private static final class BadLine extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int position;
        private final UserInputException error;

        BadLine(int position, UserInputException error) {
            super(error);
            this.position = position;
            this.error = error;
        }
    }

    private void log(List<Line> lines, int batch) {
        long count = ledger.sequences().count();
        List<Line> fresh = new ArrayList<>();
        List<Integer> positions = new ArrayList<>();
        long[] known = new long[lines.size()]; // index of a line that was there already, or -1
        Arrays.fill(known, -1);
        for (int i = 0; i < lines.size(); i++) {
            Line one = lines.get(i);
            if (one.sequence() == 0 || one.sequence() == count + 1) {
                count += one.sequence() == 0 ? 0 : 1;
                fresh.add(one);
                positions.add(i);
            } else if (one.sequence() <= ledger.sequences().count()) {
                known[i] = repeated(one, i);
            } else {
                throw new BadLine(
                        i, at(one.number(), "\"seq\" is %d, but the next is %d".formatted(one.sequence(), count + 1)));
            }
        }
        List<Ledger.Prepared> prepared;
        try {
            prepared = ledger.prepare(
                    fresh.stream().map(Line::draft).toList(),
                    fresh.stream().mapToLong(Line::sequence).toArray());
        } catch (RefusedDraftException e) {
            int position = positions.get(e.position());
            throw new BadLine(position, at(lines.get(position).number(), e.getMessage()));
        }
        int done = 0;
        int acknowledged = 0;
        while (done < prepared.size()) {
            int end = Math.min(prepared.size(), done + batch);
            long index = ledger.commit(prepared.subList(done, end));
            first = first < 0 ? index : first;
            last = index + end - done - 1;
            appended += end - done;
            for (int i = done; i < end; i++) {
                known[positions.get(i)] = index + i - done;
            }
            int upTo = end == prepared.size() ? lines.size() : positions.get(end);
            acknowledge(lines, known, acknowledged, upTo);
            acknowledged = upTo;
            done = end;
        }
        acknowledge(lines, known, acknowledged, lines.size());
    }

    private void acknowledge(List<Line> lines, long[] indexes, int from, int to) {
        if (!ack || from >= to) {
            return;
        }
        StringBuilder text = new StringBuilder();
        for (int i = from; i < to; i++) {
            text.append(lines.get(i).number()).append(' ').append(indexes[i]).append('\n');
        }
        System.out.print(text);
        System.out.flush();
    }

    /** The index of an event that was logged before, if it is the same. */
    private long repeated(Line one, int position) {
        long index = ledger.sequences().index(one.sequence());
        if (!ledger.isSame(index, one.draft(), one.timed())) {
            throw new BadLine(
                    position,
                    at(
                            one.number(),
                            "\"seq\" %d was logged at index %d with other content".formatted(one.sequence(), index)));
        }
        repeated++;
        return index;
    }

    private UserInputException at(long number, String reason) {
        return new UserInputException("%s, line %d: %s".formatted(source, number, reason));
    }

    private Line parse(byte[] bytes) {
        line++;
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            if (text.isBlank()) {
                throw at(line, "the line is blank");
            }
            JsonNode tree = LedgerCommand.JSON.readTree(text);
            if (!(tree instanceof ObjectNode object)) {
                throw at(line, "an event must be a JSON object");
            }
            return parse(new Fields(object));
        } catch (CharacterCodingException e) {
            throw at(line, "not UTF-8");
        } catch (JacksonException e) {
            throw at(line, "not JSON: " + e.getOriginalMessage().replaceFirst("(: enable| \\(bound as).*", ""));
        } catch (VerificationException e) {
            throw at(line, e.getMessage());
        }
    }

    private Line parse(Fields from) {
        EventBody.Type type = EventJson.type(from.text("type"));
        if (type.about() == EventBody.About.LOG || type == EventBody.Type.DELETE) {
            throw new VerificationException("\"%s\" cannot be appended%s"
                    .formatted(type.label(), type == EventBody.Type.DELETE ? ": ledger erase makes deletes" : ""));
        }
        boolean timed = from.has("time");
        long time = timed ? from.number("time") : System.currentTimeMillis();
        boolean ofRun = type.about() == EventBody.About.RUN;
        UUID run = ofRun || from.has("run") ? EventJson.run(from.text("run")) : Event.NO_RUN;
        Optional<SampleId> sample = ofRun ? Optional.empty() : Optional.of(from.sample(from.text("sample")));
        long sequence = 0;
        if (from.has(SEQUENCE)) {
            sequence = from.number(SEQUENCE);
            if (sequence == 0) {
                throw new VerificationException("\"seq\" counts from 1");
            }
        }
        // read once now, so that what is wrong is told with its line; again when commitments are known
        EventBody.read(type, from.resolving(id -> Hash.ZERO));
        from.end();
        ObjectNode object = from.object();
        return new Line(
                line,
                new Draft(time, run, sample, commit -> EventBody.read(type, new Fields(object).resolving(commit))),
                sequence,
                timed);
    }

    /** An event's fields as they are appended: digests carry their algorithm, samples and queries are named by their ids. */
    private static final class Fields extends JsonFields.From {
        private static final String PREFIX = "sha256:";

        private final ObjectNode object;
        private Function<SampleId, Hash> commitment = id -> Hash.ZERO;

        Fields(ObjectNode object) {
            super(object);
            this.object = object;
            if (!has("detail") && object.path("type").asText().equals("transform")) {
                object.put("detail", "");
                keep("detail");
            }
        }

        ObjectNode object() {
            return object;
        }

        Fields resolving(Function<SampleId, Hash> resolved) {
            commitment = resolved;
            return this;
        }

        SampleId sample(String text) {
            if (!text.matches("sha256:[0-9a-f]{64}")) {
                throw new VerificationException(
                        "'" + text + "' is not a sample id; expected sha256: and 64 hex digits");
            }
            return SampleId.parse(text);
        }

        @Override
        Hash digest(String name, String text) {
            SampleId id = sample(text);
            return name.equals("parents") || name.equals("query")
                    ? commitment.apply(id)
                    : Hash.ofHex(text.substring(PREFIX.length()));
        }
    }

    /** Lines of a stream, read by a thread of its own so that waiting for the next can end. */
    private static final class LineStream {
        private final BlockingQueue<Optional<byte[]>> lines = new ArrayBlockingQueue<>(65_536);
        private boolean ended;

        LineStream(InputStream in) {
            Thread.ofPlatform().daemon().start(() -> read(in));
        }

        private void read(InputStream in) {
            try (BufferedInputStream buffered = new BufferedInputStream(in, 1 << 16)) {
                ByteArrayOutputStream line = new ByteArrayOutputStream();
                for (int b = buffered.read(); b >= 0; b = buffered.read()) {
                    if (b == '\n') {
                        lines.put(Optional.of(line.toByteArray()));
                        line.reset();
                    } else {
                        line.write(b);
                    }
                }
                if (line.size() > 0) {
                    lines.put(Optional.of(line.toByteArray()));
                }
                lines.put(Optional.empty());
            } catch (IOException | InterruptedException e) {
                lines.add(Optional.empty());
            }
        }

        /** The next line; empty at the end, or when none comes in time. */
        Optional<byte[]> next(long millis) {
            if (ended) {
                return Optional.empty();
            }
            try {
                Optional<byte[]> line = lines.poll(Math.max(0, millis), TimeUnit.MILLISECONDS);
                if (line == null) {
                    return Optional.empty();
                }
                ended = line.isEmpty();
                return line;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Optional.empty();
            }
        }
    }
}
