package dev.ascribe.cli;

import dev.ascribe.ledger.Cosigner;
import dev.ascribe.ledger.witness.WitnessServer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A small witness, for tests. */
@Command(
        name = "witness",
        mixinStandardHelpOptions = true,
        description =
                "Serve as a witness (C2SP tlog-witness) for tests; prints its address, then serves until it is stopped.",
        footer = {
            "",
            "Example: ascribe ledger witness --listen 127.0.0.1:0 --key witness-keys --log @vkeys --state witness-state"
        })
final class LedgerWitness implements Callable<Integer> {
    @Option(
            names = "--listen",
            required = true,
            paramLabel = "HOST:PORT",
            description = "Where to listen; port 0 picks one.")
    @SuppressWarnings("NullAway.Init")
    private String listen;

    @Option(
            names = "--key",
            required = true,
            paramLabel = "FILE",
            description = "Keys that keygen made; it cosigns with the ML-DSA-44 key.")
    @SuppressWarnings("NullAway.Init")
    private Path key;

    @Option(
            names = "--log",
            required = true,
            paramLabel = "VKEY",
            description = "A verifier key of the log, or @FILE. May be repeated.")
    private List<String> logs = List.of();

    @Option(
            names = "--state",
            required = true,
            paramLabel = "FILE",
            description = "What it has cosigned; made if it does not exist.")
    @SuppressWarnings("NullAway.Init")
    private Path state;

    @Override
    public Integer call() throws InterruptedException {
        try (Cosigner cosigner =
                        Cosigner.open(LedgerCommand.signerKeys(key), LedgerCommand.verifierKeys("--log", logs), state);
                WitnessServer server = WitnessServer.start(listen, cosigner)) {
            System.out.println(server.address());
            System.out.flush();
            Thread.currentThread().join(); // until a signal ends the process
        }
        return 0;
    }
}
