package dev.ascribe.report;

import dev.ascribe.Attribution;
import dev.ascribe.Influence;
import dev.ascribe.Proof;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The sentences that the page and the text share. */
final class Wording {
    /** Methods that compare texts and never look into the model. */
    private static final List<String> SEARCHES = List.of("bm25", "embedding");

    private static final String ON_ALL = "On all rows";
    private static final String WITHOUT_NAMED = "Without the named rows";
    private static final String WITHOUT_RANDOM = "Without random rows";
    private static final String WITHOUT_MATCHED = "Without rows matched by words";

    private Wording() {}

    /** What was asked, if the query says so. */
    static Optional<String> question(Map<String, Object> query) {
        return text(query, "prompt");
    }

    /** What the model answered, if the query says so. */
    static Optional<String> answer(Map<String, Object> query) {
        return text(query, "output");
    }

    /** Which row of a table was asked about, if it was one. */
    static Optional<String> row(Map<String, Object> query) {
        return text(query, "text");
    }

    /** Which row of a table was asked about, before what was predicted of it. */
    static String predicted(Attribution.Query query) {
        Object row = query.query().get("row");
        return row == null ? "" : "row %s (%s): ".formatted(row, query.query().get("text"));
    }

    /** What a model of trees is, and how well its rows give its leaves. */
    static Optional<String> model(Attribution attribution) {
        Attribution.Model model = attribution.model();
        if (model == null) {
            return Optional.empty();
        }
        Attribution.Reconstruction leaves = model.reconstruction();
        String parameters = model.eta() == null || model.lambda() == null
                ? ""
                : String.format(Locale.ROOT, ", eta %.4g, lambda %.4g", model.eta(), model.lambda());
        String reproduced = leaves == null
                ? ""
                : String.format(
                        Locale.ROOT,
                        "; leaves follow from the rows within %.2g (limit %.0e)%s",
                        leaves.worst(),
                        leaves.limit(),
                        Boolean.TRUE.equals(attribution.approximate()) ? ", --approximate" : "");
        return Optional.of("%s %s, %s%s%s"
                .formatted(model.kind(), model.objective(), count(model.rounds(), "round"), parameters, reproduced));
    }

    private static Optional<String> text(Map<String, Object> query, String key) {
        return query.get(key) instanceof String text && !text.isBlank() ? Optional.of(text) : Optional.empty();
    }

    /** The method's name. */
    static String method(Attribution attribution) {
        return String.valueOf(attribution.method().getOrDefault("name", "unnamed method"));
    }

    /** {@code 1 row}, {@code 1,234 rows}. */
    static String count(int n, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", n, noun, n == 1 ? "" : "s");
    }

    /** What a ledger's word is worth. */
    static String ledger(Influence.History history) {
        return String.format(
                Locale.ROOT,
                "all events about each row in the first %,d entries of %s, each with its proof; that they are all is as sure as that the log's keeper would be caught by a replay of the whole log",
                history.size(),
                history.origin());
    }

    /** How much a ledger has of a row. */
    static String events(Influence.History history) {
        return String.format(
                Locale.ROOT,
                "%s, index %,d to %,d, commitment %s",
                count(Math.toIntExact(history.events()), "event"),
                history.first(),
                history.last(),
                history.commitment());
    }

    /** Which rows were scored. */
    static String candidates(Attribution.Candidates candidates) {
        return candidates.strategy().equals("all")
                ? "all " + count(candidates.count(), "row") + " of the data"
                : count(candidates.count(), "row") + " chosen by search (" + candidates.strategy() + ")";
    }

    /**
     * What a row's ranks say that its score does not, or nothing.
     *
     * @param first how many rows a reader of a search's result would look at
     */
    static String note(Influence influence, int first) {
        Influence.Ranks ranks = influence.ranks();
        if (ranks == null) {
            return "";
        }
        boolean words = within(ranks.lexical(), first);
        boolean meaning = within(ranks.embedding(), first);
        boolean wordsMiss = ranks.lexical() != null && !words;
        boolean meaningMisses = ranks.embedding() != null && !meaning;
        if (influence.score() < 0) {
            return words || meaning ? "Named by search all the same" : "";
        }
        if (wordsMiss && meaningMisses) {
            return "Missed by search";
        }
        return wordsMiss ? "Missed by search for words" : meaningMisses ? "Missed by search for meaning" : "";
    }

    /** Whether a rank was measured and is among the first. */
    static boolean within(@Nullable Integer rank, int first) {
        return rank != null && rank <= first;
    }

    /** What the scores mean and what they do not. */
    static String meaning(Attribution attribution, @Nullable Proof proof) {
        List<String> sentences = new ArrayList<>();
        boolean trees = attribution.model() != null;
        boolean contrast = attribution.scale().equals("margin");
        boolean likeness = trees && List.of("similarity", "cosine").contains(attribution.scale());
        sentences.add(
                contrast
                        ? "A positive score means helpful: removing the row is predicted to drive the two groups' mean predictions"
                                + " further apart. A negative score means that the row drives them apart."
                        : likeness
                                ? "The score is how alike the model finds the row and the query; where it is signed, negative means with"
                                        + " another label or the opposite explanation. It says nothing of what the row did."
                                : trees
                                        ? "A positive score means helpful: removing the row is predicted to raise the loss of the prediction,"
                                                + " that is, to move it away from the label that the query has. A negative score means that the"
                                                + " row moves it away from that label."
                                        : "A positive score means helpful: removing the row is predicted to raise the loss of the answer, that"
                                                + " is, to make the answer less likely. A negative score means that the row speaks against the answer.");
        sentences.add(
                switch (attribution.scale()) {
                    case "half-squared-error" ->
                        "Scores are in the unit of half the squared error: the predicted change of the prediction's loss.";
                    case "margin" ->
                        "Scores are in the unit of the margin (log odds, or the number that is predicted): the predicted change of"
                                + " the distance between the means.";
                    case "nats" ->
                        "Scores are in nats: the predicted change of the %s's loss."
                                .formatted(trees ? "prediction" : "answer");
                    case "cosine" ->
                        trees
                                ? "Scores are cosines of the rows' SHAP values with the query's."
                                : "Scores are cosines, combined over checkpoints: how far a step of training on the row goes in the"
                                        + " direction that makes the answer more likely; 0 means not at all.";
                    case "dot" ->
                        "Scores are products of gradients: their order and their sign mean something, their size alone"
                                + " does not.";
                    case "similarity" ->
                        trees
                                ? "Scores are similarities by the leaves that the row and the query fall into."
                                : "Scores are similarities of the row to the question and the answer.";
                    default -> "Scores are in the unit “" + attribution.scale() + "”.";
                });
        if (SEARCHES.contains(method(attribution))) {
            sentences.add(
                    "This method compares texts and never looks into the model: it says what resembles the answer, not"
                            + " what taught it.");
        }
        if (trees && !contrast && !likeness) {
            sentences.add(
                    "“Because it looks like” is said only of a row in at least half of the query's leaves that has the predicted class"
                            + " and whose score pushes there.");
        }
        sentences.add(
                "A score is a direction, not a share of guilt: scores do not add up to a whole, and a high one alone"
                        + " shows nothing.");
        sentences.add(
                proof == null
                        ? "The evidence is retraining without the named rows, which has not been done here; the command"
                                + " prove does it."
                        : "The evidence is the retraining above.");
        Attribution.Fidelity fidelity = attribution.fidelity();
        if (fidelity != null) {
            Decimals decimals = Decimals.of(List.of(fidelity.value(), fidelity.low(), fidelity.high()));
            sentences.add(
                    "How true the scores of this method are was measured on this model: %s %s (95 %% interval %s to %s)."
                            .formatted(
                                    fidelity.measure(),
                                    decimals.plain(fidelity.value()),
                                    decimals.plain(fidelity.low()),
                                    decimals.plain(fidelity.high())));
        }
        return String.join(" ", sentences);
    }

    /** What a proof's verdict says, in a word. */
    static String verdict(Proof proof) {
        return proof.shown() ? "Shown" : "Not shown";
    }

    /** What was done to find out. */
    static String experiment(Proof proof) {
        boolean matched = proof.lossWithoutMatched() != null;
        return "The model was trained again %s: on all rows, without %s,%s."
                .formatted(
                        proof.seeds().size() == 1
                                ? "with one seed"
                                : "with each of " + proof.seeds().size() + " seeds",
                        without(proof),
                        matched
                                ? " without as many random rows, and without as many rows that share their words"
                                : " and without as many random rows");
    }

    /** The effect in one sentence. */
    static String effect(Proof proof) {
        Proof.Effect effect = proof.effect();
        Decimals decimals = Decimals.of(List.of(effect.mean(), effect.low(), effect.high()));
        return "Without the named rows the loss of the %s is %s %s than without random rows (95 %% interval %s to %s, which %s 0)."
                .formatted(
                        subject(proof),
                        (decimals.plain(Math.abs(effect.mean())) + " "
                                        + (effect.unit().equals("nats") ? "nats" : ""))
                                .strip(),
                        effect.mean() < 0 ? "lower" : "higher",
                        decimals.signed(effect.low()),
                        decimals.signed(effect.high()),
                        effect.low() > 0 || effect.high() < 0 ? "excludes" : "includes");
    }

    /** What a proof is of. */
    static String subject(Proof proof) {
        return proof.retraining() == null ? "answer" : "prediction";
    }

    /** What its losses are counted in. */
    static String unit(Proof proof) {
        return proof.retraining() == null
                ? "nats per token"
                : proof.effect().unit().equals("nats") ? "nats" : "half the squared error";
    }

    /** What the model does, before what it says. */
    static String does(Proof proof) {
        return proof.retraining() == null ? "it answers" : "it predicts";
    }

    /** How a model of trees was retrained, and what the seeds are. */
    static Optional<String> retraining(Proof proof) {
        Proof.Retraining how = proof.retraining();
        if (how == null) {
            return Optional.empty();
        }
        String same = how.reproduced()
                ? "On all rows that gives the model again: margins within %.2g (limit %.2g)."
                : "On all rows that does not give the same model: margins are off by up to %.2g (limit %.2g).";
        return Optional.of("Retrained by %s. %s %s"
                .formatted(
                        how.trainer(),
                        String.format(Locale.ROOT, same, how.worst(), how.limit()),
                        how.chance()
                                ? "Training has chance in it: the interval is over its seeds and the random rows they draw."
                                : "Training has no chance in it: the interval is over the draws of random rows."));
    }

    /** The rows that a proof left out. */
    static String without(Proof proof) {
        int rows = proof.removed().size();
        return rows == 1 ? "the row that was named" : "the " + count(rows, "row") + " that were named";
    }

    /** An arm of a proof by its name in the JSON. */
    static String arm(String name) {
        return switch (name) {
            case "all" -> ON_ALL;
            case "withoutNamed" -> WITHOUT_NAMED;
            case "withoutRandom" -> WITHOUT_RANDOM;
            case "withoutMatched" -> WITHOUT_MATCHED;
            default -> name;
        };
    }

    /** The arms of a proof in the order in which people compare them. */
    static List<Arm> arms(Proof proof) {
        List<Arm> arms = new ArrayList<>();
        arms.add(new Arm(ON_ALL, proof.lossWithAll(), false));
        arms.add(new Arm(WITHOUT_RANDOM, proof.lossWithoutRandom(), false));
        List<Double> matched = proof.lossWithoutMatched();
        if (matched != null) {
            arms.add(new Arm(WITHOUT_MATCHED, matched, false));
        }
        arms.add(new Arm(WITHOUT_NAMED, proof.lossWithoutNamed(), true));
        return List.copyOf(arms);
    }

    /**
     * Retrainings that left out the same rows.
     *
     * @param losses one per seed, mean nats per token of the answer
     * @param named whether these are the rows that the claim is about
     */
    record Arm(String name, List<Double> losses, boolean named) {
        double mean() {
            return losses.stream().mapToDouble(Double::doubleValue).average().orElse(0);
        }
    }
}
