package dev.ascribe.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each method against its definition, computed in the most naive way. */
class TreeMethodTest {
    private static final int[] ASKED = {3, 77};

    static List<Example> boosted() {
        return Example.boosted();
    }

    static List<Example> all() {
        return Example.all();
    }

    /** Boosting with a fixed structure and fixed intercept, all leaves computed from the rows, in float64. */
    private static final class Boosting {
        final Training training;
        final TreeEnsemble model;
        final Objective objective;
        final int k;
        final int n;
        private final int[][] leaf; // [row][tree]

        Boosting(Training training) {
            this.training = training;
            this.model = training.model();
            this.objective = training.replay().objective();
            this.k = objective.outputs();
            this.n = training.rows();
            this.leaf = new int[n][];
            for (int row = 0; row < n; row++) {
                leaf[row] = training.leaves().of(row);
            }
        }

        /** What a replay does with the rows' gradients. */
        final class Run {
            final double[][] value = new double[model.trees().size()][]; // [tree][leaf]
            final double[][][] before = new double[model.rounds().size()][n][]; // margins before each round

            /**
             * @param factor what each row's weight is multiplied by
             * @param frozen whose margins and gradients are used, or null for the run's own
             */
            Run(double[] factor, @Nullable Run frozen) {
                double[][] margins = new double[n][k];
                for (double[] one : margins) {
                    Arrays.setAll(one, model.intercept()::get);
                }
                for (int t = 0; t < before.length; t++) {
                    for (int row = 0; row < n; row++) {
                        before[t][row] = (frozen == null ? margins : frozen.before[t])[row].clone();
                    }
                    for (int c = 0; c < k; c++) {
                        value[t * k + c] = leaves(t, c, factor, before[t]);
                    }
                    for (int row = 0; row < n; row++) {
                        for (int c = 0; c < k; c++) {
                            margins[row][c] += value[t * k + c][leaf(row, t * k + c)];
                        }
                    }
                }
            }

            double[] leaves(int t, int c, double[] factor, double[][] margins) {
                Tree tree = model.trees().get(t * k + c);
                double[] sumG = new double[tree.leaves()];
                double[] sumH = new double[tree.leaves()];
                double[] g = new double[k];
                double[] h = new double[k];
                for (int row = 0; row < n; row++) {
                    double label = training.labels()[row];
                    double weight = objective.weight(label, factor[row] * training.weights()[row]);
                    double[] prediction = new double[k];
                    objective.predict(margins[row], 0, prediction);
                    objective.gradients(prediction, label, weight, g, h);
                    int leaf = leaf(row, t * k + c);
                    sumG[leaf] += g[c];
                    sumH[leaf] += h[c];
                }
                double[] values = new double[sumG.length];
                for (int leaf = 0; leaf < values.length; leaf++) {
                    double denominator = sumH[leaf] + training.replay().lambda() + tree.extraLambda(leaf);
                    values[leaf] = tree.constant()
                            ? tree.value(leaf)
                            : denominator == 0 ? 0 : -training.replay().eta() * sumG[leaf] / denominator;
                }
                return values;
            }
        }

        int leaf(int row, int tree) {
            return leaf[row][tree];
        }

        double[] ones() {
            double[] ones = new double[n];
            Arrays.fill(ones, 1);
            return ones;
        }

        double loss(Run run, Query query) {
            double[] margins = new double[k];
            Arrays.setAll(margins, model.intercept()::get);
            for (int tree = 0; tree < run.value.length; tree++) {
                margins[tree % k] += run.value[tree][query.leaves()[tree]];
            }
            return objective.loss(margins, query.label());
        }

        /** The derivative by the logarithm of a row's weight, by central differences of fourth order. */
        double derivative(int row, ToDoubleFunction<double[]> of) {
            double step = 1e-3;
            double sum = 0;
            double[] weights = {1, -8, 8, -1};
            double[] steps = {-2, -1, 1, 2};
            for (int i = 0; i < steps.length; i++) {
                double[] factor = ones();
                factor[row] = Math.exp(steps[i] * step);
                sum += weights[i] * of.applyAsDouble(factor);
            }
            return sum / (12 * step);
        }
    }

    private static List<Query> asked(Training training) {
        List<Query> queries = new ArrayList<>();
        for (int row : ASKED) {
            queries.add(Example.query(training, row));
        }
        // and one whose label is not the row's
        double other = training.model().labelClasses() > 0
                ? (training.labels()[5] + 1) % training.model().labelClasses()
                : training.labels()[5] + 2;
        queries.add(Example.query(training, 5, other));
        return queries;
    }

    private static void assertAlike(double[] own, double[] truth, double relative) {
        double largest = Arrays.stream(truth).map(Math::abs).max().orElse(0);
        assertThat(largest).isPositive();
        for (int row = 0; row < truth.length; row++) {
            assertThat(own[row]).as("row %d", row).isCloseTo(truth[row], within(relative * largest));
        }
    }

    @ParameterizedTest
    @MethodSource("boosted")
    void leafInfluenceIsTheDerivativeOfBoostingWithFixedStructure(Example example) {
        Training training = example.training();
        Boosting boosting = new Boosting(training);
        List<Query> queries = asked(training);
        double[][] scores = new LeafInfluence().scores(training, queries, Progress.SILENT);
        for (int q = 0; q < scores.length; q++) {
            Query query = queries.get(q);
            double[] truth = new double[boosting.n];
            for (int row = 0; row < truth.length; row++) {
                truth[row] = -boosting.derivative(row, factor -> boosting.loss(boosting.new Run(factor, null), query));
            }
            assertAlike(scores[q], truth, 1e-5);
        }
    }

    /** The difference of two groups' mean predictions: rows 0 to 9 against rows 10 to 16. */
    @ParameterizedTest
    @MethodSource("boosted")
    void theInfluenceOnADifferenceOfMeansIsItsDerivative(Example example) {
        Training training = example.training();
        Boosting boosting = new Boosting(training);
        int last = boosting.k - 1;
        Target apart = Target.none(boosting.model);
        for (int row = 0; row < 17; row++) {
            double[] slope = new double[boosting.k];
            slope[last] = row < 10 ? 1 / 10.0 : -1 / 7.0;
            apart.add(boosting.model, Example.query(training, row), slope);
        }
        Boosting.Run plain = boosting.new Run(boosting.ones(), null);
        double[] whole = new double[boosting.n];
        double[] frozen = new double[boosting.n];
        for (int row = 0; row < boosting.n; row++) {
            whole[row] = -boosting.derivative(row, factor -> apart(boosting, boosting.new Run(factor, null), last));
            frozen[row] = -boosting.derivative(row, factor -> apart(boosting, boosting.new Run(factor, plain), last));
        }
        assertAlike(new LeafInfluence().influence(training, List.of(apart), Progress.SILENT)[0], whole, 1e-5);
        assertAlike(new LeafInfluenceSp().influence(training, List.of(apart), Progress.SILENT)[0], frozen, 1e-5);
        // of a linear function the derivative before a round is the final one
        assertAlike(Boostin.exact().influence(training, List.of(apart), Progress.SILENT)[0], frozen, 1e-5);
    }

    private static double apart(Boosting boosting, Boosting.Run run, int output) {
        double sum = 0;
        for (int row = 0; row < 17; row++) {
            double margin = 0;
            for (int tree = output; tree < run.value.length; tree += boosting.k) {
                margin += run.value[tree][boosting.leaf(row, tree)];
            }
            sum += row < 10 ? margin / 10 : -margin / 7;
        }
        return sum;
    }

    @ParameterizedTest
    @MethodSource("boosted")
    void leafInfluenceSpIsTheDerivativeWithFixedGradients(Example example) {
        Training training = example.training();
        Boosting boosting = new Boosting(training);
        List<Query> queries = asked(training);
        double[][] scores = new LeafInfluenceSp().scores(training, queries, Progress.SILENT);
        Boosting.Run plain = boosting.new Run(boosting.ones(), null);
        for (int q = 0; q < scores.length; q++) {
            Query query = queries.get(q);
            double[] truth = new double[boosting.n];
            for (int row = 0; row < truth.length; row++) {
                truth[row] = -boosting.derivative(row, factor -> boosting.loss(boosting.new Run(factor, plain), query));
            }
            assertAlike(scores[q], truth, 1e-5);
        }
    }

    @ParameterizedTest
    @MethodSource("boosted")
    void boostinIsTheSumOfEachRoundsOwnDerivative(Example example) {
        Training training = example.training();
        Boosting boosting = new Boosting(training);
        List<Query> queries = asked(training);
        double[][] scores = Boostin.exact().scores(training, queries, Progress.SILENT);
        Boosting.Run plain = boosting.new Run(boosting.ones(), null);
        int k = boosting.k;
        for (int q = 0; q < scores.length; q++) {
            Query query = queries.get(q);
            double[] truth = new double[boosting.n];
            double[] margins = new double[k];
            Arrays.setAll(margins, boosting.model.intercept()::get);
            for (int t = 0; t < boosting.model.rounds().size(); t++) {
                int round = t;
                double[] at = margins.clone();
                for (int row = 0; row < truth.length; row++) {
                    // the query's loss as a linear function of this round's leaves alone
                    truth[row] -= boosting.derivative(row, factor -> {
                        double[] slope = boosting.objective.lossGradient(at, query.label());
                        double sum = 0;
                        for (int c = 0; c < k; c++) {
                            sum += slope[c]
                                    * plain.leaves(round, c, factor, plain.before[round])[
                                            query.leaves()[round * k + c]];
                        }
                        return sum;
                    });
                }
                for (int c = 0; c < k; c++) {
                    margins[c] += plain.value[t * k + c][query.leaves()[t * k + c]];
                }
            }
            assertAlike(scores[q], truth, 1e-5);
        }
    }

    @ParameterizedTest
    @MethodSource("boosted")
    void boostinPublishedHasTheShrunkenLeafValueInPlaceOfTheWholeOne(Example example) {
        Training training = example.training();
        Replay replay = training.replay();
        Objective objective = replay.objective();
        int k = objective.outputs();
        List<Query> queries = asked(training);
        double[][] scores = Boostin.published().scores(training, queries, Progress.SILENT);
        double[][] denominators = replay.denominators();
        List<Tree> trees = training.model().trees();
        for (int q = 0; q < scores.length; q++) {
            Query query = queries.get(q);
            double[] truth = new double[training.rows()];
            for (int row = 0; row < truth.length; row++) {
                double[] own = new double[k];
                double[] asked = new double[k];
                Arrays.setAll(own, training.model().intercept()::get);
                Arrays.setAll(asked, training.model().intercept()::get);
                double[] g = new double[k];
                double[] h = new double[k];
                int[] leaves = training.leaves().of(row);
                for (int t = 0; t < trees.size(); t += k) {
                    double label = training.labels()[row];
                    double[] prediction = new double[k];
                    objective.predict(own, 0, prediction);
                    objective.gradients(prediction, label, objective.weight(label, training.weights()[row]), g, h);
                    double[] slope = objective.lossGradient(asked, query.label());
                    for (int c = 0; c < k; c++) {
                        Tree tree = trees.get(t + c);
                        int leaf = query.leaves()[t + c];
                        if (leaves[t + c] == leaf) {
                            truth[row] += slope[c]
                                    * replay.eta()
                                    * (g[c] + h[c] * tree.value(leaf))
                                    / denominators[t + c][leaf];
                        }
                    }
                    for (int c = 0; c < k; c++) {
                        own[c] += trees.get(t + c).value(leaves[t + c]);
                        asked[c] += trees.get(t + c).value(query.leaves()[t + c]);
                    }
                }
            }
            assertAlike(scores[q], truth, 1e-12);
        }
    }

    /** The published forward chain: J holds the derivative of every margin by every row's weight. */
    @ParameterizedTest
    @MethodSource("boosted")
    void theBackwardPassEqualsTheForwardChain(Example example) {
        Training training = example.training();
        Replay replay = training.replay();
        Objective objective = replay.objective();
        int k = objective.outputs();
        int n = training.rows();
        TreeEnsemble model = training.model();
        double[][] denominators = replay.denominators();
        List<Query> queries = asked(training);
        double[][] margins = new double[n][k];
        for (double[] one : margins) {
            Arrays.setAll(one, model.intercept()::get);
        }
        int[][] leaf = new int[n][];
        for (int row = 0; row < n; row++) {
            leaf[row] = training.leaves().of(row);
        }
        double[][][] j = new double[n][k][n]; // [row][class][by whose weight]
        double[][][] asked = new double[queries.size()][k][n];
        double[] g = new double[k];
        double[] h = new double[k];
        for (int t = 0; t < model.rounds().size(); t++) {
            double[][][] dv = new double[k][][]; // [class][leaf][by whose weight]
            for (int c = 0; c < k; c++) {
                dv[c] = new double[model.trees().get(t * k + c).leaves()][n];
            }
            for (int row = 0; row < n; row++) {
                double label = training.labels()[row];
                double weight = objective.weight(label, training.weights()[row]);
                double[] prediction = new double[k];
                objective.predict(margins[row], 0, prediction);
                objective.gradients(prediction, label, weight, g, h);
                for (int c = 0; c < k; c++) {
                    int tree = t * k + c;
                    int own = leaf[row][tree];
                    double ratio = model.trees().get(tree).value(own) / replay.eta();
                    double factor = -replay.eta() / denominators[tree][own];
                    dv[c][own][row] += factor * (g[c] + h[c] * ratio);
                    // the derivative of g_c + ratio · h_c by every margin of the row
                    double[] one = new double[k];
                    double[] ratios = new double[k];
                    one[c] = 1;
                    ratios[c] = ratio;
                    double[] by = new double[k];
                    objective.pull(prediction, weight, one, ratios, by, 0);
                    for (int d = 0; d < k; d++) {
                        for (int i = 0; i < n; i++) {
                            dv[c][own][i] += factor * by[d] * j[row][d][i];
                        }
                    }
                }
            }
            for (int c = 0; c < k; c++) {
                int tree = t * k + c;
                for (int row = 0; row < n; row++) {
                    margins[row][c] += model.trees().get(tree).value(leaf[row][tree]);
                    for (int i = 0; i < n; i++) {
                        j[row][c][i] += dv[c][leaf[row][tree]][i];
                    }
                }
                for (int q = 0; q < asked.length; q++) {
                    for (int i = 0; i < n; i++) {
                        asked[q][c][i] += dv[c][queries.get(q).leaves()[tree]][i];
                    }
                }
            }
        }
        double[][] scores = new LeafInfluence().scores(training, queries, Progress.SILENT);
        for (int q = 0; q < asked.length; q++) {
            double[] slope = objective.lossGradient(
                    queries.get(q).margins(model), queries.get(q).label());
            double[] truth = new double[n];
            for (int i = 0; i < n; i++) {
                for (int c = 0; c < k; c++) {
                    truth[i] -= slope[c] * asked[q][c][i];
                }
            }
            assertAlike(scores[q], truth, 1e-10);
        }
    }

    @ParameterizedTest
    @MethodSource("boosted")
    void leafRefitIsBoostingAgainWithoutTheRow(Example example) {
        Training training = example.training();
        Boosting boosting = new Boosting(training);
        List<Query> queries = asked(training);
        double[][] scores = new LeafRefit().scores(training, queries, Progress.SILENT);
        Boosting.Run plain = boosting.new Run(boosting.ones(), null);
        for (int row = 0; row < boosting.n; row++) {
            double[] factor = boosting.ones();
            factor[row] = 0;
            Boosting.Run without = boosting.new Run(factor, null);
            for (int q = 0; q < scores.length; q++) {
                double truth = boosting.loss(without, queries.get(q)) - boosting.loss(plain, queries.get(q));
                assertThat(scores[q][row]).isCloseTo(truth, within(1e-9 * Math.max(1, Math.abs(truth))));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void similarityMethodsCountSharedLeaves(Example example) {
        Training training = example.training(false);
        List<Query> queries = asked(training);
        int trees = training.model().trees().size();
        double[][] sim = new TreeSim().scores(training, queries, Progress.SILENT);
        double[][] simplex = new SimplEx().scores(training, queries, Progress.SILENT);
        double[][] path = new LeafPath().scores(training, queries, Progress.SILENT);
        for (int q = 0; q < queries.size(); q++) {
            Query query = queries.get(q);
            for (int row = 0; row < training.rows(); row++) {
                int[] leaves = training.leaves().of(row);
                double shared = 0;
                double weighted = 0;
                for (int t = 0; t < trees; t++) {
                    if (leaves[t] == query.leaves()[t]) {
                        double count = 0;
                        for (int other = 0; other < training.rows(); other++) {
                            count += training.leaves().of(other)[t] == leaves[t] ? 1 : 0;
                        }
                        shared += 1.0 / trees;
                        weighted += 1 / (count * count);
                    }
                }
                boolean against = training.model().labelClasses() > 0 && training.labels()[row] != query.label();
                assertThat(simplex[q][row]).isCloseTo(shared, within(1e-12));
                assertThat(sim[q][row]).isCloseTo(against ? -shared : shared, within(1e-12));
                assertThat(path[q][row]).isCloseTo(against ? -weighted : weighted, within(1e-12));
            }
        }
    }

    static Stream<Arguments> refitted() {
        return Stream.of("forest-regression", "forest-classification")
                .map(Example::named)
                .map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("refitted")
    void aForestsLeafRefitTakesTheRowOutOfEveryMean(Example example) {
        Training training = example.training(false);
        List<Query> queries = asked(training);
        List<Tree> trees = training.model().trees();
        int width = training.model().outputs();
        double[][] scores = new LeafRefit().scores(training, queries, Progress.SILENT);
        for (int q = 0; q < queries.size(); q++) {
            Query query = queries.get(q);
            double before = ForestRefit.loss(query.margins(training.model()), query.label());
            for (int without = 0; without < training.rows(); without++) {
                double[] outputs = new double[width];
                for (Tree tree : trees) {
                    double[] mean = mean(training, tree, query, without);
                    for (int c = 0; c < width; c++) {
                        outputs[c] += mean[c] / trees.size();
                    }
                }
                assertThat(scores[q][without])
                        .isCloseTo(ForestRefit.loss(outputs, query.label()) - before, within(1e-9));
            }
        }
    }

    /** The mean over the rows that the query meets on its way down, as far as there are any. */
    private static double[] mean(Training training, Tree tree, Query query, int without) {
        int width = training.model().outputs();
        List<Integer> here = new ArrayList<>();
        for (int row = 0; row < training.rows(); row++) {
            if (row != without) {
                here.add(row);
            }
        }
        double[] mean = new double[width];
        int node = tree.shape().splits() > 0 ? 0 : -1;
        while (true) {
            double weight = 0;
            double[] sum = new double[width];
            for (int row : here) {
                weight += tree.drawn()[row];
                for (int c = 0; c < width; c++) {
                    double y = width == 1 ? training.labels()[row] : training.labels()[row] == c ? 1 : 0;
                    sum[c] += tree.drawn()[row] * y;
                }
            }
            if (weight == 0) {
                return mean;
            }
            for (int c = 0; c < width; c++) {
                mean[c] = sum[c] / weight;
            }
            if (node < 0) {
                return mean;
            }
            int split = node;
            int feature = tree.shape().feature()[split];
            boolean left = tree.goesLeft(split, (float) query.features()[feature]);
            here.removeIf(row -> tree.goesLeft(split, (float) training.features()[feature][row]) != left);
            node = left ? tree.shape().left()[split] : tree.shape().right()[split];
        }
    }

    @ParameterizedTest
    @MethodSource("boosted")
    void trexScoresAddUpToTheLinearModelsOutput(Example example) {
        // At the minimum of (1/n) Σ ℓ_i + λ |w|² the weights are Σ α_i φ_i: found here by plain gradient descent on the
        // dual.
        Training training = example.training();
        Objective objective = training.replay().objective();
        int k = objective.outputs();
        int n = training.rows();
        double lambda = 0.003;
        double[][] kernel = new double[n][];
        for (int row = 0; row < n; row++) {
            Query query = Example.query(training, row);
            kernel[row] = SharedLeaves.shared(training, query, SharedLeaves.byCount(training, query));
        }
        double[][] alpha = new double[n][k];
        for (int step = 0; step < 20_000; step++) {
            double moved = 0;
            for (int row = 0; row < n; row++) {
                double[] f = new double[k];
                for (int other = 0; other < n; other++) {
                    for (int c = 0; c < k; c++) {
                        f[c] += alpha[other][c] * kernel[row][other];
                    }
                }
                double[] slope = objective.lossGradient(f, training.labels()[row]);
                for (int c = 0; c < k; c++) {
                    double wanted = -slope[c] / (2 * lambda * n);
                    double change = (wanted - alpha[row][c]) / (1 + kernel[row][row] / (2 * lambda * n));
                    alpha[row][c] += change;
                    moved = Math.max(moved, Math.abs(change));
                }
            }
            if (moved < 1e-12) {
                break;
            }
        }
        List<Query> queries = asked(training);
        double[][] scores = new Trex().scores(training, queries, Progress.SILENT);
        for (int q = 0; q < queries.size(); q++) {
            Query query = queries.get(q);
            double[] near = SharedLeaves.shared(training, query, SharedLeaves.byCount(training, query));
            double[] f = new double[k];
            for (int row = 0; row < n; row++) {
                for (int c = 0; c < k; c++) {
                    f[c] += alpha[row][c] * near[row];
                }
            }
            double[] truth = new double[n];
            for (int row = 0; row < n; row++) {
                double[] without = f.clone();
                for (int c = 0; c < k; c++) {
                    without[c] -= alpha[row][c] * near[row];
                }
                truth[row] = objective.loss(without, query.label()) - objective.loss(f, query.label());
            }
            assertAlike(scores[q], truth, 1e-6);
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void shapSimilarityIsTheCosineOfShapleyValuesByEnumeration(Example example) {
        Training training = example.training(false);
        List<Query> queries = asked(training);
        double[][] scores = new ShapSimilarity().scores(training, queries, Progress.SILENT);
        int rows = 40;
        double[][] all = new double[rows][];
        for (int row = 0; row < rows; row++) {
            all[row] = shapley(training, Example.query(training, row).features());
        }
        for (int q = 0; q < queries.size(); q++) {
            double[] asked = shapley(training, queries.get(q).features());
            for (int row = 0; row < rows; row++) {
                double ab = 0;
                double aa = 0;
                double bb = 0;
                for (int i = 0; i < asked.length; i++) {
                    ab += asked[i] * all[row][i];
                    aa += asked[i] * asked[i];
                    bb += all[row][i] * all[row][i];
                }
                assertThat(scores[q][row]).isCloseTo(ab / Math.sqrt(aa * bb), within(1e-9));
            }
        }
    }

    /** Shapley values by all sets of features, (K, F). */
    private static double[] shapley(Training training, double[] features) {
        int f = features.length;
        int k = training.model().outputs();
        double[] comparable = new double[f];
        Arrays.setAll(comparable, i -> training.model().comparable(i, features[i]));
        double[][] worth = new double[1 << f][k];
        for (int set = 0; set < worth.length; set++) {
            for (Tree tree : training.model().trees()) {
                double[] mean = expectation(tree, tree.shape().splits() > 0 ? 0 : ~0, comparable, set);
                for (int w = 0; w < tree.width(); w++) {
                    worth[set][tree.output() + w] += mean[w + 1];
                }
            }
        }
        double[] values = new double[k * f];
        for (int i = 0; i < f; i++) {
            for (int set = 0; set < worth.length; set++) {
                if ((set >> i & 1) != 0) {
                    continue;
                }
                int size = Integer.bitCount(set);
                double share = factorial(size) * factorial(f - size - 1) / factorial(f);
                for (int c = 0; c < k; c++) {
                    values[c * f + i] += share * (worth[set | 1 << i][c] - worth[set][c]);
                }
            }
        }
        return values;
    }

    private static double factorial(int n) {
        double product = 1;
        for (int i = 2; i <= n; i++) {
            product *= i;
        }
        return product;
    }

    /** The cover below a node, then the mean of its leaves where only the set's features are known. */
    private static double[] expectation(Tree tree, int node, double[] row, int set) {
        double[] result = new double[tree.width() + 1];
        if (node < 0) {
            result[0] = tree.cover(~node);
            for (int w = 0; w < tree.width(); w++) {
                result[w + 1] = tree.value(~node, w);
            }
            return result;
        }
        double[] left = expectation(tree, tree.shape().left()[node], row, set);
        double[] right = expectation(tree, tree.shape().right()[node], row, set);
        result[0] = left[0] + right[0];
        boolean known = (set >> tree.shape().feature()[node] & 1) != 0;
        boolean goesLeft = tree.goesLeft(node, row[tree.shape().feature()[node]]);
        for (int w = 1; w < result.length; w++) {
            result[w] = known
                    ? (goesLeft ? left : right)[w]
                    : result[0] == 0 ? 0 : (left[0] * left[w] + right[0] * right[w]) / result[0];
        }
        return result;
    }
}
