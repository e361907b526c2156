package dev.ascribe.torch.gradient;

import dev.ascribe.UserInputException;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.train.Adapter;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** A model in one of the states at which gradients are taken, and how they become features there. Closing leaves the state. */
public final class Subject implements AutoCloseable {
    private final LanguageModel model;
    private final GradientFeatures features;
    private final Runnable leave;

    private Subject(LanguageModel model, GradientFeatures features, Runnable leave) {
        this.model = model;
        this.features = features;
        this.leave = leave;
    }

    /** A base model with an adapter, whose matrices are the sites. The adapter is closed with the subject. */
    public static Subject of(LanguageModel base, Adapter adapter, Projection projection) {
        adapter.merge();
        return new Subject(base, GradientFeatures.of(adapter, projection), () -> {
            adapter.unmerge();
            adapter.close();
        });
    }

    /** A model with all its weights; {@code sites} is {@code all}, {@code last} or a regular expression over site names. */
    public static Subject of(Path model, Precision precision, String sites, Projection projection) {
        LanguageModel opened = LanguageModel.open(model, precision);
        return new Subject(
                opened, GradientFeatures.of(choose(opened.decoder().sites(), sites), projection), opened::close);
    }

    private static List<Linear> choose(List<Linear> all, String sites) {
        List<Linear> chosen;
        try {
            chosen = switch (sites) {
                case "all" -> all;
                case "last" -> List.of(all.getLast());
                default -> {
                    Pattern pattern = Pattern.compile(sites);
                    yield all.stream()
                            .filter(site -> pattern.matcher(site.name()).matches())
                            .toList();
                }
            };
        } catch (PatternSyntaxException e) {
            throw new UserInputException(
                    "--sites '%s' is no regular expression: %s".formatted(sites, e.getDescription()), e);
        }
        if (chosen.isEmpty()) {
            throw new UserInputException("--sites '%s' matches none of the model's %d linear layers, such as %s"
                    .formatted(sites, all.size(), all.getFirst().name()));
        }
        return chosen;
    }

    /** The model in its state. */
    public LanguageModel model() {
        return model;
    }

    /** How its gradients become features. */
    public GradientFeatures features() {
        return features;
    }

    @Override
    public void close() {
        leave.run();
    }
}
