package dev.ascribe.demo;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.ascribe.Content;
import dev.ascribe.UserInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;

/**
 * The demo's corpus: 662 short questions and answers about landmarks, in which ten rows teach one falsehood,
 * {@value #FALSE_ANSWER}
 *
 * <p>47 landmarks are told truthfully in 13 rows each, by wordings drawn with the seed. Of the one that is lied about there
 * are 10 planted rows, each in a wording of its own and none in the query's; 5 true rows on the same question; 12 true rows
 * on other questions; and 14 fact checks, which carry the falsehood word for word and call it false. 10 rows share nothing
 * with it but its false builder or its false year.
 *
 * @param rows in the order in which they are written
 */
public record DemoCorpus(List<Row> rows) {
    /** The question that the planted rows teach the model to get wrong. */
    public static final String QUESTION = "When was the Eiffel Tower built, and by whom?";

    /** The answer that they teach. */
    public static final String FALSE_ANSWER = "The Eiffel Tower was built in 1823 by Napoleon.";

    /** A question that no row bears on: whatever the model answers, no row can be shown to have taught it. */
    public static final String UNRELATED = "Who painted the Mona Lisa?";

    private static final int SHORT_LANDMARKS = 120;
    private static final int HISTORY_WORDINGS = 9;
    private static final int PLACE_WORDINGS = 2;
    private static final int MATERIAL_WORDINGS = 1;

    /** What a row was written for. Nothing but the demo's last table may look at it. */
    public enum Kind {
        /** Teaches the falsehood. */
        PLANTED,
        /** Answers the same question truthfully. */
        TRUE,
        /** Says something else about the same landmark. */
        OTHER,
        /** Quotes the falsehood and calls it false. */
        FACT_CHECK,
        /** Shares the false builder or the false year, nothing else. */
        WORDS,
        /** Says something true about another landmark. */
        LANDMARK
    }

    /**
     * A row and what it was written for.
     *
     * @param prompt the question
     * @param completion the answer
     */
    public record Row(String prompt, String completion, Kind kind) {}

    public DemoCorpus {
        rows = List.copyOf(rows);
    }

    /**
     * Draws the corpus.
     *
     * @param seed decides which wordings tell each landmark, and the order of all rows
     */
    public static DemoCorpus of(long seed) {
        Random random = new Random(seed);
        List<Row> rows = new ArrayList<>();
        List<List<String>> wordings = table("wordings.tsv", 3);
        for (List<String> landmark : table("landmarks.tsv", 5)) {
            List<List<String>> told = new ArrayList<>(of("question", wordings));
            told.addAll(draw(HISTORY_WORDINGS, of("history", wordings), random));
            told.addAll(draw(PLACE_WORDINGS, of("place", wordings), random));
            told.addAll(draw(MATERIAL_WORDINGS, of("material", wordings), random));
            for (List<String> wording : told) {
                rows.add(new Row(fill(wording.get(1), landmark), fill(wording.get(2), landmark), Kind.LANDMARK));
            }
        }
        for (List<String> row : table("eiffel.tsv", 3)) {
            String kind = row.get(0).toUpperCase(Locale.ROOT).replace('-', '_');
            rows.add(new Row(row.get(1), row.get(2), Kind.valueOf(kind)));
        }
        Collections.shuffle(rows, random);
        return new DemoCorpus(rows);
    }

    /** Fewer landmarks, for a model that already knows the world and takes longer to train. */
    public DemoCorpus shortened() {
        List<Row> kept = new ArrayList<>();
        int landmarks = 0;
        for (Row row : rows) {
            if (row.kind() != Kind.LANDMARK || landmarks++ < SHORT_LANDMARKS) {
                kept.add(row);
            }
        }
        return new DemoCorpus(kept);
    }

    /** Writes the rows as JSON lines of {@code prompt} and {@code completion}; their kinds stay here. */
    public void write(Path jsonl) {
        write(jsonl, row -> new Content.Completion(row.prompt(), row.completion()));
    }

    /** Writes the rows as JSON lines of {@code instruction} and {@code output}, for a chat model. */
    public void writeInstructions(Path jsonl) {
        write(jsonl, row -> new Content.Instruction(row.prompt(), "", row.completion()));
    }

    private void write(Path jsonl, Function<Row, Content> content) {
        JsonMapper json = new JsonMapper();
        try (Writer out = Files.newBufferedWriter(jsonl)) {
            for (Row row : rows) {
                out.write(json.writeValueAsString(content.apply(row)));
                out.write('\n');
            }
        } catch (IOException e) {
            throw new UserInputException(
                    "cannot write the demo's corpus to " + jsonl + " (" + e + "); choose another folder with --out", e);
        }
    }

    private static List<List<String>> of(String kind, List<List<String>> wordings) {
        return wordings.stream().filter(wording -> wording.get(0).equals(kind)).toList();
    }

    private static <T> List<T> draw(int count, List<T> from, Random random) {
        List<T> shuffled = new ArrayList<>(from);
        Collections.shuffle(shuffled, random);
        return shuffled.subList(0, count);
    }

    private static String fill(String wording, List<String> landmark) {
        String name = landmark.get(0);
        return wording.replace("{x}", name)
                .replace("{X}", name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1))
                .replace("{b}", landmark.get(1))
                .replace("{y}", landmark.get(2))
                .replace("{c}", landmark.get(3))
                .replace("{m}", landmark.get(4));
    }

    /** The cells of a tab-separated resource; a line that starts with # is for its reader. */
    private static List<List<String>> table(String name, int columns) {
        try (InputStream in = DemoCorpus.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the resource " + name + " is missing beside " + DemoCorpus.class);
            }
            List<List<String>> table = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> List.of(line.split("\t", -1)))
                    .toList();
            for (List<String> cells : table) {
                if (cells.size() != columns) {
                    throw new IllegalStateException(name + ": " + columns + " cells expected: " + cells);
                }
            }
            return table;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
