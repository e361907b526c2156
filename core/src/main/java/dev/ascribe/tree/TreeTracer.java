package dev.ascribe.tree;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.Progress;
import dev.ascribe.Ranking;
import dev.ascribe.TableRow;
import dev.ascribe.UserInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Names the training rows behind the predictions of a model of trees. */
public final class TreeTracer {
    private static final Map<String, Supplier<TreeMethod>> METHODS = new LinkedHashMap<>();

    static {
        METHODS.put("leaf-influence", LeafInfluence::new);
        METHODS.put("leaf-influence-sp", LeafInfluenceSp::new);
        METHODS.put("boostin", Boostin::exact);
        METHODS.put("boostin-published", Boostin::published);
        METHODS.put("leaf-refit", LeafRefit::new);
        METHODS.put("trex", Trex::new);
        METHODS.put("tree-sim", TreeSim::new);
        METHODS.put("leaf-path", LeafPath::new);
        METHODS.put("simplex", SimplEx::new);
        METHODS.put("shap-similarity", ShapSimilarity::new);
    }

    private final TreeEnsemble model;
    private final Options options;
    private final TreeMethod method;

    /**
     * How to trace.
     *
     * @param method one of {@link #methods}
     * @param top rows named at most
     * @param replay how the model is played back, where the method needs it
     */
    public record Options(String method, int top, Replay.Settings replay) {
        public Options {
            if (top < 1) {
                throw new UserInputException("--top " + top + " must be at least 1");
            }
            if (!METHODS.containsKey(method)) {
                throw new UserInputException(
                        "--method '%s' is not known for models of trees; use one of %s".formatted(method, methods()));
            }
        }
    }

    /** What a trace finds, before it is dressed with provenance. */
    public record Found(
            Map<String, Object> method,
            String scale,
            Attribution.Model model,
            boolean approximate,
            List<Attribution.Query> queries) {}

    /** All methods, the default first. */
    public static List<String> methods() {
        return List.copyOf(METHODS.keySet());
    }

    /** @param model with the rounds that are looked at */
    public TreeTracer(TreeEnsemble model, Options options) {
        this.model = model;
        this.options = options;
        Supplier<TreeMethod> chosen = METHODS.get(options.method());
        if (chosen == null) {
            throw new IllegalArgumentException(options.method());
        }
        this.method = chosen.get();
        method.scale(model); // refuses a model that the method cannot take
    }

    /**
     * Traces every row of {@code queries}.
     *
     * @param rows the model's training rows
     * @param classes what the result calls the classes; null for regression
     */
    public Found trace(Table rows, Table queries, @Nullable List<String> classes, Progress progress) {
        Training training = training(rows, progress);
        List<Query> asked = queries(queries);
        double[][] scores = method.scores(training, asked, progress);
        List<Attribution.Query> results = new ArrayList<>();
        for (int q = 0; q < scores.length; q++) {
            Query query = asked.get(q);
            double[] margins = query.margins(model);
            Map<String, Object> label = new LinkedHashMap<>();
            label.put("row", q);
            label.put("text", queries.rows().text(q));
            Naming naming = new Naming(rows, classes, training.leaves(), query);
            results.add(new Attribution.Query(
                    label,
                    loss(margins, query.label()),
                    naming.influences(best(scores[q]), scores[q]),
                    naming.influences(worst(scores[q]), scores[q]),
                    new Attribution.Candidates("all", scores[q].length),
                    Arrays.stream(margins).boxed().toList(),
                    row(queries, q, classes, null),
                    null,
                    null));
        }
        return found(training, rows, classes, method.scale(model), results);
    }

    /**
     * Traces how far the mean predictions of two groups of {@code queries} are apart. Positive = helpful: without the row they are
     * predicted to be further apart.
     *
     * @throws UserInputException when a group is empty, the method cannot take a function of many predictions, or a prediction is more
     *     than one number
     */
    public Found contrast(Table rows, Table queries, Groups groups, @Nullable List<String> classes, Progress progress) {
        if (!(method instanceof LinearMethod linear)) {
            throw new UserInputException("--contrast cannot be taken with --method %s; use one of %s"
                    .formatted(options.method(), linearMethods()));
        }
        if (model.outputs() != 1) {
            throw new UserInputException(
                    "--contrast compares mean predictions, but %s predicts %d numbers for a row; it takes regression and two classes"
                            .formatted(model.path(), model.outputs()));
        }
        Groups.Members members = groups.in(queries);
        Training training = training(rows, progress);
        List<Query> asked = queries(queries);
        double meanA = mean(asked, members.a());
        double meanB = mean(asked, members.b());
        double difference = meanA - meanB;
        Target apart = Target.none(training.model());
        double sign = difference < 0 ? -1 : 1;
        members.a()
                .forEach(q -> apart.add(training.model(), asked.get(q), new double[] {
                    sign / members.a().size()
                }));
        members.b()
                .forEach(q -> apart.add(training.model(), asked.get(q), new double[] {
                    -sign / members.b().size()
                }));
        double[] scores = linear.influence(training, List.of(apart), progress)[0];
        Map<String, Object> label = new LinkedHashMap<>();
        label.put("text", "%s=%s against %s=%s".formatted(groups.column(), groups.a(), groups.column(), groups.b()));
        Naming naming = new Naming(rows, classes, training.leaves(), null);
        Attribution.Query result = new Attribution.Query(
                label,
                Math.abs(difference),
                naming.influences(best(scores), scores),
                naming.influences(worst(scores), scores),
                new Attribution.Candidates("all", scores.length),
                List.of(difference),
                null,
                new Attribution.Contrast(
                        groups.column(),
                        groups.a(),
                        groups.b(),
                        members.a().size(),
                        members.b().size(),
                        meanA,
                        meanB,
                        difference),
                null);
        return found(training, rows, classes, "margin", List.of(result));
    }

    private static List<String> linearMethods() {
        return METHODS.entrySet().stream()
                .filter(entry -> entry.getValue().get() instanceof LinearMethod)
                .map(Map.Entry::getKey)
                .toList();
    }

    private double mean(List<Query> queries, List<Integer> members) {
        return members.stream()
                .mapToDouble(q -> queries.get(q).margins(model)[0])
                .average()
                .orElseThrow();
    }

    private Training training(Table rows, Progress progress) {
        Leaves leaves = Leaves.of(model, rows.features(), progress);
        Replay replay = method.needsGradients() && model.kind() != TreeEnsemble.Kind.FOREST
                ? Replay.of(
                        model,
                        leaves,
                        rows.labels(),
                        rows.weights(),
                        rows.rows().path().toString(),
                        options.replay())
                : null;
        return new Training(model, rows.features(), rows.labels(), rows.weights(), leaves, replay);
    }

    private Found found(
            Training training,
            Table rows,
            @Nullable List<String> classes,
            String scale,
            List<Attribution.Query> results) {
        Replay replay = training.playedBack();
        return new Found(
                method.parameters(),
                scale,
                described(training.model(), rows.target(), replay, classes),
                replay != null && replay.approximate(),
                results);
    }

    /** What the model predicts of the rows of a table: margins, (n, K). */
    public double[][] margins(Table table) {
        return queries(table).stream().map(query -> query.margins(model)).toArray(double[][]::new);
    }

    private List<Query> queries(Table table) {
        Leaves leaves = Leaves.of(model, table.features(), Progress.SILENT);
        List<Query> queries = new ArrayList<>();
        for (int row = 0; row < table.size(); row++) {
            double[] values = new double[table.features().length];
            for (int f = 0; f < values.length; f++) {
                values[f] = table.features()[f][row];
            }
            queries.add(new Query(table.labels()[row], values, leaves.of(row)));
        }
        return queries;
    }

    private int[] best(double[] scores) {
        return Ranking.top(scores, options.top());
    }

    /** The most negative, where not all rows are named anyway. */
    private int[] worst(double[] scores) {
        return options.top() >= scores.length
                ? new int[0]
                : Arrays.stream(Ranking.bottom(scores, options.top()))
                        .filter(row -> scores[row] < 0)
                        .toArray();
    }

    /** Rows by name, beside the query if there is one. */
    private record Naming(
            Table rows,
            @Nullable List<String> classes,
            Leaves leaves,
            @Nullable Query query) {
        List<Influence> influences(int[] chosen, double[] scores) {
            List<Influence> influences = new ArrayList<>();
            for (int i = 0; i < chosen.length; i++) {
                int row = chosen[i];
                influences.add(new Influence(
                        i + 1,
                        row,
                        rows.rows().id(row),
                        scores[row],
                        rows.rows().text(row),
                        null,
                        row(rows, row, classes, query == null ? null : (Double) shared(leaves.of(row), query)),
                        null));
            }
            return influences;
        }

        private static double shared(int[] leaves, Query query) {
            int same = 0;
            for (int t = 0; t < leaves.length; t++) {
                same += leaves[t] == query.leaves()[t] ? 1 : 0;
            }
            return (double) same / leaves.length;
        }
    }

    private static TableRow row(Table table, int row, @Nullable List<String> classes, @Nullable Double shared) {
        return new TableRow(
                classes == null ? table.labelText(row) : classes.get((int) table.labels()[row]),
                table.fields(row),
                shared);
    }

    private @Nullable Double loss(double[] margins, double label) {
        if (model.kind() == TreeEnsemble.Kind.FOREST) {
            return ForestRefit.loss(margins, label);
        }
        Objective objective = model.objective();
        return objective == null ? null : (Double) objective.loss(margins, label);
    }

    private static Attribution.Model described(
            TreeEnsemble model, String target, @Nullable Replay replay, @Nullable List<String> classes) {
        return new Attribution.Model(
                model.kind().toString(),
                model.objectiveName(),
                model.rounds().size(),
                model.features().stream().map(Feature::name).toList(),
                target,
                classes,
                replay == null ? model.eta() : (Double) replay.eta(),
                replay == null ? model.lambda() : (Double) replay.lambda(),
                model.intercept(),
                replay == null ? null : new Attribution.Reconstruction(replay.worst(), Replay.LIMIT));
    }
}
