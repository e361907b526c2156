package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Cosine of the path-dependent {@link TreeShap} values of row and query, all outputs end to end, without the bias; 0 where either is zero. */
final class ShapSimilarity implements TreeMethod {
    @Override
    public Map<String, Object> parameters() {
        return Map.of("name", "shap-similarity");
    }

    @Override
    public String scale(TreeEnsemble model) {
        return "cosine";
    }

    @Override
    public boolean needsGradients() {
        return false;
    }

    @Override
    public double[][] scores(Training training, List<Query> queries, Progress progress) {
        TreeEnsemble model = training.model();
        TreeShap shap = new TreeShap(model);
        double[][] asked = queries.stream()
                .map(query -> {
                    double[][] one = new double[query.features().length][1];
                    for (int f = 0; f < one.length; f++) {
                        one[f][0] = query.features()[f];
                    }
                    return shap.explain(model, one, 0, 1)[0];
                })
                .toArray(double[][]::new);
        double[][] scores = new double[queries.size()][training.rows()];
        AtomicInteger done = new AtomicInteger();
        new Chunks(training.rows(), ROWS).forEach((chunk, from, to) -> {
            double[][] values = shap.explain(model, training.features(), from, to);
            for (int q = 0; q < asked.length; q++) {
                for (int i = 0; i < values.length; i++) {
                    scores[q][from + i] = cosine(values[i], asked[q]);
                }
            }
            synchronized (done) {
                progress.at("rows explained", done.addAndGet(to - from), training.rows());
            }
        });
        return scores;
    }

    private static final int ROWS = 64; // a row takes long enough to share out few at a time

    private static double cosine(double[] a, double[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int j = 0; j < a.length; j++) {
            ab += a[j] * b[j];
            aa += a[j] * a[j];
            bb += b[j] * b[j];
        }
        return aa == 0 || bb == 0 ? 0 : ab / Math.sqrt(aa * bb);
    }
}
