package dev.ascribe.cli;

import dev.ascribe.torch.train.LoraConfig;
import java.util.Map;
import picocli.CommandLine.Option;

/** The shape of a LoRA adapter that is yet to be trained, or at whose start gradients are taken. */
final class LoraOptions {
    /** What these options are called. */
    static final String[] NAMES = {"--rank", "--alpha", "--rslora", "--targets"};

    @Option(
            names = "--rank",
            defaultValue = "8",
            description = "r of LoRA, where no run or adapter says it. Default: ${DEFAULT-VALUE}.")
    private int rank = 8;

    @Option(
            names = "--alpha",
            defaultValue = "16",
            description = "alpha of LoRA, where no run or adapter says it. Default: ${DEFAULT-VALUE}.")
    private double alpha = 16;

    @Option(names = "--rslora", description = "Scale by alpha over the root of r.")
    private boolean rsLora;

    @Option(
            names = "--targets",
            defaultValue = "all-linear",
            description =
                    "Modules of LoRA, where no run or adapter says it: all-linear, names separated by commas, or a regular expression. Default: ${DEFAULT-VALUE}.")
    private String targets = "all-linear";

    LoraConfig config() {
        return new LoraConfig(rank, alpha, rsLora, LoraConfig.Targets.parse(targets), Map.of(), Map.of());
    }
}
