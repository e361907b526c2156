package dev.ascribe.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.Provenance;
import dev.ascribe.torch.Engine;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** One call of a command: when it began, with which settings. */
final class Session {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Instant startedAt = Instant.now();
    private final long started = System.nanoTime();
    private final CommandSpec command;
    private final Map<String, String> versions;
    private final Collection<String> leftOut;

    private Session(CommandSpec command, Map<String, String> versions, Collection<String> leftOut) {
        this.command = command;
        this.versions = versions;
        this.leftOut = leftOut;
    }

    /** The same call without the settings of options that play no part in it. */
    Session leavingOut(Collection<String> options) {
        return new Session(command, versions, List.copyOf(options));
    }

    /** Of a command that computes: the native engine is started. */
    static Session withEngine(CommandSpec command) {
        Engine.start(Runtime.getRuntime().availableProcessors());
        return new Session(command, Engine.versions(), List.of());
    }

    /** Of a command that needs no native engine. */
    static Session withoutEngine(CommandSpec command) {
        return new Session(
                command,
                new TreeMap<>(Map.of(
                        "ascribe",
                        Main.Version.number(),
                        "java",
                        Runtime.version().toString())),
                List.of());
    }

    /** Prints a JSON document: the schema first, provenance last. */
    void print(String kind, ObjectNode fields) {
        ObjectNode document = JSON.createObjectNode().put("schema", "ascribe/" + kind + "/1");
        document.setAll(fields);
        document.set("provenance", JSON.valueToTree(provenance(null, null, null, null, 0)));
        System.out.println(document.toPrettyString());
    }

    /** Every option's value, defaults included, that the result depends on. */
    Map<String, Object> settings() {
        Map<String, Object> settings = new TreeMap<>();
        settings.put("command", command.qualifiedName());
        for (OptionSpec option : command.options()) {
            Object value = option.getValue();
            String name = option.longestName().replaceFirst("^-+", "");
            boolean plays = !option.usageHelp() && !option.versionHelp() && !leftOut.contains(option.longestName());
            if (value != null && plays) {
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
                versions,
                startedAt.truncatedTo(ChronoUnit.SECONDS).toString(),
                (System.nanoTime() - started) / 1e9);
    }
}
