package dev.ascribe.retrain;

import dev.ascribe.EngineUnavailableException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import dev.ascribe.tree.TreeEnsemble;
import java.util.List;
import java.util.Map;

/** A library that trains a model of trees. */
sealed interface Trainer permits XgboostTrainer, LightGbmTrainer {
    /** Library and version. */
    String name();

    /** What it is told, by its own names, without the seed. */
    Map<String, String> parameters();

    /** Whether two trainings on the same rows may differ by their seeds. */
    boolean chance();

    /**
     * Trains and predicts.
     *
     * @param rows that are learned
     * @param seed 0 for the model's own
     * @param asked features of rows to predict, (m, F)
     * @return margins, (m, K)
     * @throws UserInputException when the library does not take the parameters; the message has its words
     * @throws EngineUnavailableException when its native code cannot be loaded
     */
    double[][] train(Rows rows, long seed, double[][] asked);

    /**
     * The trainer of a model.
     *
     * @param all the rows it was trained on
     * @param eta the learning rate, where the file does not say it
     * @param lambda the same of lambda
     * @param given parameters that the user says
     */
    static Trainer of(TreeEnsemble model, Rows all, double eta, double lambda, Map<String, String> given) {
        return switch (model.kind()) {
            case XGBOOST -> XgboostTrainer.of(model, all, eta, lambda, given);
            case LIGHTGBM -> LightGbmTrainer.of(model, given);
            case CATBOOST, FOREST -> throw new UnsupportedModelException(refusal(model));
        };
    }

    /** Refuses what cannot be retrained, before anything is computed. */
    static void require(TreeEnsemble model) {
        if (model.kind() == TreeEnsemble.Kind.CATBOOST || model.kind() == TreeEnsemble.Kind.FOREST) {
            throw new UnsupportedModelException(refusal(model));
        }
        if (model.objective() == null || model.obstacle() != null) {
            throw new UnsupportedModelException(
                    "%s: %s. prove retrains XGBoost and LightGBM models that trace can take gradients of"
                            .formatted(model.path(), model.obstacle()));
        }
    }

    private static String refusal(TreeEnsemble model) {
        return ("%s is a model of %s, which Ascribe cannot train. prove retrains XGBoost and LightGBM models; for others leave the rows that "
                        + "trace names out, train again where the model was made, and compare")
                .formatted(model.path(), model.kind() == TreeEnsemble.Kind.CATBOOST ? "CatBoost" : "a forest library");
    }

    /** Refuses parameters that something else decides. */
    static void refuse(Map<String, String> given, List<String> decided, String by) {
        decided.stream().filter(given::containsKey).findFirst().ifPresent(name -> {
            throw new UserInputException(
                    "--params %s=%s: %s decides it; leave it out".formatted(name, given.get(name), by));
        });
    }

    /** A parameter that is a number. */
    static double number(Map<String, String> parameters, String name, double otherwise) {
        String text = parameters.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new UserInputException("--params %s=%s must be a number".formatted(name, text), e);
        }
    }

    /** What is told when a library's native code is not there. */
    static EngineUnavailableException unavailable(String name, Throwable cause) {
        Throwable first = cause;
        for (Throwable next = cause.getCause(); next != null; next = next.getCause()) {
            first = next;
        }
        return new EngineUnavailableException(
                "the native library of %s cannot be loaded on %s %s: %s. trace needs none; to prove, use a platform that its jar on Maven Central has natives for"
                        .formatted(name, System.getProperty("os.name"), System.getProperty("os.arch"), first),
                cause);
    }
}
