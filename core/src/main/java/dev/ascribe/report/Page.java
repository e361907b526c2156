package dev.ascribe.report;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.Proof;
import dev.ascribe.Provenance;
import dev.ascribe.TableRow;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The page as the templates show it: order, wording and geometry are decided here, escaping is left to them.
 *
 * @param made by what and when
 */
record Page(
        String title,
        String made,
        List<Query> queries,
        @Nullable Evidence evidence,
        List<Facts> facts,
        @Nullable String meaning) {
    private static final int QUESTION_LIMIT = 3_000;
    private static final int ROW_LIMIT = 1_200;
    private static final int OUTPUT_LIMIT = 2_000;
    private static final int TITLE_LIMIT = 90;
    private static final int CELL_LIMIT = 60;
    /** Features beside each other; a reader cannot follow more. */
    private static final int COLUMNS = 60;

    /** Below this share of the strongest token's score a token is left plain. */
    private static final double FAINT = 0.1;

    /**
     * A traced output.
     *
     * @param id of its section; every other id in it begins with this
     * @param contents its line in the table of contents
     * @param runs the answer cut where the strongest row changes; empty without per-token blame
     * @param scored which rows were scored, and the answer's loss
     * @param others what else the query says of itself
     */
    record Query(
            String id,
            String name,
            String contents,
            @Nullable Passage question,
            @Nullable Passage answer,
            List<Run> runs,
            List<Token> tokens,
            String scored,
            String others,
            Heading helpfulName,
            List<Row> helpful,
            Heading harmfulName,
            List<Row> harmful,
            @Nullable Ranks ranks,
            @Nullable Beside beside) {
        /** Whether the proof removed all rows that are named here: said once then, not beside each. */
        boolean allRemoved() {
            return helpful.stream().allMatch(Row::removed);
        }
    }

    /** The name of a list, and how it is to be read. */
    record Heading(String name, String note) {}

    /**
     * Rows of a table beside the query's.
     *
     * @param compared whether there is a row that the others are compared with
     * @param columns the features that are shown
     * @param note what is not shown, or nothing
     */
    record Beside(boolean compared, String target, List<String> columns, String note, List<Line> lines) {}

    /**
     * One row of a table.
     *
     * @param anchor of its place in the lists; null of the query
     * @param share of its leaves that are the query's
     */
    record Line(
            String name,
            @Nullable String anchor,
            String score,
            boolean against,
            String label,
            String share,
            List<Field> fields) {}

    /** A value, and whether the query has another. */
    record Field(String text, boolean differs) {}

    /**
     * Neighbouring tokens with the same strongest row.
     *
     * @param row null where no row is strong enough
     * @param anchor id of the row on this page, or null if it is not shown
     */
    record Run(
            List<Shade> shades,
            @Nullable Integer row,
            boolean against,
            String score,
            @Nullable String anchor) {}

    /** A token's text, with the white space before it apart, and its strength from 0 to 1. */
    record Shade(String space, String text, String strength) {}

    /** A token with its rows in words. */
    record Token(String text, String logprob, List<Share> shares) {}

    /** A row of a token. */
    record Share(int row, String score, @Nullable String anchor) {}

    /**
     * A row with its bar; lengths in percent of the bar's width.
     */
    record Row(
            String anchor,
            int rank,
            int row,
            String score,
            boolean against,
            String left,
            String width,
            String zero,
            boolean removed,
            Passage text,
            @Nullable Ledger ledger) {}

    /**
     * What a ledger knows of a row.
     *
     * @param summary how much it has
     * @param worth what that is worth
     * @param proof the text of the file that proves it
     */
    record Ledger(String summary, String worth, List<String> story, String proof) {}

    /** The ranks side by side; a kind that was never measured has no column. */
    record Ranks(boolean gradient, boolean lexical, boolean embedding, int first, int of, List<Standing> standings) {}

    /** One row's ranks. */
    record Standing(
            int row, String anchor, boolean against, Cell gradient, Cell lexical, Cell embedding, String note) {}

    /** A rank, and whether it is among the first. */
    record Cell(String text, boolean first) {}

    /**
     * The proof.
     *
     * @param without the rows it left out, in words
     */
    record Evidence(
            boolean shown,
            String verdict,
            @Nullable Passage question,
            String reason,
            String experiment,
            String retraining,
            String subject,
            String does,
            String unit,
            String effect,
            Picture losses,
            Picture interval,
            List<Long> seeds,
            List<Column> columns,
            Passage before,
            Passage after,
            List<Outputs> outputs,
            String without,
            String removed) {}

    /** The losses of one arm, a cell a seed. */
    record Column(String name, List<String> losses) {}

    /** The answers of one arm, one a seed. */
    record Outputs(String arm, List<Passage> answers) {}

    /** Settings or digests under one heading. */
    record Facts(String name, Map<String, String> entries) {}

    static Page of(Attribution attribution, @Nullable Proof proof) {
        List<Query> queries = new ArrayList<>();
        for (int i = 0; i < attribution.queries().size(); i++) {
            queries.add(query(
                    attribution,
                    attribution.queries().get(i),
                    i + 1,
                    attribution.queries().size() > 1,
                    proof));
        }
        Evidence evidence = null;
        if (proof != null) {
            boolean same = attribution.queries().size() == 1
                    && attribution.queries().getFirst().query().equals(proof.query());
            evidence = evidence(proof, !same);
        }
        List<Facts> facts = new ArrayList<>();
        facts.add(new Facts("Method", texts(attribution.method())));
        facts.addAll(facts(attribution.provenance(), "Trace"));
        facts.add(new Facts("Rows named", rowIds(attribution)));
        if (proof != null) {
            facts.addAll(proofFacts(proof));
        }
        return new Page(
                title(attribution),
                Wording.method(attribution) + " · " + day(attribution.provenance()),
                List.copyOf(queries),
                evidence,
                withoutEmpty(facts),
                Wording.meaning(attribution, proof));
    }

    static Page of(Proof proof) {
        return new Page(
                "Did these rows teach it?",
                "proof · " + day(proof.provenance()),
                List.of(),
                evidence(proof, true),
                withoutEmpty(proofFacts(proof)),
                null);
    }

    private static List<Facts> proofFacts(Proof proof) {
        List<Facts> facts = new ArrayList<>(facts(proof.provenance(), "Proof"));
        Proof.Retraining how = proof.retraining();
        if (how != null) {
            facts.add(new Facts("Proof: parameters of " + how.trainer(), texts(how.parameters())));
        }
        return facts;
    }

    private static String day(Provenance provenance) {
        return provenance.startedAt().split("T", 2)[0];
    }

    private static String title(Attribution attribution) {
        String what = attribution.model() == null
                ? "answer"
                : attribution.queries().stream().anyMatch(query -> query.contrast() != null)
                        ? "difference"
                        : "prediction";
        return attribution.queries().size() == 1
                ? "Where this %s came from".formatted(what)
                : "Where these %ss came from".formatted(what);
    }

    private static Query query(
            Attribution attribution, Attribution.Query query, int number, boolean several, @Nullable Proof proof) {
        String id = "q" + number;
        String question = Wording.question(query.query()).orElse("");
        Tabular table = Tabular.of(attribution, query).orElse(null);
        String answer = table == null ? Wording.answer(query.query()).orElse("") : table.decision();
        ContentWords words = ContentWords.of(question, answer);
        List<Influence> all = Stream.concat(query.influences().stream(), query.harmful().stream())
                .toList();
        Decimals decimals = Decimals.of(all.stream().map(Influence::score).toList());
        double low =
                Math.min(0, all.stream().mapToDouble(Influence::score).min().orElse(0));
        double high =
                Math.max(0, all.stream().mapToDouble(Influence::score).max().orElse(0));
        Set<Integer> removed =
                proof != null && proof.query().equals(query.query()) ? new HashSet<>(proof.removed()) : Set.of();
        // A row may be in both lists when few rows were scored; its anchor is the first.
        Map<Integer, String> anchors = new LinkedHashMap<>();
        List<Row> helpful = new ArrayList<>();
        List<Row> harmful = new ArrayList<>();
        for (Influence influence : all) {
            boolean inFirst = helpful.size() < query.influences().size();
            String anchor = id + (inFirst ? "-row-" : "-against-") + influence.row();
            anchors.putIfAbsent(influence.row(), anchor);
            double from = Math.min(0, influence.score());
            double span = high > low ? high - low : 1;
            (inFirst ? helpful : harmful)
                    .add(new Row(
                            anchor,
                            influence.rank(),
                            influence.row(),
                            decimals.signed(influence.score()),
                            influence.score() < 0,
                            percent((from - low) / span),
                            percent(Math.abs(influence.score()) / span),
                            percent(-low / span),
                            removed.contains(influence.row()),
                            table == null
                                    ? Passage.of(influence.text(), words, ROW_LIMIT)
                                    : Passage.of(table.sentence(influence), ROW_LIMIT),
                            ledger(influence.ledger())));
        }
        return new Query(
                id,
                several ? "Query " + number : table == null ? "The question" : "The prediction",
                "Query " + number + heading(table == null ? question : answer),
                question.isEmpty() ? null : Passage.of(question, QUESTION_LIMIT),
                answer.isEmpty() ? null : Passage.of(answer, QUESTION_LIMIT),
                runs(query, anchors),
                tokens(query, anchors),
                table == null ? scored(query) : Passage.visible(table.about(attribution.scale())) + ".",
                table == null ? others(query.query()) : "",
                table == null
                        ? new Heading(
                                "Rows that taught it",
                                "Strongest first; bars start at 0 and share one scale. Words that the question or the answer also have are marked.")
                        : new Heading(
                                Passage.visible(table.helpful()),
                                "Strongest first; bars start at 0 and share one scale."),
                List.copyOf(helpful),
                table == null
                        ? new Heading(
                                "Rows that speak against it",
                                "Most negative first: training on these makes the answer less likely.")
                        : new Heading(Passage.visible(table.harmful()), table.harmfulNote()),
                List.copyOf(harmful),
                ranks(query, anchors, all),
                table == null ? null : beside(table, all, anchors, decimals));
    }

    private static @Nullable Beside beside(
            Tabular table, List<Influence> rows, Map<Integer, String> anchors, Decimals decimals) {
        List<String> features = table.model().features();
        int shown = Math.min(features.size(), COLUMNS);
        List<Line> lines = new ArrayList<>();
        TableRow asked = table.query().fields();
        if (asked != null) {
            lines.add(line("the query", null, "", false, asked, table, shown));
        }
        Set<Integer> seen = new HashSet<>();
        for (Influence row : rows) {
            TableRow fields = row.fields();
            if (fields != null && seen.add(row.row())) {
                lines.add(line(
                        "row " + row.row(),
                        anchors.get(row.row()),
                        decimals.signed(row.score()),
                        row.score() < 0,
                        fields,
                        table,
                        shown));
            }
        }
        return lines.isEmpty()
                ? null
                : new Beside(
                        asked != null,
                        Passage.visible(table.model().target()),
                        features.stream().limit(shown).map(Passage::visible).toList(),
                        shown == features.size()
                                ? ""
                                : String.format(Locale.ROOT, "The first %,d of %,d features.", shown, features.size()),
                        List.copyOf(lines));
    }

    private static Line line(
            String name,
            @Nullable String anchor,
            String score,
            boolean against,
            TableRow row,
            Tabular table,
            int shown) {
        List<Boolean> differing = table.differing(row);
        List<Field> fields = new ArrayList<>();
        for (int f = 0; f < shown; f++) {
            String text =
                    Passage.of(Tabular.number(row.values().get(f)), CELL_LIMIT).text();
            fields.add(new Field(text.isEmpty() ? "–" : text, differing.get(f)));
        }
        Double shared = row.sharedLeaves();
        return new Line(
                name,
                anchor,
                score,
                against,
                Passage.visible(Tabular.number(row.label())),
                shared == null ? "" : String.format(Locale.ROOT, "%.0f %%", Math.floor(100 * shared)),
                List.copyOf(fields));
    }

    private static @Nullable Ledger ledger(Influence.@Nullable History history) {
        return history == null
                ? null
                : new Ledger(
                        Wording.events(history),
                        Wording.ledger(history),
                        history.story().stream().map(Passage::visible).toList(),
                        Passage.visible(history.proof()));
    }

    private static String heading(String question) {
        if (question.isEmpty()) {
            return "";
        }
        Passage passage = Passage.of(question.strip().replaceAll("\\s+", " "), TITLE_LIMIT);
        return ": " + passage.text() + (passage.shortened() ? " …" : "");
    }

    private static String scored(Attribution.Query query) {
        Double loss = query.loss();
        return "Scored: " + Wording.candidates(query.candidates()) + "."
                + (loss == null
                        ? ""
                        : " Loss of the answer: " + Decimals.of(List.of(loss)).plain(loss) + " nats per token.");
    }

    private static String others(Map<String, Object> query) {
        List<String> others = new ArrayList<>();
        texts(query).forEach((key, value) -> {
            if (!key.equals("prompt") && !key.equals("output")) {
                others.add(key + ": " + value);
            }
        });
        return String.join(" · ", others);
    }

    private static List<Run> runs(Attribution.Query query, Map<Integer, String> anchors) {
        List<Attribution.Token> tokens = query.tokens();
        if (tokens == null) {
            return List.of();
        }
        double strongest = tokens.stream()
                .flatMap(token -> token.influences().stream())
                .mapToDouble(share -> Math.abs(share.score()))
                .max()
                .orElse(0);
        Decimals decimals = Decimals.of(List.of(strongest));
        List<Run> runs = new ArrayList<>();
        int from = 0;
        while (from < tokens.size()) {
            Attribution.Share share = strongest(tokens.get(from), strongest);
            List<Shade> shades = new ArrayList<>();
            double most = 0;
            int to = from;
            while (to < tokens.size() && sameRow(share, strongest(tokens.get(to), strongest))) {
                Attribution.Share own = strongest(tokens.get(to), strongest);
                double score = own == null ? 0 : own.score();
                most = Math.abs(score) > Math.abs(most) ? score : most;
                String text = Passage.visible(tokens.get(to).text());
                String word = text.stripLeading();
                String strength = String.format(Locale.ROOT, "%.2f", strongest == 0 ? 0 : Math.abs(score) / strongest);
                shades.add(new Shade(text.substring(0, text.length() - word.length()), word, strength));
                to++;
            }
            runs.add(new Run(
                    List.copyOf(shades),
                    share == null ? null : share.row(),
                    most < 0,
                    decimals.signed(most),
                    share == null ? null : anchors.get(share.row())));
            from = to;
        }
        return List.copyOf(runs);
    }

    private static Attribution.@Nullable Share strongest(Attribution.Token token, double most) {
        Attribution.Share best = null;
        for (Attribution.Share share : token.influences()) {
            if (best == null || Math.abs(share.score()) > Math.abs(best.score())) {
                best = share;
            }
        }
        return best == null || Math.abs(best.score()) < FAINT * most || best.score() == 0 ? null : best;
    }

    private static boolean sameRow(Attribution.@Nullable Share a, Attribution.@Nullable Share b) {
        if (a == null || b == null) {
            return a == null && b == null;
        }
        return a.row() == b.row() && Math.signum(a.score()) == Math.signum(b.score());
    }

    private static List<Token> tokens(Attribution.Query query, Map<Integer, String> anchors) {
        List<Attribution.Token> tokens = query.tokens();
        if (tokens == null) {
            return List.of();
        }
        List<Double> scores = tokens.stream()
                .flatMap(token -> token.influences().stream())
                .map(Attribution.Share::score)
                .toList();
        Decimals decimals = Decimals.of(scores);
        Decimals logprobs =
                Decimals.of(tokens.stream().map(Attribution.Token::logprob).toList());
        return tokens.stream()
                .map(token -> new Token(
                        Passage.visible(token.text()).replace("\n", "↵").replace("\t", "⇥"),
                        logprobs.plain(token.logprob()),
                        token.influences().stream()
                                .map(share -> new Share(
                                        share.row(), decimals.signed(share.score()), anchors.get(share.row())))
                                .toList()))
                .toList();
    }

    private static @Nullable Ranks ranks(
            Attribution.Query query, Map<Integer, String> anchors, List<Influence> influences) {
        int first = Math.max(1, query.influences().size());
        List<Standing> standings = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        boolean gradient = false;
        boolean lexical = false;
        boolean embedding = false;
        for (Influence influence : influences) {
            Influence.Ranks ranks = influence.ranks();
            if (ranks == null || !seen.add(influence.row())) {
                continue;
            }
            gradient |= ranks.gradient() != null;
            lexical |= ranks.lexical() != null;
            embedding |= ranks.embedding() != null;
            standings.add(new Standing(
                    influence.row(),
                    anchors.getOrDefault(influence.row(), ""),
                    influence.score() < 0,
                    cell(ranks.gradient(), first),
                    cell(ranks.lexical(), first),
                    cell(ranks.embedding(), first),
                    Wording.note(influence, first)));
        }
        return gradient || lexical || embedding
                ? new Ranks(
                        gradient, lexical, embedding, first, query.candidates().count(), List.copyOf(standings))
                : null;
    }

    private static Cell cell(@Nullable Integer rank, int first) {
        return new Cell(
                rank == null ? "not measured" : String.format(Locale.ROOT, "%,d", rank), Wording.within(rank, first));
    }

    private static Evidence evidence(Proof proof, boolean withQuestion) {
        Decimals decimals = Decimals.of(Wording.arms(proof).stream()
                .flatMap(arm -> arm.losses().stream())
                .toList());
        List<Outputs> outputs = new ArrayList<>();
        ResultJson.ordered(proof.outputs())
                .forEach((arm, answers) -> outputs.add(new Outputs(
                        Wording.arm(arm),
                        answers.stream()
                                .map(answer -> Passage.of(answer, OUTPUT_LIMIT))
                                .toList())));
        String question = withQuestion
                ? Wording.question(proof.query())
                        .or(() -> Wording.row(proof.query()))
                        .orElse("")
                : "";
        return new Evidence(
                proof.shown(),
                Wording.verdict(proof),
                question.isEmpty() ? null : Passage.of(question, QUESTION_LIMIT),
                proof.reason(),
                Wording.experiment(proof),
                Wording.retraining(proof).orElse(""),
                Wording.subject(proof),
                Wording.does(proof),
                Wording.unit(proof),
                Wording.effect(proof),
                Picture.losses(proof),
                Picture.effect(proof),
                proof.seeds(),
                Wording.arms(proof).stream()
                        .map(arm -> new Column(
                                arm.name(),
                                arm.losses().stream().map(decimals::plain).toList()))
                        .toList(),
                Passage.of(proof.outputWithAll(), OUTPUT_LIMIT),
                Passage.of(proof.outputWithoutNamed(), OUTPUT_LIMIT),
                List.copyOf(outputs),
                Wording.without(proof),
                String.join(", ", proof.removed().stream().map(String::valueOf).toList()));
    }

    private static List<Facts> facts(Provenance provenance, String of) {
        Map<String, String> made = new LinkedHashMap<>();
        putIfKnown(made, "model", provenance.model());
        putIfKnown(made, "adapter", provenance.adapter());
        putIfKnown(made, "data", provenance.data());
        putIfKnown(made, "index", provenance.index());
        made.put("seed", String.valueOf(provenance.seed()));
        made.put("started", provenance.startedAt());
        made.put("seconds", new Decimals(1).plain(provenance.seconds()));
        made.putAll(texts(provenance.versions()));
        return List.of(
                new Facts(of + ": digests and versions", made),
                new Facts(of + ": settings", texts(provenance.settings())));
    }

    private static void putIfKnown(Map<String, String> facts, String name, @Nullable String value) {
        if (value != null) {
            facts.put(name, value);
        }
    }

    private static Map<String, String> rowIds(Attribution attribution) {
        Map<String, String> ids = new LinkedHashMap<>();
        for (Attribution.Query query : attribution.queries()) {
            Stream.concat(query.influences().stream(), query.harmful().stream())
                    .forEach(influence ->
                            ids.put("row " + influence.row(), influence.id().toString()));
        }
        return ids;
    }

    private static List<Facts> withoutEmpty(List<Facts> facts) {
        return facts.stream().filter(group -> !group.entries().isEmpty()).toList();
    }

    private static Map<String, String> texts(Map<String, ?> values) {
        Map<String, String> texts = new LinkedHashMap<>();
        ResultJson.ordered(values)
                .forEach((key, value) -> texts.put(Passage.visible(key), Passage.visible(text(value))));
        return texts;
    }

    private static String text(@Nullable Object value) {
        return switch (value) {
            case null -> "none";
            case Collection<?> list ->
                String.join(", ", list.stream().map(Page::text).toList());
            case Map<?, ?> map ->
                String.join(
                        ", ",
                        map.entrySet().stream()
                                .map(entry -> entry.getKey() + " " + text(entry.getValue()))
                                .toList());
            default -> value.toString();
        };
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f%%", 100 * share);
    }
}
