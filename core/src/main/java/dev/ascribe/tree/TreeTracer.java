package dev.ascribe.tree;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.Progress;
import dev.ascribe.Ranking;
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
        Training training = new Training(model, rows.features(), rows.labels(), rows.weights(), leaves, replay);
        List<Query> asked = queries(queries);
        double[][] scores = method.scores(training, asked, progress);
        List<Attribution.Query> results = new ArrayList<>();
        for (int q = 0; q < scores.length; q++) {
            results.add(result(rows, queries, q, asked.get(q), scores[q]));
        }
        return new Found(
                method.parameters(),
                method.scale(model),
                described(training.model(), replay, classes),
                replay != null && replay.approximate(),
                results);
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

    private Attribution.Query result(Table rows, Table queries, int number, Query query, double[] scores) {
        int[] best = Ranking.top(scores, options.top());
        int[] worst = options.top() >= scores.length
                ? new int[0]
                : Arrays.stream(Ranking.bottom(scores, options.top()))
                        .filter(row -> scores[row] < 0)
                        .toArray();
        Map<String, Object> label = new LinkedHashMap<>();
        label.put("row", number);
        label.put("text", queries.rows().text(number));
        double[] margins = query.margins(model);
        return new Attribution.Query(
                label,
                loss(margins, query.label()),
                influences(rows, best, scores),
                influences(rows, worst, scores),
                new Attribution.Candidates("all", scores.length),
                Arrays.stream(margins).boxed().toList(),
                null);
    }

    private @Nullable Double loss(double[] margins, double label) {
        if (model.kind() == TreeEnsemble.Kind.FOREST) {
            return ForestRefit.loss(margins, label);
        }
        Objective objective = model.objective();
        return objective == null ? null : (Double) objective.loss(margins, label);
    }

    private static List<Influence> influences(Table rows, int[] chosen, double[] scores) {
        List<Influence> influences = new ArrayList<>();
        for (int i = 0; i < chosen.length; i++) {
            int row = chosen[i];
            influences.add(new Influence(
                    i + 1, row, rows.rows().id(row), scores[row], rows.rows().text(row), null));
        }
        return influences;
    }

    private static Attribution.Model described(
            TreeEnsemble model, @Nullable Replay replay, @Nullable List<String> classes) {
        return new Attribution.Model(
                model.kind().toString(),
                model.objectiveName(),
                model.rounds().size(),
                classes,
                replay == null ? model.eta() : (Double) replay.eta(),
                replay == null ? model.lambda() : (Double) replay.lambda(),
                model.intercept(),
                replay == null ? null : new Attribution.Reconstruction(replay.worst(), Replay.LIMIT));
    }
}
