package dev.ascribe.ledger.export;

import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Event;
import dev.ascribe.ledger.LedgerReader;
import dev.ascribe.ledger.LedgerReader.Logged;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * The entries that an export is about, under the published checkpoint.
 *
 * @param run only entries of this run; empty: the whole log
 */
public record Excerpt(LedgerReader log, Optional<UUID> run) {
    /**
     * The whole log, or what is about one run.
     *
     * @throws VerificationException when no entry is of this run
     */
    public static Excerpt of(LedgerReader log, Optional<UUID> run) {
        Excerpt excerpt = new Excerpt(log, run);
        if (run.isPresent()) {
            AtomicBoolean found = new AtomicBoolean();
            excerpt.forEach(logged -> found.set(true));
            if (!found.get()) {
                throw new VerificationException("none of the first %d entries of %s is of the run %s"
                        .formatted(
                                excerpt.checkpoint().size(),
                                excerpt.checkpoint().origin(),
                                run.get()));
            }
        }
        return excerpt;
    }

    Checkpoint checkpoint() {
        return log.checkpoint();
    }

    /** Passes the entries, in order. */
    void forEach(Consumer<Logged> to) {
        log.forEach(logged -> {
            if (run.isEmpty() || logged.event().run().equals(run.get())) {
                to.accept(logged);
            }
        });
    }

    /** What the entries amount to. */
    Contents contents() {
        Contents.Counter counter = new Contents.Counter();
        forEach(counter::add);
        return counter.contents();
    }

    /** What it is about, in words. */
    String title() {
        return checkpoint().origin() + run.map(id -> ", run " + id).orElse("");
    }

    static boolean hasRun(Event event) {
        return !event.run().equals(Event.NO_RUN);
    }
}
