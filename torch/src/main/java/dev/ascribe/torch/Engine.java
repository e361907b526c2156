package dev.ascribe.torch;

import dev.ascribe.EngineUnavailableException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** The native engine, libtorch: loaded on first use, measured where precision depends on the machine. */
public final class Engine {
    private static final int ROWS = 512;
    private static final int IN = 576;
    private static final int OUT = 1536;
    private static final long MEASURE_NANOS = 250_000_000L;

    /** Products in bfloat16 are chosen only when clearly faster. */
    private static final double CLEARLY_FASTER = 1.5;

    private static int granted = 1;

    private Engine() {}

    /**
     * Loads the engine and sets its threads.
     *
     * @param threads for each operation; the number of cores is a good choice
     * @throws EngineUnavailableException when the natives are not there for this platform
     */
    public static void start(int threads) {
        try {
            Loader.load(torch.class);
            granted = threads;
            useThreads(threads);
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
            throw new EngineUnavailableException(
                    "the native engine (libtorch) cannot be loaded on %s: %s; natives are resolved from Maven Central by platform, see the profiles in pom.xml"
                            .formatted(Loader.getPlatform(), e.getMessage()),
                    e);
        }
    }

    /** What results depend on beside the code: versions of Ascribe, the JDK and the engine. */
    public static Map<String, String> versions() {
        Map<String, String> versions = new TreeMap<>();
        String own = Engine.class.getPackage().getImplementationVersion();
        versions.put("ascribe", own == null ? "development" : own);
        versions.put("java", Runtime.version().toString());
        try {
            versions.put("libtorch", Loader.getVersion("org.bytedeco", "pytorch"));
        } catch (IOException e) {
            versions.put("libtorch", "unknown");
        }
        return versions;
    }

    /** Uses at most so many of the threads that it was started with. */
    public static void useThreads(int most) {
        int threads = Math.min(most, granted);
        torch.set_num_threads(threads);
        openblas_nolapack.blas_set_num_threads(threads); // it has threads of its own, which spin while they wait
    }

    /**
     * Runs jobs side by side, each on one thread of the engine: whole batches share a machine better than single operations do.
     * Small models, whose operations have one thread anyway, do one job after the other.
     *
     * @return their results, in the jobs' order
     */
    public static <T> List<T> sideBySide(List<Supplier<T>> jobs) {
        int threads = threads();
        if (threads == 1 || jobs.size() == 1) {
            return jobs.stream().map(Supplier::get).toList();
        }
        openblas_nolapack.blas_set_num_threads(1);
        try {
            List<Future<T>> running = new ArrayList<>();
            for (Supplier<T> job : jobs) {
                running.add(Workers.POOL.submit(job::get));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> one : running) {
                results.add(result(one));
            }
            return results;
        } finally {
            openblas_nolapack.blas_set_num_threads(threads);
        }
    }

    private static <T> T result(Future<T> job) {
        try {
            return job.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Threads whose operations have one thread each. */
    private static final class Workers {
        private static final ExecutorService POOL = Executors.newFixedThreadPool(granted, job -> {
            Thread worker = new Thread(() -> {
                torch.set_num_threads(1); // counts for the thread that calls it
                job.run();
            });
            worker.setDaemon(true);
            return worker;
        });
    }

    /** Threads of each operation. */
    public static int threads() {
        return torch.get_num_threads();
    }

    /** Measured speed of x·Wᵀ at a small model's sizes, GFLOP/s. */
    public static double gigaflops(ScalarType type) {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = torch.randn(ROWS, IN).to(type);
            Tensor w = torch.randn(OUT, IN).to(type);
            torch.linear(x, w).close();
            long started = System.nanoTime();
            int count = 0;
            while (System.nanoTime() - started < MEASURE_NANOS) {
                torch.linear(x, w).close();
                count++;
            }
            return 2.0 * ROWS * IN * OUT * count / (System.nanoTime() - started);
        }
    }

    /** Whether products in bfloat16 are clearly faster here than in float32, by measurement. */
    public static boolean prefersBfloat16() {
        return prefersBfloat16(gigaflops(ScalarType.Float), gigaflops(ScalarType.BFloat16));
    }

    /** The same, from what was measured. */
    public static boolean prefersBfloat16(double float32, double bfloat16) {
        return bfloat16 > CLEARLY_FASTER * float32;
    }
}
