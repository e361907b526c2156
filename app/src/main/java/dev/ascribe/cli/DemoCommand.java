package dev.ascribe.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** The main job, end to end. */
@Command(name = "demo", mixinStandardHelpOptions = true, description = "The main job, end to end, on an embedded corpus and a small model trained on the spot.")
final class DemoCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        return 0;
    }
}
