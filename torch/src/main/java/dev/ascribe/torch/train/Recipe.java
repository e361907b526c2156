package dev.ascribe.torch.train;

import dev.ascribe.torch.model.LanguageModel;
import java.nio.file.Path;

/** A way to train: given a seed, what is trained from which start. Retraining on fewer rows uses the same recipe. */
public sealed interface Recipe extends AutoCloseable permits LoraRecipe, ScratchRecipe {
    /** A learner at the start of training; the one before it is put away. */
    Learner start(long seed);

    /** The model with what the current learner has learned. */
    LanguageModel model();

    /** Writes what was learned: an adapter, or a model. */
    void keep(Path directory);

    /** Where in a run's directory the end result lies. */
    String result();

    @Override
    void close();
}
