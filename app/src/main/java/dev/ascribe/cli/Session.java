package dev.ascribe.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Instant startedAt = Instant.now();
    private final long started = System.nanoTime();
    private final CommandSpec command;
    private final Map<String, String> versions;

    private Session(CommandSpec command, Map<String, String> versions) {
        this.command = command;
        this.versions = versions;
    }

    /** Of a command that computes: the native engine is started. */
    static Session withEngine(CommandSpec command) {
        Engine.start(Runtime.getRuntime().availableProcessors());
        return new Session(command, Engine.versions());
    }

    /** Of a command that needs no native engine. */
    static Session withoutEngine(CommandSpec command) {
        return new Session(
                command,
                new TreeMap<>(Map.of(
                        "ascribe",
                        Main.Version.number(),
                        "java",
                        Runtime.version().toString())));
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
                versions,
                startedAt.truncatedTo(ChronoUnit.SECONDS).toString(),
                (System.nanoTime() - started) / 1e9);
    }
}
