package dev.ascribe.ledger.witness;

import dev.ascribe.UserInputException;
import dev.ascribe.VerificationException;
import dev.ascribe.ledger.AddCheckpoint;
import dev.ascribe.ledger.Checkpoint;
import dev.ascribe.ledger.Hash;
import dev.ascribe.ledger.SignedNote;
import dev.ascribe.ledger.VerifierKey;
import dev.ascribe.ledger.Witness;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.LongFunction;

/** A witness that is asked over HTTP (C2SP tlog-witness). Which size it knows is asked of it, not remembered. */
public final class HttpWitness implements Witness {
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final String SIZE_TYPE = "text/x.tlog.size";

    /** The size may change once more between two requests, if somebody else submits the same log. */
    private static final int ATTEMPTS = 3;

    private static final int SHOWN = 200;

    private final URI address;
    private final List<VerifierKey> keys;

    private HttpWitness(URI address, List<VerifierKey> keys) {
        this.address = address;
        this.keys = keys;
    }

    /**
     * A witness at an address.
     *
     * @param prefix where {@code /add-checkpoint} is found below
     * @param keys the witness's; those that make no cosignatures are left out, each other one must cosign
     */
    public static HttpWitness at(String prefix, List<VerifierKey> keys) {
        List<VerifierKey> cosigning =
                keys.stream().filter(key -> key.type().isCosignature()).toList();
        if (cosigning.isEmpty()) {
            throw new UserInputException(
                    "the key of the witness %s makes no cosignatures; they are of type 04 or 06".formatted(prefix));
        }
        try {
            URI address = new URI(prefix.replaceFirst("/+$", "") + "/add-checkpoint");
            if (address.getHost() == null || !List.of("http", "https").contains(address.getScheme())) {
                throw new UserInputException(
                        "'%s' is no witness; expected an address such as https://witness.example.com"
                                .formatted(prefix));
            }
            return new HttpWitness(address, cosigning);
        } catch (java.net.URISyntaxException e) {
            throw new UserInputException("'%s' is no address: %s".formatted(prefix, e.getMessage()), e);
        }
    }

    @Override
    public List<SignedNote.Signature> cosign(SignedNote checkpoint, LongFunction<List<Hash>> proofFrom) {
        long size = Checkpoint.parse(checkpoint.text()).size();
        long old = 0;
        try (HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT)
                .build()) {
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                AddCheckpoint request = new AddCheckpoint(old, proofFrom.apply(old), checkpoint);
                HttpResponse<byte[]> answer = send(client, request);
                String body = new String(answer.body(), StandardCharsets.UTF_8);
                if (answer.statusCode() == 200) {
                    return checkpoint.cosignatures(body, keys);
                }
                boolean otherSize = answer.statusCode() == 409
                        && answer.headers()
                                .firstValue("Content-Type")
                                .orElse("")
                                .equals(SIZE_TYPE);
                if (!otherSize) {
                    throw new VerificationException("it answered %d: %s".formatted(answer.statusCode(), shown(body)));
                }
                old = AddCheckpoint.witnessedSize(body);
                if (old > size) {
                    throw new VerificationException(
                            "it has cosigned a checkpoint of %d entries, this one has %d: the ledger was rolled back"
                                    .formatted(old, size));
                }
            }
            throw new VerificationException("it changed its size %d times".formatted(ATTEMPTS));
        } catch (VerificationException e) {
            throw new VerificationException(
                    "the witness %s did not cosign: %s; the published checkpoint is as it was"
                            .formatted(address, e.getMessage()),
                    e);
        }
    }

    private HttpResponse<byte[]> send(HttpClient client, AddCheckpoint request) {
        try {
            return client.send(
                    HttpRequest.newBuilder(address)
                            .timeout(ANSWER)
                            .POST(HttpRequest.BodyPublishers.ofByteArray(request.bytes()))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException e) {
            throw new VerificationException("it cannot be reached: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VerificationException("interrupted", e);
        }
    }

    private static String shown(String body) {
        String line = body.strip().replaceAll("\\p{Cntrl}+", " ");
        return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "...";
    }
}
