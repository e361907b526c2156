package dev.ascribe.cli;

import dev.ascribe.corpus.CanonicalJson;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.gradient.GradientIndex;
import dev.ascribe.torch.gradient.GradientMethod;
import dev.ascribe.torch.gradient.Lineage;
import dev.ascribe.torch.gradient.Point;
import dev.ascribe.torch.trace.Tracer;
import dev.ascribe.torch.train.Adapter;
import dev.ascribe.torch.train.Checkpoint;
import dev.ascribe.torch.train.Run;
import dev.ascribe.torch.train.ScratchRecipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Puts receipts together: what a trace read, how, and what it found. */
final class ReceiptMaking {
    /** Name of a run's result among the adapters. */
    private static final String RESULT = "result";

    /** Name of a run's last state. */
    private static final String LAST = "final";

    private static final String IN_INDEX = "index/";

    private ReceiptMaking() {}

    static Receipt of(TraceOptions trace, TraceOptions.Opened opened, Tracer.Found found, int top, boolean perToken) {
        Receipt.Settings settings = settings(trace, opened, found, top, perToken);
        return new Receipt(
                new Receipt.Inputs(
                        opened.lineage.model().digest(),
                        adapters(trace, opened),
                        opened.corpus.digest(),
                        opened.index == null ? null : opened.index.digest()),
                settings,
                opened.contents().stream()
                        .map(content -> new String(CanonicalJson.bytes(content), StandardCharsets.UTF_8))
                        .toList(),
                engine(),
                Receipt.tolerance(found.scale(), settings.products()),
                found.queries().stream().map(Receipt.Scores::of).toList());
    }

    /** What the scores depend on beside what is read. */
    static Receipt.Settings settings(
            TraceOptions trace, TraceOptions.Opened opened, Tracer.Found found, int top, boolean perToken) {
        Run.TextSettings text = Objects.requireNonNull(opened.run).text();
        List<Map<String, Object>> points = new ArrayList<>();
        for (Point point : trace.points(opened)) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("name", point.name());
            fields.put("step", point.step());
            fields.put("learningRate", point.learningRate());
            points.add(fields);
        }
        return new Receipt.Settings(
                found.method(),
                found.scale(),
                trace.candidates,
                top,
                perToken,
                trace.checkpoints,
                points,
                text.template(),
                text.loss(),
                text.maxTokens(),
                text.skipBad(),
                opened.index == null
                        ? "F32"
                        : opened.index.settings().products().name());
    }

    private static Map<String, String> adapters(TraceOptions trace, TraceOptions.Opened opened) {
        boolean indexed = opened.index != null
                && opened.index.adapted()
                && GradientMethod.named(trace.method).isPresent();
        Map<String, String> digests = new LinkedHashMap<>();
        for (Point point : trace.points(opened)) {
            String name = (indexed ? IN_INDEX : "") + point.name();
            file(name, Objects.requireNonNull(opened.run), opened.index)
                    .ifPresent(file -> digests.put(name, LedgerJournal.digest(file)));
        }
        for (String name : List.of(LAST, RESULT)) {
            file(name, Objects.requireNonNull(opened.run), opened.index)
                    .ifPresent(file -> digests.put(name, LedgerJournal.digest(file)));
        }
        return digests;
    }

    /**
     * The file that an adapter of a receipt is.
     *
     * @param name of a state: {@code init}, {@code final} or its step; {@code index/} and one, as the index keeps it; or the run's result
     */
    static Optional<Path> file(String name, Run run, @Nullable GradientIndex index) {
        if (name.startsWith(IN_INDEX)) {
            return Optional.ofNullable(index).map(kept -> kept.weights(name.substring(IN_INDEX.length())));
        }
        boolean adapters = run.kind() == Run.Kind.FINETUNE;
        if (name.equals(RESULT)) {
            return Optional.of(adapters ? Adapter.weights(run.adapter()) : ScratchRecipe.weights(run.model()));
        }
        Optional<Checkpoint> checkpoint = switch (name) {
            case Lineage.INIT -> Optional.of(run.start());
            case LAST -> Optional.of(run.last());
            default -> name.matches("[0-9]{1,9}") ? run.at(Integer.parseInt(name)) : Optional.empty();
        };
        return checkpoint.map(run::file).map(adapters ? Adapter::weights : ScratchRecipe::weights);
    }

    /** What computed: bits are only compared with those of the same. */
    static Map<String, String> engine() {
        Map<String, String> engine = new TreeMap<>(Engine.versions());
        String cpu = DoctorCommand.cpu("model name");
        engine.put("cpu", cpu.isEmpty() ? System.getProperty("os.arch") : cpu);
        engine.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
        return engine;
    }
}
