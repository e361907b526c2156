package dev.ascribe.tree;

import dev.ascribe.UserInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * {@code ascribe/forest/1}: a forest of means, such as scikit-learn's, which have no text format of their own.
 *
 * <pre>{@code
 * { "schema": "ascribe/forest/1",
 *   "task": "regression" | "classification",
 *   "features": ["age", …],          or left out: columns are matched by position
 *   "classes": ["no", "yes"],        of a classification, in the order of the values
 *   "trees": [ { "left": [1, -1, -1],            node numbers; -1 at a leaf
 *                "right": [2, -1, -1],
 *                "feature": [0, -2, -2],         not looked at where the node is a leaf
 *                "threshold": [39.5, -2, -2],    (float) x <= threshold goes left
 *                "missingLeft": [false, false, false],
 *                "value": [[.5], [.2], [.9]],    mean of the labels, or the share of each class
 *                "cover": [10, 6, 4],            weight of the training rows in the node
 *                "drawn": [2, 0, 1, …] } ] }     how often the bootstrap drew each training row; or left out
 * }</pre>
 *
 * <p>Unknown keys are errors.
 */
final class ForestJson {
    static final String SCHEMA = "ascribe/forest/1";

    private static final TreeEnsemble.Precision PRECISION = new TreeEnsemble.Precision(true, false, false);
    private static final Set<String> KEYS = Set.of("schema", "task", "features", "classes", "trees");
    private static final Set<String> TREE_KEYS =
            Set.of("left", "right", "feature", "threshold", "missingLeft", "value", "cover", "drawn");

    private ForestJson() {}

    static TreeEnsemble read(ModelValue document) {
        requireKnown(document, KEYS);
        String task = document.get("task").text();
        boolean classifies = task.equals("classification");
        if (!classifies && !task.equals("regression")) {
            throw new UserInputException(
                    "%s: task '%s' must be regression or classification".formatted(document.file(), task));
        }
        Optional<List<String>> classes = document.find("classes").map(ModelValue::texts);
        if (classifies && (classes.isEmpty() || classes.get().size() < 2)) {
            throw document.wrong("is a classification and needs \"classes\", at least two");
        }
        List<ModelValue> written = document.get("trees").list();
        if (written.isEmpty()) {
            throw document.get("trees").wrong("has no tree");
        }
        Optional<List<String>> names = document.find("features").map(ModelValue::texts);
        int features = names.map(List::size)
                .orElseGet(() -> written.stream()
                                .flatMapToInt(tree ->
                                        Arrays.stream(tree.get("feature").integers()))
                                .max()
                                .orElse(0)
                        + 1);
        int width = classifies ? classes.orElseThrow().size() : 1;
        List<Tree> trees = new ArrayList<>();
        for (ModelValue tree : written) {
            requireKnown(tree, TREE_KEYS);
            int[] drawn = tree.find("drawn").map(ModelValue::integers).orElseGet(() -> new int[0]);
            trees.add(tree(tree, Math.max(1, features), width)
                    .scaled(1.0 / written.size(), 0)
                    .withDrawn(drawn));
        }
        if (trees.stream().mapToInt(tree -> tree.drawn().length).distinct().count() > 1) {
            throw document.get("trees").wrong("has \"drawn\" of different lengths, or in some trees only");
        }
        List<Feature> named = new ArrayList<>();
        for (int f = 0; f < Math.max(1, features); f++) {
            int number = f;
            named.add(Feature.numeric(names.map(all -> all.get(number)).orElse("feature " + f)));
        }
        if (new HashSet<>(named).size() != named.size()) {
            throw document.get("features").wrong("has a name twice");
        }
        return new TreeEnsemble(
                document.file(),
                TreeEnsemble.Kind.FOREST,
                named,
                names.isPresent(),
                task,
                null,
                "a forest's leaves are means of labels, not gradient steps. Where it tells its bootstrap rows (\"drawn\"), leaf-refit takes it",
                classes.orElse(null),
                Collections.nCopies(width, 0.0),
                null,
                null,
                false,
                false,
                List.of(List.copyOf(trees)),
                1,
                PRECISION,
                List.of(),
                Map.of());
    }

    private static void requireKnown(ModelValue object, Set<String> keys) {
        object.node().fieldNames().forEachRemaining(key -> {
            if (!keys.contains(key)) {
                throw new UserInputException("%s: %s has an unknown key \"%s\"; known are %s"
                        .formatted(
                                object.file(),
                                object.at().isEmpty() ? "the document" : object.at(),
                                key,
                                keys.stream().sorted().toList()));
            }
        });
    }

    private static Tree tree(ModelValue written, int features, int width) {
        int[] left = written.get("left").integers();
        int n = left.length;
        int[] right = written.get("right").integers(n);
        int[] feature = written.get("feature").integers(n);
        double[] threshold = written.get("threshold").numbers(n);
        boolean[] missingLeft = written.get("missingLeft").flags(n);
        double[] cover = written.get("cover").numbers(n);
        List<ModelValue> value = written.get("value").list();
        if (value.size() != n) {
            throw written.get("value").wrong("has %d values, but %d are needed".formatted(value.size(), n));
        }
        String where = written.file() + ", " + written.at();
        Tree.Nodes nodes = new Tree.Nodes(where, left, right);
        int splits = nodes.splits.length;
        Splits shape = new Splits(splits);
        for (int s = 0; s < splits; s++) {
            int node = nodes.splits[s];
            shape.left()[s] = nodes.child(left[node]);
            shape.right()[s] = nodes.child(right[node]);
            shape.feature()[s] = feature[node];
            shape.threshold()[s] = threshold[node];
            shape.missingLeft()[s] = missingLeft[node];
        }
        double[] values = new double[nodes.leaves.length * width];
        for (int leaf = 0; leaf < nodes.leaves.length; leaf++) {
            System.arraycopy(value.get(nodes.leaves[leaf]).numbers(width), 0, values, leaf * width, width);
        }
        return Tree.of(where, shape, features, 0, width, values, nodes.ofLeaves(cover));
    }
}
