package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.List;
import java.util.Map;

/**
 * BoostIn (Brophy, Hammoudeh and Lowd 2023, section 4): TracIn carried over to boosting, each round a step. With the exact derivative
 * of a leaf value, or as the published code has it.
 */
final class Boostin implements LinearMethod {
    private final boolean published;

    private Boostin(boolean published) {
        this.published = published;
    }

    static Boostin exact() {
        return new Boostin(false);
    }

    static Boostin published() {
        return new Boostin(true);
    }

    @Override
    public Map<String, Object> parameters() {
        return Map.of("name", published ? "boostin-published" : "boostin");
    }

    @Override
    public Target target(TreeEnsemble model, Objective objective, Query query) {
        return Target.lossBefore(model, objective, query);
    }

    @Override
    public double[][] influence(Training training, List<Target> targets, Progress progress) {
        return OwnLeaves.scores(
                training, targets, published ? 1 : training.replay().eta(), progress);
    }
}
