package dev.ascribe.report;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.Proof;
import dev.ascribe.Result;
import dev.ascribe.TableRow;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A result as plain text for a terminal. No line is wider than asked for, and a row's text cannot send the terminal a
 * command.
 */
public final class TextReport {
    private static final int NARROWEST = 60;
    private static final int WIDEST = 200;
    /** A row's text gets a line of its own when fewer columns than this are left beside the numbers. */
    private static final int TEXT_BESIDE = 30;

    private static final int BAR = 10;
    private static final int PROOF_BAR = 24;
    private static final int ANSWER_LINES = 12;
    /** Columns of a row's label. */
    private static final int LABEL = 16;

    private static final String BOLD = "1";
    private static final String FAINT = "2";
    private static final String HELPFUL = "34";
    private static final String HARMFUL = "33";

    private final StringBuilder out = new StringBuilder();
    private final int width;
    private final boolean colour;

    private TextReport(int width, boolean colour) {
        this.width = Math.clamp(width, NARROWEST, WIDEST);
        this.colour = colour;
    }

    /**
     * The text of an attribution, with the proof of its claim if there is one.
     *
     * @param width columns, taken as 60 to 200
     * @param colour whether ANSI colours are wanted; without them the text says the same
     */
    public static String render(Attribution attribution, @Nullable Proof proof, int width, boolean colour) {
        TextReport report = new TextReport(width, colour);
        for (int i = 0; i < attribution.queries().size(); i++) {
            if (attribution.queries().size() > 1) {
                report.heading(
                        "Query %d of %d".formatted(i + 1, attribution.queries().size()));
            }
            report.query(attribution, attribution.queries().get(i));
        }
        if (proof != null) {
            report.proof(proof);
        }
        return report.out.toString();
    }

    /** The text of any result. */
    public static String render(Result result, int width, boolean colour) {
        return switch (result) {
            case Attribution attribution -> render(attribution, null, width, colour);
            case Proof proof -> {
                TextReport report = new TextReport(width, colour);
                report.said("Asked", Wording.question(proof.query()));
                report.said("Predicted", Wording.row(proof.query()));
                report.proof(proof);
                yield report.out.toString();
            }
        };
    }

    private void query(Attribution attribution, Attribution.Query query) {
        said("Asked", Wording.question(query.query()));
        said("Answered", Wording.answer(query.query()));
        Tabular table = Tabular.of(attribution, query).orElse(null);
        if (table != null) {
            said("Predicted", Optional.of(Wording.predicted(query) + table.decision()));
            faint(Columns.line(table.about(attribution.scale())));
        }
        List<Influence> all = Stream.concat(query.influences().stream(), query.harmful().stream())
                .toList();
        Decimals decimals = Decimals.of(all.stream().map(Influence::score).toList());
        heading(table == null ? "Rows that taught it" : Columns.line(table.helpful()));
        faint("%s, %s scores, %s"
                .formatted(Wording.method(attribution), attribution.scale(), Wording.candidates(query.candidates())));
        Wording.model(attribution).ifPresent(this::faint);
        table(query.influences(), all, decimals, table);
        if (!query.harmful().isEmpty()) {
            heading(table == null ? "Rows that speak against it" : Columns.line(table.harmful()));
            table(query.harmful(), all, decimals, table);
        }
        if (table != null) {
            lookAlikes(all, table);
        }
        int first = Math.max(1, query.influences().size());
        List<String> notes = all.stream()
                .map(influence -> Wording.note(influence, first))
                .filter(note -> !note.isEmpty())
                .distinct()
                .toList();
        out.append(notes.isEmpty() ? "" : "\n");
        for (String note : notes) {
            List<String> rows = all.stream()
                    .filter(influence -> Wording.note(influence, first).equals(note))
                    .map(influence -> String.valueOf(influence.row()))
                    .distinct()
                    .toList();
            paragraph(note + " (its first " + first + "): " + (rows.size() == 1 ? "row " : "rows ")
                    + String.join(", ", rows) + ".");
        }
        List<Attribution.Token> tokens = query.tokens();
        if (tokens != null && !tokens.isEmpty()) {
            tokens(tokens);
        }
        ledger(all);
    }

    private void ledger(List<Influence> all) {
        Set<Integer> told = new HashSet<>(); // a row may be in both lists
        for (Influence influence : all) {
            Influence.History history = influence.ledger();
            if (history == null || !told.add(influence.row())) {
                continue;
            }
            if (told.size() == 1) {
                heading("What the ledger says of them");
                faint(Wording.ledger(history));
            }
            out.append(paint(BOLD, "row " + influence.row())).append('\n');
            indented(Wording.events(history), "  ");
            for (String line : history.story()) {
                indented(line, "  ");
            }
        }
    }

    /** Lines after the first stand further in. */
    private void indented(String text, String indent) {
        List<String> lines = Columns.wrap(Columns.line(text), width - 2 * indent.length());
        for (int i = 0; i < lines.size(); i++) {
            out.append(indent.repeat(i == 0 ? 1 : 2)).append(lines.get(i)).append('\n');
        }
    }

    private void table(List<Influence> influences, List<Influence> all, Decimals decimals, @Nullable Tabular table) {
        if (influences.isEmpty()) {
            faint("no row");
            return;
        }
        boolean gradient =
                all.stream().anyMatch(i -> i.ranks() != null && i.ranks().gradient() != null);
        boolean lexical =
                all.stream().anyMatch(i -> i.ranks() != null && i.ranks().lexical() != null);
        boolean embedding =
                all.stream().anyMatch(i -> i.ranks() != null && i.ranks().embedding() != null);
        int rankWide = Math.max(1, widest(all.stream().map(i -> String.valueOf(i.rank()))));
        int rowWide = Math.max(3, widest(all.stream().map(i -> String.valueOf(i.row()))));
        int scoreWide = Math.max(5, widest(all.stream().map(i -> decimals.signed(i.score()))));
        double largest =
                all.stream().mapToDouble(i -> Math.abs(i.score())).max().orElse(0);

        StringBuilder head = new StringBuilder();
        head.append(Columns.padLeft("#", rankWide)).append("  ");
        head.append(Columns.padLeft("row", rowWide)).append("  ");
        head.append(Columns.padLeft("score", scoreWide)).append(" ".repeat(BAR + 2));
        head.append(gradient ? "  gradient" : "")
                .append(lexical ? "  words" : "")
                .append(embedding ? "  meaning" : "");
        boolean shared = table != null && table.query().fields() != null;
        int labelWide = table == null
                ? 0
                : Math.max(Columns.width(label(table)), widest(all.stream().map(TextReport::label)));
        head.append(shared ? "  leaves" : "");
        head.append(table == null ? "" : "  " + Columns.padRight(label(table), labelWide));
        int numbers = head.length() + 2;
        boolean beside = width - numbers >= TEXT_BESIDE;
        out.append(paint(
                        FAINT,
                        beside
                                ? head + (table == null ? "  text" : shared ? "  what differs" : "  fields")
                                : head.toString()))
                .append('\n');

        for (Influence influence : influences) {
            String paint = influence.score() < 0 ? HARMFUL : HELPFUL;
            int filled = largest == 0 ? 0 : (int) Math.round(BAR * Math.abs(influence.score()) / largest);
            String bar = (influence.score() < 0 ? "▒" : "█").repeat(filled);
            StringBuilder line = new StringBuilder();
            line.append(Columns.padLeft(String.valueOf(influence.rank()), rankWide))
                    .append("  ");
            line.append(Columns.padLeft(String.valueOf(influence.row()), rowWide))
                    .append("  ");
            line.append(paint(paint, Columns.padLeft(decimals.signed(influence.score()), scoreWide)))
                    .append("  ");
            line.append(paint(paint, Columns.padRight(bar, BAR)));
            Influence.Ranks ranks = influence.ranks();
            if (gradient) {
                line.append("  ").append(Columns.padLeft(rank(ranks == null ? null : ranks.gradient()), 8));
            }
            if (lexical) {
                line.append("  ").append(Columns.padLeft(rank(ranks == null ? null : ranks.lexical()), 5));
            }
            if (embedding) {
                line.append("  ").append(Columns.padLeft(rank(ranks == null ? null : ranks.embedding()), 7));
            }
            TableRow fields = influence.fields();
            if (shared) {
                line.append("  ").append(Columns.padLeft(share(fields), 6));
            }
            if (table != null) {
                line.append("  ").append(Columns.padRight(label(influence), labelWide));
            }
            String text = Columns.line(table == null || fields == null ? influence.text() : table.differences(fields));
            if (beside) {
                line.append("  ").append(Columns.cut(text, width - numbers));
            } else {
                line.append('\n').append("     ").append(Columns.cut(text, width - 5));
            }
            out.append(line.toString().stripTrailing()).append('\n');
        }
    }

    private static String label(Tabular table) {
        return Columns.cut(Columns.line(table.model().target()), LABEL);
    }

    private static String label(Influence influence) {
        TableRow fields = influence.fields();
        return fields == null ? "" : Columns.cut(Columns.line(Tabular.number(fields.label())), LABEL);
    }

    private static String share(@Nullable TableRow fields) {
        Double shared = fields == null ? null : fields.sharedLeaves();
        return shared == null ? "–" : String.format(Locale.ROOT, "%.0f %%", Math.floor(100 * shared));
    }

    /** Of rows that look like the query, what that says. */
    private void lookAlikes(List<Influence> all, Tabular table) {
        Set<Integer> told = new HashSet<>(); // a row may be in both lists
        for (Influence influence : all) {
            TableRow fields = influence.fields();
            Double shared = fields == null ? null : fields.sharedLeaves();
            if (shared != null && shared >= Tabular.ALIKE && told.add(influence.row())) {
                out.append(told.size() == 1 ? "\n" : "");
                paragraph("row " + influence.row() + ": " + Columns.line(table.sentence(influence)));
            }
        }
    }

    private void tokens(List<Attribution.Token> tokens) {
        heading("Token by token");
        Decimals logprobs =
                Decimals.of(tokens.stream().map(Attribution.Token::logprob).toList());
        Decimals decimals = Decimals.of(tokens.stream()
                .flatMap(token -> token.influences().stream())
                .map(Attribution.Share::score)
                .toList());
        int tokenWide = Math.min(20, widest(tokens.stream().map(token -> quoted(token.text()))));
        int logWide = widest(tokens.stream().map(token -> logprobs.plain(token.logprob())));
        for (Attribution.Token token : tokens) {
            List<String> shares = new ArrayList<>();
            for (Attribution.Share share : token.influences()) {
                shares.add("%d (%s)".formatted(share.row(), decimals.signed(share.score())));
            }
            String line = Columns.padRight(Columns.cut(quoted(token.text()), tokenWide), tokenWide) + "  "
                    + Columns.padLeft(logprobs.plain(token.logprob()), logWide)
                    + (shares.isEmpty() ? "" : "  row " + String.join(", ", shares));
            out.append(Columns.cut(line, width)).append('\n');
        }
    }

    private void proof(Proof proof) {
        heading("The proof");
        out.append(paint(BOLD, Wording.verdict(proof) + ".")).append('\n');
        paragraph(Columns.line(proof.reason()));
        paragraph(Wording.experiment(proof));
        out.append('\n');
        Wording.retraining(proof).ifPresent(this::paragraph);
        faint("loss of the %s, %s: mean (lowest to highest seed)"
                .formatted(Wording.subject(proof), Wording.unit(proof)));
        List<Wording.Arm> arms = Wording.arms(proof);
        Decimals decimals =
                Decimals.of(arms.stream().flatMap(arm -> arm.losses().stream()).toList());
        int nameWide = widest(arms.stream().map(Wording.Arm::name));
        double largest = arms.stream().mapToDouble(Wording.Arm::mean).max().orElse(0);
        for (Wording.Arm arm : arms) {
            double low = arm.losses().stream().mapToDouble(v -> v).min().orElse(0);
            double high = arm.losses().stream().mapToDouble(v -> v).max().orElse(0);
            int room = Math.clamp(width - nameWide - 30L, 4, PROOF_BAR);
            int filled = largest <= 0 ? 0 : (int) Math.round(room * Math.max(0, arm.mean()) / largest);
            String bar = paint(arm.named() ? HELPFUL : FAINT, Columns.padRight("█".repeat(filled), room));
            String range =
                    "%s (%s to %s)".formatted(decimals.plain(arm.mean()), decimals.plain(low), decimals.plain(high));
            out.append(Columns.padRight(arm.name(), nameWide)).append("  ").append(bar);
            out.append("  ").append(range).append('\n');
        }
        out.append('\n');
        paragraph(Wording.effect(proof));
        out.append('\n');
        said("Trained on all rows", Optional.of(proof.outputWithAll()));
        said("Without the named rows", Optional.of(proof.outputWithoutNamed()));
    }

    private void said(String who, Optional<String> text) {
        text.ifPresent(words -> {
            out.append(paint(FAINT, who)).append('\n');
            List<String> lines = Columns.wrap(Columns.line(words), width - 2);
            for (String line : lines.subList(0, Math.min(lines.size(), ANSWER_LINES))) {
                out.append("  ").append(paint(BOLD, line)).append('\n');
            }
            if (lines.size() > ANSWER_LINES) {
                faint(String.format(Locale.ROOT, "  … %,d more lines", lines.size() - ANSWER_LINES));
            }
        });
    }

    private void heading(String text) {
        out.append(out.isEmpty() ? "" : "\n").append(paint(BOLD, text)).append('\n');
    }

    private void faint(String text) {
        Columns.wrap(text, width).forEach(line -> out.append(paint(FAINT, line)).append('\n'));
    }

    private void paragraph(String text) {
        Columns.wrap(text, width).forEach(line -> out.append(line).append('\n'));
    }

    private String paint(String code, String text) {
        return colour ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }

    private static String rank(@Nullable Integer rank) {
        return rank == null ? "–" : rank.toString();
    }

    private static String quoted(String token) {
        return "\"" + Columns.exact(token) + "\"";
    }

    private static int widest(Stream<String> texts) {
        return texts.mapToInt(Columns::width).max().orElse(0);
    }
}
