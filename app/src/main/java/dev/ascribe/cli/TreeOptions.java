package dev.ascribe.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.ascribe.UserInputException;
import dev.ascribe.tree.Groups;
import dev.ascribe.tree.Replay;
import dev.ascribe.tree.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a model of trees was trained on a table: what its file does not say. */
final class TreeOptions {
    /** What these options are called. */
    static final List<String> NAMES = List.of(
            "--target",
            "--weight",
            "--ignore",
            "--classes",
            "--missing",
            "--categories",
            "--rounds",
            "--eta",
            "--lambda",
            "--approximate",
            "--contrast",
            "--params");

    @Option(names = "--target", paramLabel = "COL", description = "Trees: the column of the labels.")
    private @Nullable String target;

    @Option(names = "--weight", paramLabel = "COL", description = "Trees: the column of the row weights.")
    private @Nullable String weight;

    @Option(names = "--ignore", split = ",", paramLabel = "COL", description = "Trees: columns that are no features.")
    private List<String> ignore = List.of();

    @Option(
            names = "--classes",
            split = ",",
            paramLabel = "NAME",
            description = "Trees: what the labels 0, 1, … are called in the data.")
    private @Nullable List<String> classes;

    @Option(
            names = "--missing",
            split = ",",
            paramLabel = "TEXT",
            description = "Trees: fields that mean a missing value, beside an empty one, NaN, nan, NA and null.")
    private List<String> missing = List.of();

    @Option(
            names = "--categories",
            paramLabel = "FILE",
            description = "Trees: JSON {\"column\": [\"a\", \"b\"]}, the categories in the order of their codes.")
    private @Nullable Path categories;

    @Option(
            names = "--rounds",
            defaultValue = "best",
            paramLabel = "N",
            description =
                    "Trees: rounds of boosting: best (of early stopping), all or a number. Default: ${DEFAULT-VALUE}.")
    private String rounds = "best";

    @Option(
            names = "--eta",
            paramLabel = "X",
            description = "Trees: the learning rate, where it is not to be inferred.")
    private @Nullable Double eta;

    @Option(
            names = "--lambda",
            paramLabel = "X",
            description = "Trees: the L2 penalty of leaves, where it is not to be inferred.")
    private @Nullable Double lambda;

    @Option(
            names = "--approximate",
            description =
                    "Trees: go on although the leaves do not follow from the rows. Needs --eta and --lambda for XGBoost.")
    private boolean approximate;

    @Option(
            names = "--contrast",
            paramLabel = "COL=a,b",
            description =
                    "Trees: trace how far the mean predictions of two groups of --query are apart, those whose column says a and those where it says b.")
    private @Nullable String contrast;

    /** The groups that are compared, or null when each row is traced. */
    @Nullable
    Groups groups() {
        return contrast == null ? null : Groups.parse(contrast);
    }

    /** A proof is of one prediction. */
    void refuseContrast() {
        if (contrast != null) {
            throw new UserInputException(
                    "--contrast is an option of trace: a proof is of one prediction; leave it out");
        }
    }

    String rounds() {
        return rounds;
    }

    @Nullable
    List<String> classes() {
        return classes;
    }

    Replay.Settings replay() {
        return new Replay.Settings(eta, lambda, approximate);
    }

    Table.Layout layout() {
        if (target == null) {
            throw new UserInputException(
                    "--target COL is missing: the column of --data and --query that holds the labels");
        }
        return new Table.Layout(target, weight, Set.copyOf(ignore), Set.copyOf(missing), readCategories(), classes);
    }

    private Map<String, List<String>> readCategories() {
        if (categories == null) {
            return Map.of();
        }
        try {
            return JsonMapper.builder()
                    .build()
                    .readValue(Files.readString(categories), new TypeReference<Map<String, List<String>>>() {});
        } catch (JsonProcessingException e) {
            throw new UserInputException(
                    "--categories %s is not JSON of the form {\"column\": [\"a\", \"b\"]}: line %d, column %d"
                            .formatted(
                                    categories,
                                    e.getLocation().getLineNr(),
                                    e.getLocation().getColumnNr()),
                    e);
        } catch (IOException e) {
            throw new UserInputException("--categories " + categories + " cannot be read: " + e, e);
        }
    }
}
