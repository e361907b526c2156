package dev.ascribe.tree;

import dev.ascribe.Progress;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * TREX (Brophy and Lowd 2020; Brophy et al. 2023): representer points (Yeh et al. 2018) on the leaf kernel.
 *
 * <p>A linear model on the rows' leaves, each worth 1 / count of its rows, is fitted to the labels: it minimises
 * {@code (1/n) Σ ℓ_i + λ ‖w‖²}, λ = 0.003. At the minimum its output for a query is {@code Σ_i α_i K(i, q)} with
 * {@code α_i = −∂ℓ_i/∂f / (2 λ n)} and {@code K = Σ_t 1[same leaf] / count²}. A row's score is the rise of the linear model's loss when
 * the row's term is left out.
 *
 * <p>The published code minimises by gradient descent from random weights; here by Newton's method with conjugate gradients, to
 * convergence: the minimum is unique.
 */
final class Trex implements TreeMethod {
    private static final double LAMBDA = 0.003;
    private static final int MOST_STEPS = 100;
    private static final double TOLERANCE = 1e-9;

    @Override
    public Map<String, Object> parameters() {
        Map<String, Object> parameters = new LinkedHashMap<>();
        parameters.put("name", "trex");
        parameters.put("lambda", LAMBDA);
        return parameters;
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
        Surrogate surrogate = new Surrogate(training);
        double[] w = surrogate.fit(progress);
        double[] alphas = surrogate.alphas(w);
        double[][] scores = new double[queries.size()][];
        for (int q = 0; q < scores.length; q++) {
            scores[q] = surrogate.scores(queries.get(q), w, alphas);
        }
        return scores;
    }

    /** The linear model. Weights have shape (K, all leaves). */
    private static final class Surrogate {
        private final Training training;
        private final Objective objective;
        private final int k;
        private final int n;
        private final int[] offsets; // of each tree among all leaves, and their sum
        private final double[] worth; // 1 / count, (all leaves)
        private final Chunks chunks;

        Surrogate(Training training) {
            this.training = training;
            this.objective = training.replay().objective();
            this.k = objective.outputs();
            this.n = training.rows();
            this.chunks = Chunks.of(n);
            List<Tree> trees = training.model().trees();
            this.offsets = new int[trees.size() + 1];
            for (int t = 0; t < trees.size(); t++) {
                offsets[t + 1] = Math.addExact(offsets[t], trees.get(t).leaves());
            }
            this.worth = new double[offsets[trees.size()]];
            for (int t = 0; t < trees.size(); t++) {
                int[] counts = training.leaves().counts(t, trees.get(t).leaves());
                for (int leaf = 0; leaf < counts.length; leaf++) {
                    worth[offsets[t] + leaf] = counts[leaf] == 0 ? 0 : 1.0 / counts[leaf];
                }
            }
        }

        /** Outputs f of the rows, (n, K). */
        private double[] outputs(double[] w) {
            double[] f = new double[n * k];
            chunks.forEach((chunk, from, to) -> {
                int[] leaf = new int[to - from];
                for (int t = 0; t + 1 < offsets.length; t++) {
                    training.leaves().read(t, from, to, leaf);
                    for (int i = 0; i < leaf.length; i++) {
                        int at = offsets[t] + leaf[i];
                        for (int c = 0; c < k; c++) {
                            f[(from + i) * k + c] += worth[at] * w[c * worth.length + at];
                        }
                    }
                }
            });
            return f;
        }

        /** (1/n) Φᵀ r + 2 λ w, with r (n, K). */
        private double[] gradient(double[] r, double[] w) {
            double[][] parts = new double[chunks.count()][];
            chunks.forEach((chunk, from, to) -> {
                double[] own = new double[w.length];
                int[] leaf = new int[to - from];
                for (int t = 0; t + 1 < offsets.length; t++) {
                    training.leaves().read(t, from, to, leaf);
                    for (int i = 0; i < leaf.length; i++) {
                        int at = offsets[t] + leaf[i];
                        for (int c = 0; c < k; c++) {
                            own[c * worth.length + at] += worth[at] * r[(from + i) * k + c] / n;
                        }
                    }
                }
                parts[chunk] = own;
            });
            double[] gradient = new double[w.length];
            for (double[] own : parts) {
                for (int j = 0; j < gradient.length; j++) {
                    gradient[j] += own[j];
                }
            }
            for (int j = 0; j < gradient.length; j++) {
                gradient[j] += 2 * LAMBDA * w[j];
            }
            return gradient;
        }

        private double loss(double[] f, double[] w) {
            double loss = 0;
            for (int row = 0; row < n; row++) {
                loss += objective.loss(Arrays.copyOfRange(f, row * k, row * k + k), training.labels()[row]) / n;
            }
            return loss + LAMBDA * dot(w, w);
        }

        /** ∂ℓ/∂f of the rows, (n, K). */
        private double[] slopes(double[] f) {
            double[] slopes = new double[n * k];
            for (int row = 0; row < n; row++) {
                double[] own = Arrays.copyOfRange(f, row * k, row * k + k);
                System.arraycopy(objective.lossGradient(own, training.labels()[row]), 0, slopes, row * k, k);
            }
            return slopes;
        }

        /** The Hessian of the loss times a direction. */
        private double[] curvature(double[] f, double[] direction) {
            double[] along = outputs(direction);
            double[] curved = new double[n * k];
            double[] zero = new double[k];
            double[] prediction = new double[k];
            for (int row = 0; row < n; row++) {
                double[] own = Arrays.copyOfRange(along, row * k, row * k + k);
                objective.predict(f, row * k, prediction);
                objective.pull(prediction, 1, own, zero, curved, row * k);
            }
            return gradient(curved, direction);
        }

        double[] fit(Progress progress) {
            double[] w = new double[k * worth.length];
            double[] f = outputs(w);
            double[] gradient = gradient(slopes(f), w);
            double start = Math.sqrt(dot(gradient, gradient));
            for (int step = 0; step < MOST_STEPS && Math.sqrt(dot(gradient, gradient)) > TOLERANCE * start; step++) {
                progress.at("steps of the linear model", step, MOST_STEPS);
                double[] at = f;
                double[] direction = solve(gradient, v -> curvature(at, v));
                double before = loss(f, w);
                double slope = dot(gradient, direction);
                double length = 1;
                double[] next = moved(w, direction, length);
                double[] nextF = outputs(next);
                while (loss(nextF, next) > before - 1e-4 * length * slope && length > 1e-6) {
                    length /= 2;
                    next = moved(w, direction, length);
                    nextF = outputs(next);
                }
                w = next;
                f = nextF;
                gradient = gradient(slopes(f), w);
            }
            return w;
        }

        private static double[] moved(double[] w, double[] direction, double length) {
            double[] next = w.clone();
            for (int j = 0; j < next.length; j++) {
                next[j] -= length * direction[j];
            }
            return next;
        }

        private static double[] solve(double[] b, UnaryOperator<double[]> matrix) {
            double[] x = new double[b.length];
            double[] r = b.clone();
            double[] p = b.clone();
            double rr = dot(r, r);
            double enough = TOLERANCE * TOLERANCE * rr;
            for (int step = 0; step < 10 * MOST_STEPS && rr > enough; step++) {
                double[] ap = matrix.apply(p);
                double alpha = rr / dot(p, ap);
                for (int j = 0; j < x.length; j++) {
                    x[j] += alpha * p[j];
                    r[j] -= alpha * ap[j];
                }
                double next = dot(r, r);
                for (int j = 0; j < x.length; j++) {
                    p[j] = r[j] + next / rr * p[j];
                }
                rr = next;
            }
            return x;
        }

        private static double dot(double[] a, double[] b) {
            double sum = 0;
            for (int j = 0; j < a.length; j++) {
                sum += a[j] * b[j];
            }
            return sum;
        }

        /** (n, K). */
        double[] alphas(double[] w) {
            double[] alphas = slopes(outputs(w));
            for (int j = 0; j < alphas.length; j++) {
                alphas[j] /= -2 * LAMBDA * n;
            }
            return alphas;
        }

        double[] scores(Query query, double[] w, double[] alphas) {
            double[] f = new double[k];
            for (int t = 0; t + 1 < offsets.length; t++) {
                int at = offsets[t] + query.leaves()[t];
                for (int c = 0; c < k; c++) {
                    f[c] += worth[at] * w[c * worth.length + at];
                }
            }
            double[] kernel = SharedLeaves.shared(training, query, SharedLeaves.byCount(training, query));
            double before = objective.loss(f, query.label());
            double[] scores = new double[n];
            double[] without = new double[k];
            for (int row = 0; row < n; row++) {
                for (int c = 0; c < k; c++) {
                    without[c] = f[c] - alphas[row * k + c] * kernel[row];
                }
                scores[row] = objective.loss(without, query.label()) - before;
            }
            return scores;
        }
    }
}
