package dev.ascribe.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is read predicts what the library predicts. */
class ModelFileTest {
    static List<Example> all() {
        return Example.all();
    }

    static List<Example> explained() {
        return Example.all().stream().filter(one -> one.expected().has("shap")).toList();
    }

    static List<Example> boosted() {
        return Example.boosted();
    }

    @ParameterizedTest
    @MethodSource("all")
    void marginsAreTheLibrarysOwn(Example example) {
        assertThat(ModelFile.recognises(example.file())).isTrue();
        Training training = example.training(false);
        JsonNode margins = example.expected().get("margins");
        assertThat(margins).hasSize(training.rows());
        for (int row = 0; row < training.rows(); row++) {
            double[] own = Example.query(training, row).margins(training.model());
            assertThat(own).hasSize(margins.get(row).size());
            for (int c = 0; c < own.length; c++) {
                double theirs = margins.get(row).get(c).doubleValue();
                assertThat(own[c]).isCloseTo(theirs, within(1e-6 * Math.max(1, Math.abs(theirs))));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void rowsShareALeafExactlyWhereTheLibrarySaysSo(Example example) {
        Training training = example.training(false);
        JsonNode leaves = example.expected().get("leaves");
        int trees = training.model().trees().size();
        for (int t = 0; t < trees; t++) {
            Map<Integer, Integer> ownByTheirs = new HashMap<>();
            Map<Integer, Integer> theirsByOwn = new HashMap<>();
            for (int row = 0; row < training.rows(); row++) {
                assertThat(leaves.get(row)).hasSize(trees);
                int own = training.leaves().of(row)[t];
                int theirs = leaves.get(row).get(t).intValue();
                assertThat(ownByTheirs.merge(theirs, own, (before, now) -> before))
                        .isEqualTo(own);
                assertThat(theirsByOwn.merge(own, theirs, (before, now) -> before))
                        .isEqualTo(theirs);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("explained")
    void shapValuesAreTheLibrarysOwn(Example example) {
        Training training = example.training(false);
        int features = training.features().length;
        JsonNode shap = example.expected().get("shap");
        double[][] own = new TreeShap(training.model()).explain(training.model(), training.features(), 0, shap.size());
        for (int row = 0; row < own.length; row++) {
            double[] theirs = flat(shap.get(row), features);
            assertThat(theirs).hasSameSizeAs(own[row]);
            for (int j = 0; j < theirs.length; j++) {
                assertThat(own[row][j]).isCloseTo(theirs[j], within(2e-5));
            }
        }
    }

    /** All outputs end to end, without each one's last value, the bias. */
    private static double[] flat(JsonNode values, int features) {
        if (values.get(0).isArray()) {
            double[] all = new double[values.size() * features];
            for (int c = 0; c < values.size(); c++) {
                System.arraycopy(flat(values.get(c), features), 0, all, c * features, features);
            }
            return all;
        }
        int outputs = values.size() / (features + 1);
        double[] all = new double[outputs * features];
        for (int j = 0; j < all.length; j++) {
            all[j] = values.get(j / features * (features + 1) + j % features).doubleValue();
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("boosted")
    void leavesFollowFromTheRowsAndSoDoEtaAndLambda(Example example) {
        Replay replay = example.training().replay();
        assertThat(replay.worst()).isLessThan(1e-6);
        assertThat(replay.eta()).isCloseTo(example.expected().get("eta").doubleValue(), within(1e-5));
        if (example.expected().has("lambda")) {
            assertThat(replay.lambda())
                    .isCloseTo(example.expected().get("lambda").doubleValue(), within(1e-3));
        }
    }
}
