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
    public String scale(TreeEnsemble model) {
        return model.requireGradients().scale();
    }

    @Override
    public boolean needsGradients() {
        return true;
    }

    @Override
    public double[][] scores(Training training, List<Query> queries, Progress progress) {
        TreeEnsemble model = training.model();
        Objective objective = training.replay().objective();
        return queries.stream()
                .map(query -> scores(training, Target.loss(model, objective, query), progress))
                .toArray(double[][]::new);
    }

    @Override
    public double[] scores(Training training, Target target, Progress progress) {
        return OwnLeaves.scores(training, target, training.replay().eta());
    }
}
