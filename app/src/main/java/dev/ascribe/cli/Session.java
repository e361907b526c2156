package dev.ascribe.cli;

import dev.ascribe.Provenance;
import dev.ascribe.torch.Engine;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** One call of a command: when it began, with which settings. */
final class Session {
    private final Instant startedAt = Instant.now();
    private final long started = System.nanoTime();
    private final CommandSpec command;

    Session(CommandSpec command) {
        this.command = command;
        Engine.start(Runtime.getRuntime().availableProcessors());
    }

    /** Every option's value, defaults included, that the result depends on. */
    Map<String, Object> settings() {
        Map<String, Object> settings = new TreeMap<>();
        settings.put("command", command.qualifiedName());
        for (OptionSpec option : command.options()) {
            Object value = option.getValue();
            String name = option.longestName().replaceFirst("^-+", "");
            if (value != null && !option.usageHelp() && !option.versionHelp()) {
                settings.put(name, value instanceof Number || value instanceof Boolean ? value : value.toString());
            }
        }
        return settings;
    }

    Provenance provenance(
            @Nullable String model,
            @Nullable String adapter,
            @Nullable String data,
            @Nullable String index,
            long seed) {
        return new Provenance(
                model,
                adapter,
                data,
                index,
                settings(),
                seed,
                Engine.versions(),
                startedAt.truncatedTo(ChronoUnit.SECONDS).toString(),
                (System.nanoTime() - started) / 1e9);
    }
}
