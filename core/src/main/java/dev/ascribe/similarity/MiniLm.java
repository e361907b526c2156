package dev.ascribe.similarity;

import ai.djl.engine.EngineException;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.ascribe.EngineUnavailableException;
import dev.ascribe.UserCache;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.onnx.AbstractInProcessEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.OnnxBertBiEncoder;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;
import java.io.IOException;
import java.io.InputStream;

/** The sentence encoder all-MiniLM-L6-v2, quantised to 8 bits, from its jar. Safe for use by many threads. */
final class MiniLm implements AutoCloseable {
    /** Numbers in an embedding. */
    static final int WIDTH = 384;

    private final OrtSession session;
    private final Encoder encoder;

    private MiniLm(OrtSession session, Encoder encoder) {
        this.session = session;
        this.encoder = encoder;
    }

    static MiniLm load() {
        UserCache.holdNativeLibraries();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                InputStream model = resource("/all-minilm-l6-v2-q.onnx");
                InputStream tokenizer = resource("/all-minilm-l6-v2-q-tokenizer.json")) {
            // One thread a text, many texts at a time: twice as fast as the reverse, and the same bits whatever the
            // machine.
            options.setIntraOpNumThreads(1);
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            environment.setTelemetry(false);
            OrtSession session = environment.createSession(model.readAllBytes(), options);
            OnnxBertBiEncoder encoder = new OnnxBertBiEncoder(environment, session, tokenizer, PoolingMode.MEAN);
            return new MiniLm(session, new Encoder(encoder));
        } catch (IOException | OrtException | LinkageError | EngineException e) {
            throw new EngineUnavailableException(
                    "the sentence encoder could not be loaded: %s. Its native parts are unpacked into %s and %s, which must be writable and allow execution"
                            .formatted(e.getMessage(), UserCache.directory(), System.getProperty("java.io.tmpdir")),
                    e);
        }
    }

    /**
     * The embedding of a text: mean of its tokens' vectors, of unit length; zero for a text without any token. A text beyond 510
     * tokens is embedded in parts and averaged.
     *
     * @return shape (384)
     */
    float[] embed(String text) {
        try {
            return encoder.embed(TextSegment.from(text)).content().vector();
        } catch (IllegalArgumentException nothingToEmbed) {
            return new float[WIDTH];
        }
    }

    private static InputStream resource(String name) throws IOException {
        InputStream stream = AllMiniLmL6V2QuantizedEmbeddingModel.class.getResourceAsStream(name);
        if (stream == null) {
            throw new IOException(name + " is missing from the class path");
        }
        return stream;
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("the encoder could not be released", e);
        }
    }

    /** Runs in the caller's thread. */
    private static final class Encoder extends AbstractInProcessEmbeddingModel {
        private final OnnxBertBiEncoder model;

        Encoder(OnnxBertBiEncoder model) {
            super(Runnable::run);
            this.model = model;
        }

        @Override
        protected OnnxBertBiEncoder model() {
            return model;
        }
    }
}
