package dev.ascribe.torch.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ascribe.CorruptDataException;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.Engine;
import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.weights.SafetensorsWriter;
import dev.ascribe.torch.weights.TensorInfo;
import dev.ascribe.torch.weights.WeightFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LanguageModelTest {
    private static final Sequence SEQUENCE = TinyModels.sequences(61, 20).getFirst();

    @TempDir
    private Path directory;

    @BeforeEach
    void start() {
        Engine.start(1);
    }

    @ParameterizedTest
    @EnumSource
    void float32AndFloat64Agree(TinyModels kind) {
        kind.write(directory, 17);
        double[] exact = score(Precision.F64);
        assertThat(score(Precision.F32)).containsExactly(exact, within(2e-4));
        assertThat(score(Precision.BF16)).containsExactly(exact, within(0.5)).isNotEqualTo(exact);
    }

    @Test
    void gpt2IsReadWithAndWithoutItsPrefix() throws IOException {
        TinyModels.GPT2.write(directory, 17);
        double[] prefixed = score(Precision.F32);
        rewrite(name -> name.substring("transformer.".length()), "", values -> values);
        assertThat(score(Precision.F32)).isEqualTo(prefixed);
    }

    @Test
    void aWeightThatIsNotANumberIsRefusedWithItsPlace() throws IOException {
        TinyModels.LLAMA.write(directory, 17);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            rewrite(name -> name, "model.layers.1.mlp.up_proj.weight", values -> {
                values[37] = bad;
                return values;
            });
            assertThatThrownBy(() -> LanguageModel.open(directory, Precision.F32))
                    .isInstanceOf(CorruptDataException.class)
                    .hasMessageContainingAll(
                            directory.resolve("model.safetensors").toString(),
                            "'model.layers.1.mlp.up_proj.weight'",
                            "37");
        }
    }

    @Test
    void aTruncatedFileIsRefused() throws IOException {
        TinyModels.LLAMA.write(directory, 17);
        Path file = directory.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        for (int length : new int[] {0, 5, 100, bytes.length / 2, bytes.length - 1}) {
            Files.write(file, Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> LanguageModel.open(directory, Precision.F32))
                    .isInstanceOf(CorruptDataException.class)
                    .hasMessageContaining(file.toString());
        }
    }

    @Test
    void aMissingTensorIsNamed() throws IOException {
        TinyModels.QWEN3.write(directory, 17);
        rewrite(name -> name.equals("model.layers.1.self_attn.q_norm.weight") ? "other" : name, "", values -> values);
        assertThatThrownBy(() -> LanguageModel.open(directory, Precision.F32))
                .isInstanceOf(CorruptDataException.class)
                .hasMessage(
                        "%s has no tensor 'model.layers.1.self_attn.q_norm.weight' among its 25; is the file complete, and of this model?"
                                .formatted(directory.resolve("model.safetensors")));
    }

    @Test
    void aTensorOfTheWrongShapeIsNamed() throws IOException {
        TinyModels.LLAMA.write(directory, 17);
        Path config = directory.resolve("config.json");
        Files.writeString(
                config, Files.readString(config).replace("\"intermediate_size\":24", "\"intermediate_size\":25"));
        assertThatThrownBy(() -> LanguageModel.open(directory, Precision.F32))
                .isInstanceOf(CorruptDataException.class)
                .hasMessage(
                        "%s: tensor 'model.layers.0.mlp.gate_proj.weight' has shape [24, 16], but the configuration says [25, 16]"
                                .formatted(directory.resolve("model.safetensors")));
    }

    @Test
    void whatIsNoModelIsRefused() throws IOException {
        Path none = directory.resolve("none");
        assertThatThrownBy(() -> LanguageModel.open(none, Precision.F32))
                .isInstanceOf(UserInputException.class)
                .hasMessage("model '%s' does not exist; give a Hugging Face directory or a .gguf file".formatted(none));
        assertThatThrownBy(() -> LanguageModel.open(directory, Precision.F32))
                .isInstanceOf(UserInputException.class)
                .hasMessage("%s has no config.json: it is not a Hugging Face model directory".formatted(directory));
        TinyModels.LLAMA.write(directory, 17);
        Path weights = directory.resolve("model.safetensors");
        assertThatThrownBy(() -> LanguageModel.open(weights, Precision.F32))
                .isInstanceOf(UserInputException.class)
                .hasMessage(
                        "model '%s' is neither a directory nor a GGUF file; give the directory that holds config.json"
                                .formatted(weights));
        Files.writeString(directory.resolve("config.json"), "{\"model_type\": ");
        assertThatThrownBy(() -> LanguageModel.open(directory, Precision.F32))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageStartingWith(directory.resolve("config.json") + " is not JSON: ");
    }

    @Test
    void theDigestIsThatOfWeightsConfigurationAndTokenizer() throws IOException {
        TinyModels.LLAMA.write(directory, 17);
        String digest = digest();
        assertThat(digest).matches("sha256:[0-9a-f]{64}");
        Files.writeString(directory.resolve("README.md"), "words");
        assertThat(digest()).isEqualTo(digest);
        Path config = directory.resolve("config.json");
        Files.writeString(config, Files.readString(config) + "\n");
        String other = digest();
        assertThat(other).isNotEqualTo(digest);
        TinyModels.LLAMA.write(directory, 18);
        assertThat(digest()).isNotEqualTo(digest).isNotEqualTo(other);
        TinyModels.LLAMA.write(directory, 17);
        assertThat(digest()).isEqualTo(digest);
    }

    @Test
    void generationEndsAtAnyOfTheEndingsThatTheFilesName() throws IOException {
        TinyModels.LLAMA.write(directory, 17);
        int eos;
        try (LanguageModel model = LanguageModel.open(directory, Precision.F32)) {
            eos = model.tokenizer().eos().orElseThrow();
            assertThat(model.endings()).containsExactly(eos);
        }
        Path config = directory.resolve("config.json");
        Files.writeString(
                config, "{\"eos_token_id\": 40," + Files.readString(config).substring(1));
        Files.writeString(directory.resolve("generation_config.json"), "{\"eos_token_id\": [41, 42]}");
        try (LanguageModel model = LanguageModel.open(directory, Precision.F32)) {
            assertThat(model.endings()).containsExactlyInAnyOrder(eos, 40, 41, 42);
        }
    }

    private double[] score(Precision precision) {
        try (LanguageModel model = LanguageModel.open(directory, precision)) {
            double[] all = new Scorer(model.decoder()).logProbabilities(SEQUENCE);
            return Arrays.copyOfRange(all, 1, all.length);
        }
    }

    private String digest() {
        try (LanguageModel model = LanguageModel.open(directory, Precision.F32)) {
            return model.digest();
        }
    }

    /** Writes the weights again, with other names, and other values of one. */
    private void rewrite(UnaryOperator<String> names, String changed, UnaryOperator<float[]> values)
            throws IOException {
        Path file = directory.resolve("model.safetensors");
        SafetensorsWriter writer = SafetensorsWriter.create();
        try (WeightFile stored = WeightFile.open(directory)) {
            List<TensorInfo> all = new ArrayList<>(stored.tensors().values());
            for (TensorInfo info : all) {
                int size = Math.toIntExact(info.shape().stream().reduce(1L, (a, b) -> a * b));
                float[] read = new float[size];
                MemorySegment.ofArray(read).copyFrom(stored.bytes(info.name()));
                writer.add(
                        names.apply(info.name()),
                        info.shape(),
                        info.name().equals(changed) ? values.apply(read) : read);
            }
        }
        writer.write(file);
    }
}
