package dev.ascribe.torch.gradient;

import dev.ascribe.UserInputException;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.train.Adapter;
import dev.ascribe.torch.train.Checkpoint;
import dev.ascribe.torch.train.LoraConfig;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.ScratchRecipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A model and the states it went through: the start of fine-tuning, checkpoints, the end. Base weights are opened once and serve
 * all states.
 */
public final class Lineage implements AutoCloseable {
    /** The name of the start of fine-tuning. */
    public static final String INIT = "init";

    private static final String FINAL = "final";

    private final LanguageModel model; // the base of a fine-tuning, else the trained model
    private final Precision precision;
    private final List<State> states; // in training order
    private final List<String> selected; // names of the states that `auto` takes

    /** A point and the adapter or model that holds it; neither for a start that is made from a seed. */
    private record State(
            Point point,
            @Nullable Path adapter,
            @Nullable Path weights,
            @Nullable LoraConfig start,
            long seed) {}

    private Lineage(LanguageModel model, Precision precision, List<State> states, List<String> selected) {
        this.model = model;
        this.precision = precision;
        this.states = List.copyOf(states);
        this.selected = List.copyOf(selected);
    }

    /** The lineage that a run recorded. */
    public static Lineage of(Run run, Precision precision) {
        boolean adapters = run.kind() == Run.Kind.FINETUNE;
        List<State> states = new ArrayList<>();
        List<String> selected = new ArrayList<>();
        for (Checkpoint checkpoint : run.checkpoints()) {
            boolean first = checkpoint.step() == 0;
            boolean last = checkpoint.equals(run.last());
            String name = first ? INIT : last ? FINAL : "%06d".formatted(checkpoint.step());
            Path file = run.file(checkpoint);
            states.add(new State(
                    new Point(name, checkpoint.step(), checkpoint.learningRate()),
                    adapters ? file : null,
                    adapters ? null : file,
                    null,
                    0));
            if ((first && adapters) || run.selected().contains(checkpoint)) {
                selected.add(name);
            }
        }
        if (selected.isEmpty()) {
            selected.add(FINAL);
        }
        LanguageModel model = LanguageModel.open(run.model(), precision);
        if (adapters && !model.digest().equals(run.modelDigest())) {
            model.close();
            throw new UserInputException("%s is not the model of run %s: its digest is %s, the run was made with %s"
                    .formatted(run.model(), run.directory(), model.digest(), run.modelDigest()));
        }
        return new Lineage(model, precision, states, selected);
    }

    /**
     * A model with adapters in training order, or with none.
     *
     * @param start the adapter's shape at {@code init} when no adapter says it
     */
    public static Lineage of(Path model, List<Path> adapters, LoraConfig start, long seed, Precision precision) {
        LanguageModel opened = LanguageModel.open(model, precision);
        List<State> states = new ArrayList<>();
        List<String> selected = new ArrayList<>(List.of(INIT));
        LoraConfig shape = adapters.isEmpty() ? start : Adapter.readConfig(adapters.getFirst());
        states.add(new State(new Point(INIT, 0, 1), null, null, shape, seed));
        for (int i = 0; i < adapters.size(); i++) {
            boolean last = i == adapters.size() - 1;
            String name = last ? FINAL : "%06d".formatted(i + 1);
            states.add(new State(new Point(name, i + 1, 1), adapters.get(i), null, null, seed));
            if (!last) {
                selected.add(name);
            }
        }
        return new Lineage(opened, precision, states, selected);
    }

    /** The base of a lineage at the points of an index, whose adapters the index keeps. */
    static Lineage of(LanguageModel base, Precision precision, Map<Point, Path> adapters) {
        List<State> states = adapters.entrySet().stream()
                .map(entry -> new State(entry.getKey(), entry.getValue(), null, null, 0))
                .toList();
        return new Lineage(
                base,
                precision,
                states,
                states.stream().map(state -> state.point().name()).toList());
    }

    /**
     * The points that an option names.
     *
     * @param option {@code auto}, {@code init}, {@code final}, {@code all} or steps separated by commas
     */
    public List<Point> points(String option) {
        Map<String, Point> byName = new LinkedHashMap<>();
        Map<String, Point> byStep = new LinkedHashMap<>();
        for (State state : states) {
            byName.put(state.point().name(), state.point());
            byStep.put(Integer.toString(state.point().step()), state.point());
        }
        List<Point> chosen = new ArrayList<>();
        switch (option) {
            case "auto" -> selected.forEach(name -> chosen.add(get(byName, name, option)));
            case "all" -> chosen.addAll(byName.values());
            case INIT, FINAL -> chosen.add(get(byName, option, option));
            default -> {
                for (String step : option.split(",", -1)) {
                    chosen.add(get(byStep, step, option));
                }
            }
        }
        return byName.values().stream().filter(chosen::contains).toList(); // in training order, each once
    }

    private static Point get(Map<String, Point> points, String key, String option) {
        Point point = points.get(key);
        if (point == null) {
            throw new UserInputException(
                    "--checkpoints '%s': there is no checkpoint '%s'; there are %s, or use auto, init, final, all"
                            .formatted(option, key, points.keySet()));
        }
        return point;
    }

    /** Whether gradients are taken by adapters' matrices (else by the weights of linear layers). */
    public boolean adapted() {
        return states.getFirst().weights() == null;
    }

    /**
     * Puts the model into a state; close the subject before the next.
     *
     * @param sites {@code lora} where the model is adapted, else {@code all}, {@code last} or a regular expression
     */
    public Subject at(Point point, String sites, Projection projection) {
        State state = state(point);
        if (state.weights() != null) {
            return Subject.of(state.weights(), precision, sites, projection);
        }
        if (!sites.equals("lora")) {
            throw new UserInputException(
                    "--sites '%s': a model with adapters has the sites 'lora' only".formatted(sites));
        }
        return Subject.of(model, adapter(state), projection);
    }

    /** The file that holds the adapter or the weights of a state; none for a start that is made from a seed. */
    public Optional<Path> weights(Point point) {
        State state = state(point);
        return state.adapter() != null
                ? Optional.of(Adapter.weights(state.adapter()))
                : Optional.ofNullable(state.weights()).map(ScratchRecipe::weights);
    }

    /** The state at the end. */
    public Point last() {
        return states.getLast().point();
    }

    private State state(Point point) {
        return states.stream()
                .filter(state -> state.point().equals(point))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such point: " + point));
    }

    private Adapter adapter(State state) {
        if (state.adapter() != null) {
            return Adapter.load(state.adapter(), model.decoder());
        }
        if (state.start() == null) {
            throw new IllegalStateException("state " + state.point() + " has neither adapter nor start");
        }
        return Adapter.fresh(model.decoder(), state.start(), state.seed());
    }

    /** Writes a state's adapter to a directory, for an index that must not depend on the run. */
    void keepAdapter(Point point, Path directory) {
        try (Adapter adapter = adapter(state(point))) {
            adapter.save(directory);
        }
    }

    /** Does something with the model as it is used: with the last adapter, where there is one. */
    public <T> T tuned(Function<LanguageModel, T> job) {
        State last = states.getLast();
        if (last.adapter() == null) {
            return job.apply(model);
        }
        try (Adapter adapter = adapter(last)) {
            adapter.merge();
            try {
                return job.apply(model);
            } finally {
                adapter.unmerge();
            }
        }
    }

    /** The opened model: the base of a fine-tuning, else the trained model. */
    public LanguageModel model() {
        return model;
    }

    /** Digest of the last adapter, or null without adapters. */
    public @Nullable String adapterDigest() {
        State last = states.getLast();
        if (last.adapter() == null) {
            return null;
        }
        try (Adapter adapter = adapter(last)) {
            return adapter.digest();
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
