package dev.ascribe.ledger.witness;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ascribe.LedgerUnavailableException;
import dev.ascribe.UserInputException;
import dev.ascribe.ledger.Cosigner;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A {@link Cosigner} behind HTTP, for tests and small networks. It serves until it is closed. */
public final class WitnessServer implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^:\\[\\]/\\s]+):(\\d{1,5})");
    private static final int LAST_PORT = 65_535;

    /** More than 63 hashes and 100 signatures of ML-DSA-44 need. */
    private static final int LONGEST_REQUEST = 1 << 19;

    private final HttpServer server;
    private final ExecutorService threads;
    private final String host;

    private WitnessServer(HttpServer server, ExecutorService threads, String host) {
        this.server = server;
        this.threads = threads;
        this.host = host;
    }

    /**
     * Starts serving.
     *
     * @param listen host and port, such as 127.0.0.1:8080; port 0 picks one
     */
    public static WitnessServer start(String listen, Cosigner witness) {
        Matcher parts = ADDRESS.matcher(listen);
        if (!parts.matches() || Integer.parseInt(parts.group(2)) > LAST_PORT) {
            throw new UserInputException("'%s' is no address to listen at; expected HOST:PORT".formatted(listen));
        }
        String host = parts.group(1);
        try {
            HttpServer server = HttpServer.create(
                    new InetSocketAddress(host.replaceAll("[\\[\\]]", ""), Integer.parseInt(parts.group(2))), 0);
            ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
            server.setExecutor(threads);
            server.createContext("/", exchange -> answer(exchange, witness));
            server.start();
            return new WitnessServer(server, threads, host);
        } catch (IOException | RuntimeException e) {
            throw new LedgerUnavailableException("cannot listen at %s: %s".formatted(listen, e.getMessage()), e);
        }
    }

    private static void answer(HttpExchange exchange, Cosigner witness) throws IOException {
        try (exchange) {
            Cosigner.Answer answer = judge(exchange, witness);
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", answer.type());
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static Cosigner.Answer judge(HttpExchange exchange, Cosigner witness) throws IOException {
        if (!exchange.getRequestURI().getPath().equals("/add-checkpoint")) {
            return Cosigner.Answer.refused(404, "there is only /add-checkpoint");
        }
        if (!exchange.getRequestMethod().equals("POST")) {
            exchange.getResponseHeaders().set("Allow", "POST");
            return Cosigner.Answer.refused(405, "a checkpoint is posted");
        }
        byte[] body = exchange.getRequestBody().readNBytes(LONGEST_REQUEST + 1);
        if (body.length > LONGEST_REQUEST) {
            return Cosigner.Answer.refused(400, "the request is longer than %d bytes".formatted(LONGEST_REQUEST));
        }
        try {
            return witness.add(body, System.currentTimeMillis() / 1000);
        } catch (IOException e) {
            return Cosigner.Answer.refused(500, "the witness's state cannot be kept");
        }
    }

    /** Where it is found. */
    public String address() {
        return "http://%s:%d".formatted(host, server.getAddress().getPort());
    }

    @Override
    public void close() {
        server.stop(0);
        threads.close();
    }
}
