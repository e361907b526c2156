package dev.ascribe.cli;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.Proof;
import dev.ascribe.UserCache;
import dev.ascribe.UserInputException;
import dev.ascribe.retrain.TreeRemoval;
import dev.ascribe.tree.TreeEnsemble;
import dev.ascribe.tree.TreeTracer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Proves what a trace of a model of trees named. */
final class TreeProve {
    /** Beside this the last digits of a number that was inferred are noise. */
    private static final double NOISE = 1e-4;

    private final TreeTrace trace;
    private final Map<String, String> parameters;

    /** @param parameters of training, by the library's names */
    TreeProve(TreeTrace trace, Map<String, String> parameters) {
        this.trace = trace;
        this.parameters = parameters;
    }

    Proof run(Path file, int remove, @Nullable List<Integer> rows, int seeds, Console console) {
        Session session = trace.begin(file);
        try (TreeTrace.Opened opened = trace.open(file)) {
            TreeEnsemble model = opened.model();
            TreeRemoval.require(model, opened.asked());
            TreeTracer tracer = trace.tracer(model, remove);
            TreeTracer.Found found = tracer.trace(opened.rows(), opened.asked(), opened.classes(), console);
            Attribution.Query query = found.queries().getFirst();
            TreeRemoval removal = new TreeRemoval(
                    model,
                    opened.rows(),
                    opened.asked(),
                    new TreeRemoval.Plan(
                            told(file, "eta", found.model().eta(), List.of("eta", "learning_rate")),
                            told(file, "lambda", found.model().lambda(), List.of("lambda", "reg_lambda")),
                            parameters,
                            opened.classes(),
                            UserCache.directory().resolve("proofs")),
                    console);
            return removal.prove(
                    query.query(),
                    tracer.margins(opened.rows()),
                    tracer.margins(opened.asked())[0],
                    rows == null ? named(query) : checked(rows, opened.rows().size()),
                    seeds,
                    () -> session.provenance(
                            TreeTrace.digest(file), null, opened.rows().rows().digest(), null, 0));
        }
    }

    private static List<Integer> named(Attribution.Query query) {
        return query.influences().stream().map(Influence::row).toList();
    }

    private static List<Integer> checked(List<Integer> rows, int size) {
        for (int row : rows) {
            if (row < 0 || row >= size) {
                throw new UserInputException("--rows %d: the data has rows 0 to %d".formatted(row, size - 1));
            }
        }
        return rows;
    }

    /** A parameter that XGBoost's files lack: as the user says, else as it follows from the leaves. */
    private double told(Path file, String name, @Nullable Double inferred, List<String> aliases) {
        if (inferred != null) {
            return rounded(inferred);
        }
        if (aliases.stream().noneMatch(parameters::containsKey)) {
            throw new UserInputException(
                    "%s does not say %s, and a method without gradients does not infer it; give --params %s=X"
                            .formatted(file, name, name));
        }
        return 0; // --params has the last word
    }

    /** The number with the fewest digits that is as good as the inferred one. */
    private static double rounded(double value) {
        return IntStream.rangeClosed(1, 6)
                .mapToDouble(digits -> Double.parseDouble(("%." + (digits - 1) + "e").formatted(value)))
                .filter(shorter -> Math.abs(shorter - value) <= NOISE * Math.abs(value))
                .findFirst()
                .orElse(value);
    }
}
