package dev.ascribe.torch.train;

import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.model.Trunk;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Fine-tuning of a base model by a LoRA adapter. The frozen blocks below the lowest adapted one are computed once a row. */
public final class LoraRecipe implements Recipe {
    /** Hidden states that may be kept, bytes. */
    private static final long TRUNK_BYTES = 2L << 30;

    private final LanguageModel base;
    private final LoraConfig config;
    private final Trunk trunk;
    private @Nullable Adapter adapter;

    private LoraRecipe(LanguageModel base, LoraConfig config) {
        this.base = base;
        this.config = config;
        int lowest = base.decoder().sites().stream()
                .filter(config.targets()::match)
                .mapToInt(Linear::block)
                .min()
                .orElse(0);
        this.trunk = new Trunk(base.decoder(), lowest, TRUNK_BYTES);
    }

    /**
     * @param base stays the caller's to close
     */
    public static LoraRecipe of(LanguageModel base, LoraConfig config) {
        return new LoraRecipe(base, config);
    }

    @Override
    public Learner start(long seed) {
        putAway();
        Adapter fresh = Adapter.fresh(base.decoder(), config, seed);
        adapter = fresh;
        return new LoraLearner(base.decoder(), fresh, trunk);
    }

    @Override
    public LanguageModel model() {
        return base;
    }

    @Override
    public void keep(Path directory) {
        if (adapter == null) {
            throw new IllegalStateException("nothing was started");
        }
        adapter.save(directory);
    }

    @Override
    public String result() {
        return "adapter";
    }

    private void putAway() {
        if (adapter != null) {
            adapter.unmerge();
            adapter.close();
            adapter = null;
        }
    }

    @Override
    public void close() {
        putAway();
        trunk.close();
    }
}
