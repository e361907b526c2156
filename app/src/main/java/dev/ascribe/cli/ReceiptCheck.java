package dev.ascribe.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ascribe.Attribution;
import dev.ascribe.Corpus;
import dev.ascribe.FileTrouble;
import dev.ascribe.Influence;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.gradient.GradientIndex;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.trace.Tracer;
import dev.ascribe.torch.train.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Recomputes what a receipt states, on a run, and says part by part whether it is so. */
final class ReceiptCheck {
    /** Of what is wrong, as much is told. */
    private static final int NAMED = 5;

    private final Receipt receipt;
    private final Run run;
    private final @Nullable Path indexPath;
    private final Console console;
    private final List<Part> parts = new ArrayList<>();
    private @Nullable Double largestDifference;

    /** A part of a receipt, and what is found here instead if it differs. */
    record Part(String name, boolean same, String detail) {}

    ReceiptCheck(Receipt receipt, Path run, @Nullable Path index, Console console) {
        this.receipt = receipt;
        this.run = Run.open(run);
        this.indexPath = index;
        this.console = console;
        if ((receipt.inputs().index() == null) != (index == null)) {
            throw new UserInputException(
                    index == null
                            ? "the receipt was made with an index (%s); give it by --index"
                                    .formatted(receipt.inputs().index())
                            : "the receipt was made without an index; leave --index out");
        }
    }

    /** Whether the same engine computes, so that every bit must be the same. */
    boolean sameEngine() {
        return receipt.engine().equals(ReceiptMaking.engine());
    }

    /** How far a score may be off here, as a share of its query's largest. */
    double allowed() {
        return sameEngine() ? 0 : receipt.tolerance();
    }

    /** The largest difference of a score, if scores were compared. */
    @Nullable
    Double largestDifference() {
        return largestDifference;
    }

    /** Checks all parts: inputs first; where they are the same, settings and scores. */
    List<Part> run() {
        GradientIndex index = indexPath == null ? null : GradientIndex.open(indexPath);
        compare("model", receipt.inputs().model(), LanguageModel.digest(run.model()));
        receipt.inputs().adapters().forEach((name, digest) -> {
            Path file = ReceiptMaking.file(name, run, index).orElse(null);
            compare(
                    "adapter " + name,
                    digest,
                    file != null && Files.exists(file) ? LedgerJournal.digest(file) : "not there");
        });
        try (Corpus corpus = TextOptions.open(run.data(), run.text().skipBad(), console)) {
            compare("corpus", receipt.inputs().corpus(), corpus.digest());
        }
        if (index != null) {
            compare("index", Objects.requireNonNull(receipt.inputs().index()), index.digest());
        }
        if (parts.stream().allMatch(Part::same)) {
            recompute();
        } else {
            parts.add(new Part("result", false, "not recomputed, because what it was made from is not the same"));
        }
        return parts;
    }

    private void compare(String name, String stated, String here) {
        boolean same = stated.equals(here);
        parts.add(new Part(name, same, same ? here : "%s in the receipt, %s here".formatted(stated, here)));
    }

    private void recompute() {
        Receipt.Settings settings = receipt.settings();
        Path scratch = Scratch.create();
        try {
            TraceOptions trace = new TraceOptions();
            trace.run = run.directory();
            trace.index = indexPath;
            trace.method = Objects.toString(settings.method().get("name"));
            trace.candidates = settings.candidates();
            if (indexPath == null) {
                trace.checkpoints = settings.checkpoints();
            }
            trace.query = Files.write(scratch.resolve("queries.jsonl"), receipt.queries());
            try (TraceOptions.Opened opened = trace.openRun(console)) {
                Tracer.Found found = trace.trace(opened, Integer.MAX_VALUE, settings.perToken(), console);
                settings(ReceiptMaking.settings(trace, opened, found, settings.top(), settings.perToken()));
                result(found.queries());
            }
        } catch (IOException e) {
            throw new UserInputException("%s cannot be written: %s".formatted(scratch, FileTrouble.of(e)), e);
        } finally {
            Scratch.remove(scratch);
        }
    }

    private void settings(Receipt.Settings here) {
        JsonNode stated = Receipt.json(receipt.settings());
        JsonNode found = Receipt.json(here);
        Set<String> names = new TreeSet<>();
        stated.fieldNames().forEachRemaining(names::add);
        String differences = names.stream()
                .filter(name -> !stated.get(name).equals(found.get(name)))
                .map(name -> "%s is %s in the receipt, %s here".formatted(name, stated.get(name), found.get(name)))
                .collect(Collectors.joining("; "));
        parts.add(new Part("settings", differences.isEmpty(), differences));
    }

    private void result(List<Attribution.Query> queries) {
        List<String> wrong = new ArrayList<>();
        Difference largest = null;
        int compared = 0;
        for (int q = 0; q < queries.size(); q++) {
            Receipt.Scores stated = receipt.result().get(q);
            List<Influence> all = queries.get(q).influences(); // every candidate, best first
            Map<Integer, Double> here = all.stream().collect(Collectors.toMap(Influence::row, Influence::score));
            double allowed = allowed() * stated.largest();
            for (Receipt.Score score : stated.all()) {
                compared++;
                Double found = here.get(score.row());
                if (found == null) {
                    wrong.add("row %d of query %d is no candidate here".formatted(score.row(), q + 1));
                    continue;
                }
                Difference difference = new Difference(q + 1, score.row(), score.score(), found);
                largest = largest == null || difference.size() > largest.size() ? difference : largest;
                if (difference.size() > allowed) {
                    wrong.add(difference.toString());
                }
            }
            unnamed(stated, all, allowed, q + 1).ifPresent(wrong::add);
        }
        largestDifference = largest == null ? null : largest.size();
        String measured = largest == null || largest.size() == 0
                ? "%d scores, the same bit for bit".formatted(compared)
                : "%d scores; the largest difference is %s".formatted(compared, largest);
        parts.add(new Part(
                "result",
                wrong.isEmpty(),
                wrong.isEmpty() ? measured : "%s; %d wrong: %s".formatted(measured, wrong.size(), some(wrong))));
    }

    private static String some(List<String> wrong) {
        return wrong.stream().limit(NAMED).collect(Collectors.joining("; ")) + (wrong.size() > NAMED ? "; …" : "");
    }

    /** A score that was stated, and what it is here. */
    private record Difference(int query, int row, double stated, double here) {
        double size() {
            return Math.abs(stated - here);
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%.3g at row %d of query %d (%s in the receipt, %s here)",
                    size(),
                    row,
                    query,
                    stated,
                    here);
        }
    }

    /** A row that should have been named: so many are, and its score is beyond the last of them. */
    private Optional<String> unnamed(Receipt.Scores stated, List<Influence> all, double allowed, int query) {
        Set<Integer> named = stated.all().stream().map(Receipt.Score::row).collect(Collectors.toSet());
        int due = Math.min(receipt.settings().top(), all.size());
        if (stated.influences().size() != due) {
            return Optional.of("query %d has %d rows named, and should have %d"
                    .formatted(query, stated.influences().size(), due));
        }
        double last = stated.influences().stream()
                .mapToDouble(Receipt.Score::score)
                .min()
                .orElse(Double.POSITIVE_INFINITY);
        return all.stream()
                .filter(influence -> !named.contains(influence.row()) && influence.score() > last + allowed)
                .findFirst()
                .map(influence -> "row %d of query %d scores %s here and is not named"
                        .formatted(influence.row(), query, influence.score()));
    }
}
