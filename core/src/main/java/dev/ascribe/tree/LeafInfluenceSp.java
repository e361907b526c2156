package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.List;
import java.util.Map;

/** LeafInfluence without the chain through later rounds (Sharchilev et al. 2018, "single point"): only the row's own leaves move. */
final class LeafInfluenceSp implements TreeMethod {
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
        return queries.stream()
                .map(query -> OwnLeaves.scores(training, query, OwnLeaves.Term.FINAL_EXACT))
                .toArray(double[][]::new);
    }
}
