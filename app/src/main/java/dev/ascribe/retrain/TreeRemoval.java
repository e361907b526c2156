package dev.ascribe.retrain;

import dev.ascribe.Progress;
import dev.ascribe.Proof;
import dev.ascribe.Provenance;
import dev.ascribe.UserInputException;
import dev.ascribe.evaluate.KeptAnswers;
import dev.ascribe.evaluate.PairedEffect;
import dev.ascribe.evaluate.RandomRows;
import dev.ascribe.evaluate.Verdict;
import dev.ascribe.tree.Objective;
import dev.ascribe.tree.Table;
import dev.ascribe.tree.TreeEnsemble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The evidence for a model of trees: retrains it on all rows, without the named ones, and without as many random ones, seed by seed, and
 * compares the loss of one prediction. Each retraining's result is kept, so that an interrupted proof goes on.
 */
public final class TreeRemoval {
    /** How far margins may be from the model's to count as the same, relative to how far the model's are spread around their mean. */
    public static final double LIMIT = 1e-3;

    private final TreeEnsemble model;
    private final Rows rows;
    private final Rows asked;
    private final Trainer trainer;
    private final @Nullable List<String> classes;
    private final KeptAnswers<Answer> kept;
    private final Progress progress;
    private final String identity;

    /** What one retraining said: the query's margins, and of all rows the largest distance from the model's margins. */
    record Answer(List<Double> margins, @Nullable Double worst) {}

    /** The three trainings that are compared. */
    private enum Arm {
        ALL,
        NAMED,
        RANDOM
    }

    /**
     * How to retrain.
     *
     * @param eta the learning rate, where the file does not say it
     * @param lambda the same of lambda
     * @param parameters of training that the user says, by the library's names
     * @param classes what labels are called; null for numbers
     * @param kept where results are kept
     */
    public record Plan(
            double eta,
            double lambda,
            Map<String, String> parameters,
            @Nullable List<String> classes,
            Path kept) {}

    /**
     * Prepares.
     *
     * @param rows that the model was trained on
     * @param query one row, as {@link #require} makes sure
     * @throws UserInputException when a parameter cannot be taken
     */
    public TreeRemoval(TreeEnsemble model, Table rows, Table query, Plan plan, Progress progress) {
        this.model = model;
        this.rows = Rows.of(rows);
        this.asked = Rows.of(query);
        this.classes = plan.classes();
        this.trainer = Trainer.of(model, this.rows, plan.eta(), plan.lambda(), plan.parameters());
        this.kept = new KeptAnswers<>(made(plan.kept()), Answer.class);
        this.progress = progress;
        this.identity = trainer.name()
                + trainer.parameters()
                + model.rounds().size()
                + model.intercept()
                + this.rows.digest()
                + this.asked.digest();
    }

    /** The folder, before anything is trained in vain. */
    private static Path made(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be written: %s; set XDG_CACHE_HOME".formatted(folder, e), e);
        }
    }

    /** Refuses a model that cannot be retrained, and more than one prediction, before anything is computed. */
    public static void require(TreeEnsemble model, Table query) {
        Trainer.require(model);
        if (query.size() != 1) {
            throw new UserInputException(
                    "a proof is of one prediction, but %s has %,d rows; put the row that is asked about into a file of its own, below the header"
                            .formatted(query.rows().path(), query.size()));
        }
    }

    /**
     * Proves or refutes.
     *
     * @param label of the query in the result
     * @param margins the model's margins of the training rows, (n, K)
     * @param own the model's margins of the query, (K)
     * @param named the rows that are claimed to be behind the prediction
     */
    public Proof prove(
            Map<String, Object> label,
            double[][] margins,
            double[] own,
            List<Integer> named,
            int seeds,
            Supplier<Provenance> provenance) {
        Set<Integer> removed = new TreeSet<>(named);
        List<Integer> others = IntStream.range(0, rows.size())
                .boxed()
                .filter(row -> !removed.contains(row))
                .toList();
        if (others.size() <= removed.size()) {
            throw new UserInputException(
                    "%d of %d rows cannot be removed and as many random ones compared; use a lower --remove"
                            .formatted(removed.size(), rows.size()));
        }
        String digest = new Rows(margins, own, new double[0]).digest();
        Map<Arm, List<Answer>> answers = new LinkedHashMap<>();
        List<Long> numbers = new ArrayList<>();
        int total = seeds * Arm.values().length;
        int done = 0;
        for (long seed = 0; seed < seeds; seed++) {
            numbers.add(seed);
            for (Arm arm : Arm.values()) {
                progress.at("retrainings", done++, total);
                Set<Integer> without = switch (arm) {
                    case ALL -> Set.of();
                    case NAMED -> removed;
                    case RANDOM -> RandomRows.draw(others, removed.size(), seed);
                };
                answers.computeIfAbsent(arm, a -> new ArrayList<>()).add(retrain(without, seed, margins, digest));
            }
        }
        progress.at("retrainings", total, total);
        Objective objective = model.requireGradients();
        double[] withAll = losses(answers, Arm.ALL);
        double[] withoutNamed = losses(answers, Arm.NAMED);
        double[] withoutRandom = losses(answers, Arm.RANDOM);
        Proof.Effect effect = PairedEffect.of(withoutNamed, withoutRandom, objective.scale());
        double variance = variance(margins);
        int repeated = (int) of(answers, Arm.ALL).stream()
                .filter(answer -> agrees(array(answer.margins()), own, variance))
                .count();
        // a nat of a normal distribution with the variance that the model leaves is that much of half the squared error
        double smallest = Verdict.SMALLEST_EFFECT * (objective.classifies() ? 1 : variance);
        Verdict verdict = Verdict.ofPrediction(effect, smallest, repeated, seeds);
        Map<String, List<String>> outputs = new LinkedHashMap<>();
        outputs.put("all", outputs(answers, Arm.ALL));
        outputs.put("withoutNamed", outputs(answers, Arm.NAMED));
        outputs.put("withoutRandom", outputs(answers, Arm.RANDOM));
        double worst = number(of(answers, Arm.ALL).getFirst().worst());
        double limit = LIMIT * spread(margins);
        return new Proof(
                label,
                List.copyOf(removed),
                numbers,
                boxed(withAll),
                boxed(withoutNamed),
                boxed(withoutRandom),
                null,
                effect,
                outputs(answers, Arm.ALL).getFirst(),
                outputs(answers, Arm.NAMED).getFirst(),
                outputs,
                verdict.text(),
                verdict.reason(),
                new Proof.Retraining(
                        trainer.name(), trainer.parameters(), trainer.chance(), worst <= limit, worst, limit),
                provenance.get());
    }

    private static List<Answer> of(Map<Arm, List<Answer>> answers, Arm arm) {
        return answers.getOrDefault(arm, List.of());
    }

    private double[] losses(Map<Arm, List<Answer>> answers, Arm arm) {
        return of(answers, arm).stream()
                .mapToDouble(answer -> model.requireGradients().loss(array(answer.margins()), asked.labels()[0]))
                .toArray();
    }

    private static double number(@Nullable Double value) {
        return value == null ? 0 : value;
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static List<Double> boxed(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    /** The mean squared error that the model leaves, of numbers. */
    private double variance(double[][] margins) {
        return IntStream.range(0, margins.length)
                .mapToDouble(row -> Math.pow(margins[row][0] - rows.labels()[row], 2))
                .average()
                .orElse(0);
    }

    /** The largest distance of a margin from the rows' mean. */
    private double spread(double[][] margins) {
        double most = 0;
        for (int c = 0; c < model.outputs(); c++) {
            int output = c;
            double mean = Arrays.stream(margins)
                    .mapToDouble(row -> row[output])
                    .average()
                    .orElse(0);
            for (double[] row : margins) {
                most = Math.max(most, Math.abs(row[c] - mean));
            }
        }
        return most;
    }

    /** Whether a prediction is the one that was traced: the same class, or a number within the model's usual error. */
    private boolean agrees(double[] margins, double[] own, double variance) {
        return model.requireGradients().classifies()
                ? predicted(margins) == predicted(own)
                : Math.abs(margins[0] - own[0]) <= Math.sqrt(variance);
    }

    private static int predicted(double[] margins) {
        if (margins.length == 1) {
            return margins[0] > 0 ? 1 : 0;
        }
        return IntStream.range(0, margins.length)
                .boxed()
                .max((a, b) -> Double.compare(margins[a], margins[b]))
                .orElseThrow();
    }

    private List<String> outputs(Map<Arm, List<Answer>> answers, Arm arm) {
        return of(answers, arm).stream()
                .map(answer -> said(array(answer.margins())))
                .toList();
    }

    private String said(double[] margins) {
        Objective objective = model.requireGradients();
        if (!objective.classifies()) {
            return String.format(Locale.ROOT, "%.6g", margins[0]);
        }
        int predicted = predicted(margins);
        double probability = Math.exp(-objective.loss(margins, predicted));
        return String.format(
                Locale.ROOT,
                "%s, probability %.3f",
                classes == null ? String.valueOf(predicted) : classes.get(predicted),
                probability);
    }

    private Answer retrain(Set<Integer> without, long seed, double[][] margins, String digest) {
        boolean all = without.isEmpty();
        int[] chosen = IntStream.range(0, rows.size())
                .filter(row -> !without.contains(row))
                .toArray();
        long own = trainer.chance() ? seed : 0; // without chance a seed changes nothing, and one training serves all
        return kept.of(identity + digest + without + own, () -> train(chosen, own, all, margins));
    }

    private Answer train(int[] chosen, long seed, boolean all, double[][] margins) {
        double[][] questions = all
                ? Stream.concat(Arrays.stream(asked.features()), Arrays.stream(rows.features()))
                        .toArray(double[][]::new)
                : asked.features();
        double[][] said = trainer.train(rows.only(chosen), seed, questions);
        double worst = 0;
        for (int row = 1; row < said.length; row++) {
            for (int c = 0; c < said[row].length; c++) {
                worst = Math.max(worst, Math.abs(said[row][c] - margins[row - 1][c]));
            }
        }
        return new Answer(boxed(said[0]), all ? (Double) worst : null);
    }
}
