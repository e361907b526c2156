package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.List;
import java.util.Map;

/** LeafInfluence without the chain through later rounds (Sharchilev et al. 2018, "single point"): only the row's own leaves move. */
final class LeafInfluenceSp implements LinearMethod {
    @Override
    public Map<String, Object> parameters() {
        return Map.of("name", "leaf-influence-sp");
    }

    @Override
    public Target target(TreeEnsemble model, Objective objective, Query query) {
        return Target.loss(model, objective, query);
    }

    @Override
    public double[][] influence(Training training, List<Target> targets, Progress progress) {
        return OwnLeaves.scores(training, targets, training.replay().eta(), progress);
    }
}
