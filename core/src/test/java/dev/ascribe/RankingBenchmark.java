package dev.ascribe;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How long it takes to order the scores of a million rows. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RankingBenchmark {
    private static final int ROWS = 1_000_000;

    private final double[] scores = new double[ROWS];

    @Setup
    public void randomScores() {
        SplittableRandom random = new SplittableRandom(0);
        for (int row = 0; row < ROWS; row++) {
            scores[row] = random.nextDouble(-1, 1);
        }
    }

    @Benchmark
    public int[] topHundred() {
        return Ranking.top(scores, 100);
    }
}
