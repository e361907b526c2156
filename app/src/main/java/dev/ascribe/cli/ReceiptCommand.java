package dev.ascribe.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.Dsse;
import dev.ascribe.ledger.VerifierKey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Receipts of attributions: {@code trace --receipt} makes them. */
@Command(
        name = "receipt",
        mixinStandardHelpOptions = true,
        description = "Receipts of attributions, which trace --receipt makes.",
        subcommands = ReceiptCommand.Verify.class,
        footer = {"", "Example: ascribe receipt verify receipt.json --run run --key @vkeys"})
final class ReceiptCommand {
    private ReceiptCommand() {}

    /** Recomputes a receipt. */
    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            description =
                    "Check a receipt's signature and recompute it on the same run; exit code 1 when something differs.",
            footer = {"", "Example: ascribe receipt verify receipt.json --run run --key @vkeys"})
    static final class Verify implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Parameters(paramLabel = "FILE", description = "The receipt.")
        @SuppressWarnings("NullAway.Init")
        private Path file;

        @Option(names = "--run", required = true, paramLabel = "RUN", description = "The run that was traced.")
        @SuppressWarnings("NullAway.Init")
        private Path run;

        @Option(names = "--index", paramLabel = "INDEX", description = "The index, if the trace had one.")
        private @Nullable Path index;

        @Option(
                names = "--key",
                paramLabel = "VKEY",
                description =
                        "A key that must have signed, as text or @FILE. Without one the receipt is only shown to be whole.")
        private List<String> keys = List.of();

        @Option(names = "--json", description = "Print one JSON document instead of text.")
        private boolean json;

        private final Console console = new Console();

        @Override
        public Integer call() {
            List<VerifierKey> required = keys.isEmpty() ? List.of() : LedgerCommand.verifierKeys("--key", keys);
            Envelope envelope = Envelope.read(file);
            if (!envelope.payloadType().equals(Dsse.IN_TOTO)) {
                throw new UserInputException("%s holds '%s', no in-toto statement ('%s')"
                        .formatted(file, envelope.payloadType(), Dsse.IN_TOTO));
            }
            Session session = Session.withEngine(spec);
            List<ReceiptCheck.Part> parts = new ArrayList<>();
            ReceiptCheck check = null;
            try {
                List<String> signers = envelope.verify(required).stream()
                        .map(VerifierKey::name)
                        .distinct()
                        .toList();
                parts.add(new ReceiptCheck.Part(
                        "signature",
                        true,
                        "signed by %s%s"
                                .formatted(
                                        String.join(", ", signers),
                                        required.isEmpty() ? ", which is only its word: no --key was given" : "")));
                check = new ReceiptCheck(Receipt.of(envelope.payload(), file.toString()), run, index, console);
                parts.addAll(check.run());
            } catch (VerificationException e) {
                parts.add(new ReceiptCheck.Part("signature", false, e.getMessage()));
            }
            boolean holds = parts.stream().allMatch(ReceiptCheck.Part::same);
            if (json) {
                session.print("receipt", json(holds, parts, check));
            } else {
                print(holds, parts, check);
            }
            return holds ? 0 : 1;
        }

        private static ObjectNode json(boolean holds, List<ReceiptCheck.Part> parts, @Nullable ReceiptCheck check) {
            ObjectNode fields = LedgerCommand.JSON.createObjectNode().put("verdict", holds ? "holds" : "differs");
            ArrayNode array = fields.putArray("parts");
            parts.forEach(part -> array.addObject()
                    .put("part", part.name())
                    .put("same", part.same())
                    .put("detail", part.detail()));
            return fields.put("engine", check == null ? null : check.sameEngine() ? "same" : "other")
                    .put("largestDifference", check == null ? null : check.largestDifference())
                    .put("allowed", check == null ? null : check.allowed());
        }

        private static void print(boolean holds, List<ReceiptCheck.Part> parts, @Nullable ReceiptCheck check) {
            System.out.println(
                    holds
                            ? "holds: the scores are what this receipt states"
                            : "differs: this is not what the receipt states");
            for (ReceiptCheck.Part part : parts) {
                System.out.printf("  %-9s %-16s %s%n", part.same() ? "same" : "DIFFERENT", part.name(), part.detail());
            }
            if (check != null) {
                System.out.println(
                        check.sameEngine()
                                ? "computed by the same engine as the receipt: every bit must be the same"
                                : "computed by another engine than the receipt: a score may be off by %.2g of its query's largest"
                                        .formatted(check.allowed()));
            }
        }
    }
}
