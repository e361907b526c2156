package dev.ascribe.tree;

import dev.ascribe.Attribution;
import dev.ascribe.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;

/** Measures traces of trees in one process: {@code bench/peers/trees_speed.py} runs it. Prints one JSON document. */
final class TreeSpeed {
    private TreeSpeed() {}

    /** @param args model, data, target, queries, method, rounds ({@code all} or a number), and how many times to trace */
    public static void main(String[] args) throws IOException {
        Locale.setDefault(Locale.ROOT);
        Path file = Path.of(args[0]);
        Table.Layout layout = new Table.Layout(args[2], null, Set.of(), Set.of(), Map.of(), null);
        long begun = System.nanoTime();
        TreeEnsemble model = ModelFile.open(file).limited(args[5]);
        TreeTracer tracer =
                new TreeTracer(model, new TreeTracer.Options(args[4], 10, new Replay.Settings(null, null, false)));
        try (Table rows = Table.open(Path.of(args[1]), model, layout, Table.Role.TRAINING);
                Table asked = Table.open(Path.of(args[3]), model, layout, Table.Role.QUERY)) {
            double open = since(begun);
            StringJoiner traces = new StringJoiner(", ", "[", "]");
            Attribution.Query first = null;
            for (int i = 0; i < Integer.parseInt(args[6]); i++) {
                long start = System.nanoTime();
                first = tracer.trace(rows, asked, null, Progress.SILENT)
                        .queries()
                        .getFirst();
                traces.add("%.4f".formatted(since(start)));
            }
            System.out.printf(
                    "{\"open\": %.4f, \"trace\": %s, \"gib\": %.2f, \"first\": %d}%n",
                    open,
                    traces,
                    peak(),
                    first == null ? -1 : first.influences().getFirst().row());
        }
    }

    private static double since(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    /** Peak resident memory of this process in GiB; NaN where the system does not say. */
    private static double peak() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return Double.NaN;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / (1 << 20))
                .findFirst()
                .orElse(Double.NaN);
    }
}
