package dev.ascribe.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.sun.management.OperatingSystemMXBean;
import dev.ascribe.EngineUnavailableException;
import dev.ascribe.UserCache;
import dev.ascribe.store.MemoryBandwidth;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.text.Tokenizer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;
import org.bytedeco.pytorch.global.torch.ScalarType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What this machine offers, measured; what is missing and how to get it. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "What this machine offers: JDK, CPU, native engine, measured speed, memory.",
        footer = {"", "Example: ascribe doctor --json"})
final class DoctorCommand implements Callable<Integer> {
    private static final List<String> FEATURES =
            List.of("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16", "sha_ni");

    private static final long LEAST_HEAP = 1L << 30;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Session session = Session.withEngine(spec);
        double f32 = Engine.gigaflops(ScalarType.Float);
        double bf16 = Engine.gigaflops(ScalarType.BFloat16);
        double bandwidth = MemoryBandwidth.gigabytesPerSecond();
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("schema", "ascribe/doctor/1");
        found.put("java", Runtime.version().toString());
        found.put("platform", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        found.put("cores", Runtime.getRuntime().availableProcessors());
        found.put("cpu", cpu("model name"));
        found.put("cpuFeatures", features());
        found.put("vectorBits", FloatVector.SPECIES_PREFERRED.vectorBitSize());
        found.put("memoryGigabytes", system.getTotalMemorySize() / 1e9);
        found.put("heapGigabytes", Runtime.getRuntime().maxMemory() / 1e9);
        found.put("engine", "libtorch " + Engine.versions().get("libtorch"));
        found.put("engineThreads", Engine.threads());
        found.put("gigaflopsF32", f32);
        found.put("gigaflopsBf16", bf16);
        found.put("gigabytesPerSecond", bandwidth);
        found.put("products", Engine.prefersBfloat16(f32, bf16) ? "bf16" : "f32");
        found.put("cache", UserCache.directory().toString());
        List<String> missing = missing();
        found.put("missing", missing);
        found.put("provenance", session.provenance(null, null, null, null, 0));
        if (json) {
            System.out.println(new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .writeValueAsString(found));
            return 0;
        }
        line("JDK", "%s", found.get("java"));
        line("Platform", "%s, %s cores, %s", found.get("platform"), found.get("cores"), found.get("cpu"));
        line("CPU features", "%s; vectors of %s bits", String.join(" ", features()), found.get("vectorBits"));
        line(
                "Memory",
                "%.1f GB, of which Java's heap may take %.1f",
                found.get("memoryGigabytes"),
                found.get("heapGigabytes"));
        line("Native engine", "%s, %s threads", found.get("engine"), found.get("engineThreads"));
        line(
                "Products",
                "f32 %.0f GFLOP/s, bf16 %.0f GFLOP/s: --dtype auto computes in %s",
                f32,
                bf16,
                found.get("products"));
        line("Memory speed", "%.1f GB/s read", bandwidth);
        line("Cache", "%s", found.get("cache"));
        line("Missing", "%s", missing.isEmpty() ? "nothing" : String.join("; ", missing));
        return 0;
    }

    /** What does not work here, and how to get it. */
    private static List<String> missing() {
        List<String> missing = new ArrayList<>();
        Path cache = UserCache.directory();
        try {
            Files.createDirectories(cache);
            Files.delete(Files.createTempFile(cache, "doctor-", ""));
        } catch (IOException e) {
            missing.add(
                    "the cache %s cannot be written (%s): set XDG_CACHE_HOME to a folder of yours".formatted(cache, e));
        }
        try (Tokenizer tokenizer = Tokenizer.wordLevel(List.of("a word"))) {
            tokenizer.encode("a word", false);
        } catch (EngineUnavailableException e) {
            missing.add(e.getMessage());
        }
        if (Runtime.getRuntime().maxMemory() < LEAST_HEAP) {
            missing.add("Java's heap is below 1 GB: give it more by ASCRIBE_JAVA_OPTS=-Xmx2g");
        }
        return missing;
    }

    private static void line(String name, String format, Object... values) {
        System.out.printf(Locale.ROOT, "%-14s %s%n", name, String.format(Locale.ROOT, format, values));
    }

    private static List<String> features() {
        List<String> flags = List.of((cpu("flags") + " " + cpu("Features")).split("\\s+"));
        return FEATURES.stream().filter(flags::contains).toList();
    }

    /** A line of Linux's own description; empty where there is none. */
    static String cpu(String key) {
        Path file = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(file)) {
            return "";
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(key))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .orElse("");
        } catch (IOException e) {
            return "";
        }
    }
}
