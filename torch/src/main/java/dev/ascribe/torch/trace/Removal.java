package dev.ascribe.torch.trace;

import dev.ascribe.CorruptDataException;
import dev.ascribe.Progress;
import dev.ascribe.Proof;
import dev.ascribe.Provenance;
import dev.ascribe.UserInputException;
import dev.ascribe.evaluate.KeptAnswers;
import dev.ascribe.evaluate.PairedEffect;
import dev.ascribe.evaluate.RandomRows;
import dev.ascribe.evaluate.Verdict;
import dev.ascribe.torch.model.Generator;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Scorer;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.train.Dataset;
import dev.ascribe.torch.train.Recipe;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.Training;
import dev.ascribe.torch.train.TrainingPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * The evidence: retrains a run's recipe without the named rows, without as many random rows, and without as many rows that merely
 * share the query's words, seed by seed, and compares. Each retraining's result is kept beside the run, so that an interrupted
 * proof goes on.
 */
public final class Removal {
    /** What a retraining is asked. */
    private static final int ANSWER_TOKENS = 64;

    /** Rows matched by words are drawn from so many times as many of the most alike. */
    private static final int MATCHED_POOL = 4;

    private final Run run;
    private final Recipe recipe;
    private final Dataset data;
    private final List<Sequence> rows;
    private final Progress progress;
    private final KeptAnswers<Answer> kept;

    /** The four trainings that are compared. */
    public enum Arm {
        ALL("all rows"),
        NAMED("without the named rows"),
        RANDOM("without random rows"),
        MATCHED("without rows matched by words");

        private final String label;

        Arm(String label) {
            this.label = label;
        }

        @Override
        public String toString() {
            return label;
        }
    }

    /** What one retraining said. */
    record Answer(double loss, String output) {}

    public Removal(Run run, Recipe recipe, Dataset data, Progress progress) {
        this.run = run;
        this.recipe = recipe;
        this.data = data;
        this.rows = data.rows();
        for (int row : run.trainRows()) {
            if (row < 0 || row >= rows.size()) {
                throw new CorruptDataException("%s is damaged: it was trained on row %d of %d; make the run again"
                        .formatted(run.directory().resolve("run.json"), row, rows.size()));
            }
        }
        this.progress = progress;
        this.kept = new KeptAnswers<>(run.directory().resolve("proofs"), Answer.class);
    }

    /** Tokens that the retrainings for a proof pass through the model. */
    public long tokens(int seeds) {
        long once = run.trainRows().stream()
                .mapToLong(row -> rows.get(row).length())
                .sum();
        return once * run.plan().epochs() * seeds * Arm.values().length;
    }

    /**
     * Proves or refutes.
     *
     * @param query the traced answer
     * @param named the rows that are claimed to have taught it
     * @param lexicalOrder all rows, the most alike by words first
     * @param seeds retrainings of each arm
     */
    public Proof prove(
            Tracer.Query query, List<Integer> named, int[] lexicalOrder, int seeds, Supplier<Provenance> provenance) {
        if (seeds < 1) {
            throw new UserInputException("--seeds " + seeds + " must be at least 1");
        }
        Set<Integer> removed = new TreeSet<>(named);
        List<Integer> others =
                run.trainRows().stream().filter(row -> !removed.contains(row)).toList();
        if (others.size() <= removed.size()) {
            throw new UserInputException(
                    "%d of %d rows cannot be removed and as many random ones compared; use a lower --remove"
                            .formatted(removed.size(), run.trainRows().size()));
        }
        List<Integer> alike = new ArrayList<>();
        for (int row : lexicalOrder) {
            if (others.contains(row) && alike.size() < MATCHED_POOL * removed.size()) {
                alike.add(row);
            }
        }
        Sequence sequence = data.query(query.content());
        int[] prompt = data.encoder().encodePrompt(query.content());
        List<Long> numbers = new ArrayList<>();
        Map<Arm, List<Answer>> answers = new LinkedHashMap<>();
        int number = 0;
        for (int s = 0; s < seeds; s++) {
            long seed = run.plan().seed() + s;
            numbers.add(seed);
            for (Arm arm : Arm.values()) {
                Set<Integer> without = switch (arm) {
                    case ALL -> Set.of();
                    case NAMED -> removed;
                    case RANDOM -> RandomRows.draw(others, removed.size(), seed);
                    case MATCHED -> RandomRows.draw(alike, removed.size(), seed);
                };
                String job = "retraining %d of %d, %s".formatted(++number, seeds * Arm.values().length, arm);
                answers.computeIfAbsent(arm, a -> new ArrayList<>()).add(retrain(job, without, seed, sequence, prompt));
            }
        }
        Proof.Effect effect = PairedEffect.of(losses(answers, Arm.NAMED), losses(answers, Arm.RANDOM), "nats");
        Verdict verdict = Verdict.of(
                effect,
                query.content().answer(),
                outputs(answers, Arm.ALL),
                outputs(answers, Arm.NAMED),
                outputs(answers, Arm.RANDOM));
        Map<String, List<String>> outputs = new LinkedHashMap<>();
        outputs.put("all", outputs(answers, Arm.ALL));
        outputs.put("withoutNamed", outputs(answers, Arm.NAMED));
        outputs.put("withoutRandom", outputs(answers, Arm.RANDOM));
        outputs.put("withoutMatched", outputs(answers, Arm.MATCHED));
        return new Proof(
                query.label(),
                List.copyOf(removed),
                numbers,
                boxed(losses(answers, Arm.ALL)),
                boxed(losses(answers, Arm.NAMED)),
                boxed(losses(answers, Arm.RANDOM)),
                boxed(losses(answers, Arm.MATCHED)),
                effect,
                outputs(answers, Arm.ALL).getFirst(),
                outputs(answers, Arm.NAMED).getFirst(),
                outputs,
                verdict.text(),
                verdict.reason(),
                null,
                provenance.get());
    }

    private static double[] losses(Map<Arm, List<Answer>> answers, Arm arm) {
        return answers.getOrDefault(arm, List.of()).stream()
                .mapToDouble(Answer::loss)
                .toArray();
    }

    private static List<String> outputs(Map<Arm, List<Answer>> answers, Arm arm) {
        return answers.getOrDefault(arm, List.of()).stream().map(Answer::output).toList();
    }

    private static List<Double> boxed(double[] values) {
        List<Double> list = new ArrayList<>();
        for (double value : values) {
            list.add(value);
        }
        return list;
    }

    private Answer retrain(String job, Set<Integer> without, long seed, Sequence query, int[] prompt) {
        List<Integer> chosen =
                run.trainRows().stream().filter(row -> !without.contains(row)).toList();
        TrainingPlan plan = run.plan().withSeed(seed);
        return kept.of(
                key(chosen, plan, query),
                () -> new Training(recipe, rows, plan, (what, done, total) -> progress.at(job, done, total))
                        .retrain(chosen, model -> ask(model, query, prompt)));
    }

    /** The answer's loss, and what the model says greedily instead. */
    private static Answer ask(LanguageModel model, Sequence query, int[] prompt) {
        double loss = Scorer.loss(query, new Scorer(model.decoder()).logProbabilities(query));
        int room = Math.max(1, Math.min(ANSWER_TOKENS, model.decoder().config().context() - prompt.length));
        int[] said = new Generator(model)
                .generate(prompt, Generator.Settings.greedy(room), token -> {})
                .ids();
        return new Answer(loss, model.tokenizer().decode(said));
    }

    /** Everything that an answer depends on. */
    private String key(List<Integer> chosen, TrainingPlan plan, Sequence query) {
        return run.dataDigest()
                + run.modelDigest()
                + run.lora()
                + run.text()
                + chosen
                + plan
                + Arrays.toString(query.tokens())
                + query.firstTarget();
    }
}
