package dev.ascribe.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * How much of the memory bandwidth a scan reaches, on stores of at least 2 GB of width 4,096 and of a million rows. Run by
 * {@code bench/scan}. A pass of the plain read, over the same mapped bytes, and one of the scan take turns; the share is the
 * median of the ratios of neighbours, so that other load on the machine weighs on both.
 */
final class ScanBenchmark {
    private static final int WIDTH = 4096;
    private static final int MILLION = 1_000_000;
    private static final int TOP = 100;
    private static final int WARM_UPS = 4;
    private static final int PASSES = 15;
    private static final int POOL = 512;

    private ScanBenchmark() {}

    /** @param args bytes of each store (default 2.2e9), or none */
    public static void main(String[] args) throws IOException {
        double bytes = args.length > 0 ? Double.parseDouble(args[0]) : 2.2e9;
        System.out.printf("memory bandwidth (doctor): %.1f GB/s%n", MemoryBandwidth.gigabytesPerSecond());
        System.out.printf(
                "%-6s %9s %7s %5s  %9s %9s %6s %12s%n",
                "dtype", "rows", "width", "GB", "read GB/s", "scan GB/s", "share", "rows/s");
        for (Dtype dtype : Dtype.values()) {
            measure(dtype, (int) (bytes / WIDTH / dtype.bytes()), WIDTH);
        }
        measure(Dtype.INT8, args.length > 0 ? (int) (bytes / 1024) : MILLION, 1024);
        measure(Dtype.INT8, args.length > 0 ? (int) (bytes / WIDTH) : MILLION, WIDTH);
    }

    private static void measure(Dtype dtype, int rows, int width) throws IOException {
        Path directory = Files.createTempDirectory("scan-benchmark");
        try {
            write(directory, dtype, rows, width);
            float[][] query = Stores.features(1, width, 2);
            try (FeatureStore store = FeatureStore.open(directory)) {
                double gigabytes = rows * (double) store.spec().stride() / 1e9;
                List<Double> reads = new ArrayList<>();
                List<Double> scans = new ArrayList<>();
                List<Double> shares = new ArrayList<>();
                for (int pass = -WARM_UPS; pass < PASSES; pass++) {
                    double read = read(store, gigabytes);
                    long start = System.nanoTime();
                    List<Hit> hits = Scan.topK(store, query, TOP).getFirst();
                    double scan = gigabytes / ((System.nanoTime() - start) / 1e9);
                    if (hits.size() != Math.min(TOP, rows)) {
                        throw new AssertionError(hits.size() + " hits");
                    }
                    if (pass >= 0) {
                        reads.add(read);
                        scans.add(scan);
                        shares.add(scan / read);
                    }
                }
                System.out.printf(
                        Locale.ROOT,
                        "%-6s %,9d %,7d %5.1f  %9.1f %9.1f %5.0f%% %,12.0f%n",
                        dtype,
                        rows,
                        width,
                        gigabytes,
                        median(reads),
                        median(scans),
                        100 * median(shares),
                        median(scans) / gigabytes * rows);
            }
        } finally {
            Stores.delete(directory);
        }
    }

    /** Reads all segments as {@link MemoryBandwidth} does. */
    private static double read(FeatureStore store, double gigabytes) {
        double seconds = 0;
        for (var segment : store.segments()) {
            seconds += segment.byteSize() / 1e9 / MemoryBandwidth.gigabytesPerSecond(segment);
        }
        return gigabytes / seconds;
    }

    private static void write(Path directory, Dtype dtype, int rows, int width) {
        float[][] pool = Stores.features(POOL, width, 1);
        try (FeatureStoreWriter writer = FeatureStoreWriter.open(directory, Stores.spec(dtype, width), rows)) {
            for (int row = 0; row < rows; row++) {
                writer.append(Stores.id(row), pool[row * 31 % POOL & POOL - 1]);
            }
            writer.finish();
        }
    }

    private static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return sorted.get(sorted.size() / 2);
    }
}
