package dev.ascribe.torch.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import dev.ascribe.torch.Tensors;
import dev.ascribe.torch.TinyModels;
import dev.ascribe.torch.model.LanguageModel;
import dev.ascribe.torch.model.Linear;
import dev.ascribe.torch.model.Precision;
import dev.ascribe.torch.model.Scorer;
import dev.ascribe.torch.model.Sequence;
import dev.ascribe.torch.weights.WeightFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdapterTest {
    private static final LoraConfig.Targets ALL = new LoraConfig.Targets.AllLinear();

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource
    void whatIsSavedIsLoaded(TinyModels kind) {
        try (LanguageModel model = model(kind);
                Adapter adapter = moved(model, LoraConfig.of(3, 7, ALL))) {
            adapter.save(saved());
            try (Adapter loaded = Adapter.load(saved(), model.decoder())) {
                assertThat(Tensors.floats(loaded.parameters())).isEqualTo(Tensors.floats(adapter.parameters()));
                assertThat(loaded.digest()).isEqualTo(adapter.digest()).matches("sha256:[0-9a-f]{64}");
                assertThat(loaded.sites())
                        .extracting(site -> site.linear().name(), Adapter.Site::rank, Adapter.Site::scale)
                        .isEqualTo(adapter.sites().stream()
                                .map(site -> tuple(site.linear().name(), site.rank(), site.scale()))
                                .toList());
                loaded.parameters().add_(Tensors.scalar(1e-3));
                assertThat(loaded.digest()).isNotEqualTo(adapter.digest());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void mergingChangesTheLossAndUnmergingTakesItBack(TinyModels kind) {
        try (LanguageModel model = model(kind);
                Adapter fresh = Adapter.fresh(model.decoder(), LoraConfig.of(3, 7, ALL), 1);
                Adapter adapter = moved(model, LoraConfig.of(3, 7, ALL))) {
            double[] bare = score(model);
            fresh.merge();
            assertThat(fresh.atStart()).isTrue();
            assertThat(score(model)).containsExactly(bare, within(1e-5));
            fresh.unmerge();
            adapter.merge();
            assertThat(adapter.atStart()).isFalse();
            assertThat(score(model)[3]).isNotCloseTo(bare[3], within(1e-3));
            adapter.unmerge();
            assertThat(score(model)).isEqualTo(bare);
        }
    }

    /** Without the first, NaN. */
    private static double[] score(LanguageModel model) {
        double[] all = new Scorer(model.decoder()).logProbabilities(new Sequence(new int[] {5, 9, 40, 22, 17}, 1));
        return Arrays.copyOfRange(all, 1, all.length);
    }

    @Test
    void aFreshAdapterIsThatOfItsSeed() {
        try (LanguageModel model = model(TinyModels.LLAMA);
                Adapter one = Adapter.fresh(model.decoder(), LoraConfig.of(3, 7, ALL), 1);
                Adapter same = Adapter.fresh(model.decoder(), LoraConfig.of(3, 7, ALL), 1);
                Adapter other = Adapter.fresh(model.decoder(), LoraConfig.of(3, 7, ALL), 2)) {
            assertThat(same.digest()).isEqualTo(one.digest()).isNotEqualTo(other.digest());
            // A seed means the same on every machine and in every release: indexes at the start depend on it.
            assertThat(one.digest())
                    .isEqualTo("sha256:f5c9a6e185200940002490ecf0ce798f859320036a421fe051a2d80d9507a403");
            for (Adapter.Site site : one.sites()) {
                double bound = 1 / Math.sqrt(site.linear().in());
                for (float value : Tensors.floats(site.a())) {
                    assertThat(value).isBetween((float) -bound, (float) bound);
                }
            }
        }
    }

    @Test
    void anAdapterOfAnotherModelIsRefusedByName() throws IOException {
        try (LanguageModel model = model(TinyModels.LLAMA);
                LanguageModel gpt = TinyModels.GPT2.open(directory.resolve("gpt"), Precision.F32);
                LanguageModel grouped = TinyModels.QWEN2.open(directory.resolve("qwen"), Precision.F32);
                Adapter adapter = moved(model, LoraConfig.of(3, 7, ALL))) {
            adapter.save(saved());
            assertThatThrownBy(() -> Adapter.load(saved(), gpt.decoder()))
                    .isInstanceOf(UserInputException.class)
                    .hasMessageMatching(
                            "\\Q" + saved()
                                    + "\\E is not an adapter of this model: it has base_model\\.model\\.model\\.layers\\.0\\.\\S+\\.lora_A\\.weight,"
                                    + " but the model has, for example, \\[transformer\\.h\\.0\\.attn\\.c_attn, transformer\\.h\\.0\\.attn\\.c_proj, .*]");
            assertThatThrownBy(() -> Adapter.load(saved(), grouped.decoder()))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage(
                            saved()
                                    + " is not an adapter of this model: 'base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight' has shape [16, 3], but [8, 3] is needed");
            Files.delete(saved().resolve("adapter_config.json"));
            assertThatThrownBy(() -> Adapter.load(saved(), model.decoder()))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage(saved() + " has no adapter_config.json: it is not a PEFT adapter directory");
        }
    }

    @Test
    void targetsAreNamesAPatternOrAllLinearLayers() {
        try (LanguageModel model = model(TinyModels.LLAMA)) {
            assertThat(adapted(model, "\"all-linear\"")).hasSize(14).doesNotContain("lm_head");
            assertThat(adapted(model, "[\"q_proj\", \"model.layers.1.mlp.up_proj\"]"))
                    .containsExactly(
                            "model.layers.0.self_attn.q_proj",
                            "model.layers.1.self_attn.q_proj",
                            "model.layers.1.mlp.up_proj");
            assertThat(adapted(model, "[\"lm_head\", \"proj\"]")).containsExactly("lm_head");
            assertThat(adapted(model, "\".*\\\\.1\\\\..*_proj\"")).hasSize(7);
            assertThat(adapted(model, "\"model.layers.0.mlp.up_pro\"")).isEmpty();
        }
    }

    private List<String> adapted(LanguageModel model, String targets) {
        LoraConfig config = config("{\"r\": 2, \"target_modules\": " + targets + "}");
        return model.decoder().sites().stream()
                .filter(config.targets()::match)
                .map(Linear::name)
                .toList();
    }

    @Test
    void patternsOverrideRankAndAlphaAndTheFirstThatMatchesWins() {
        try (LanguageModel model = model(TinyModels.LLAMA)) {
            LoraConfig config = config("""
                    {"r": 4, "lora_alpha": 6, "target_modules": ["q_proj", "v_proj", "up_proj"],
                     "rank_pattern": {"layers.1.self_attn.q_proj": 2, "q_proj": 5, "up_pro.": 3, "model": 9},
                     "alpha_pattern": {"v_proj": 12, "self_attn.*": 1}, "unknown": {"key": 1}, "inference_mode": false}
                    """);
            Map<String, String> found = new LinkedHashMap<>();
            model.decoder().sites().stream()
                    .filter(config.targets()::match)
                    .forEach(site -> found.put(site.name(), config.rank(site) + " " + config.scale(site)));
            assertThat(found)
                    .isEqualTo(Map.of(
                            "model.layers.0.self_attn.q_proj", "5 0.2",
                            "model.layers.1.self_attn.q_proj", "2 0.5",
                            "model.layers.0.self_attn.v_proj", "4 3.0",
                            "model.layers.1.self_attn.v_proj", "4 3.0",
                            "model.layers.0.mlp.up_proj", "3 2.0",
                            "model.layers.1.mlp.up_proj", "3 2.0"));
        }
    }

    @Test
    void theFirstPatternWinsInTheOrderOfTheFile() {
        try (LanguageModel model = model(TinyModels.LLAMA)) {
            Linear query = model.decoder().sites().getFirst();
            StringBuilder patterns = new StringBuilder("\"q_proj\": 100");
            for (int i = 1; i < 30; i++) {
                patterns.append(", \"%s\": %d".formatted("(" + "q_proj|".repeat(i) + "x)", i));
            }
            assertThat(config("{\"rank_pattern\": {" + patterns + "}}").rank(query))
                    .isEqualTo(100);
            assertThat(config("{\"r\": 1, \"alpha_pattern\": {" + patterns + "}}")
                            .scale(query))
                    .isEqualTo(100);
        }
    }

    @Test
    void rankStabilisedScalingDividesByTheRoot() {
        try (LanguageModel model = model(TinyModels.LLAMA)) {
            Linear site = model.decoder().sites().getFirst();
            assertThat(config("{\"r\": 4, \"lora_alpha\": 6}").scale(site)).isEqualTo(1.5);
            assertThat(config("{\"r\": 4, \"lora_alpha\": 6, \"use_rslora\": true}")
                            .scale(site))
                    .isEqualTo(3);
            assertThat(config("{}")).isEqualTo(LoraConfig.of(8, 8, ALL));
        }
    }

    @Test
    void patternsAndRankStabilisedScalingSurviveSaving() {
        try (LanguageModel model = model(TinyModels.QWEN3);
                Adapter adapter = moved(
                        model,
                        new LoraConfig(4, 6, true, ALL, Map.of("up_proj", 2), Map.of("self_attn.q_proj", 10.0)))) {
            adapter.save(saved());
            try (Adapter loaded = Adapter.load(saved(), model.decoder())) {
                assertThat(loaded.digest()).isEqualTo(adapter.digest());
                for (int i = 0; i < loaded.sites().size(); i++) {
                    assertThat(loaded.sites().get(i).scale())
                            .isEqualTo(adapter.sites().get(i).scale());
                    assertThat(loaded.sites().get(i).rank())
                            .isEqualTo(adapter.sites().get(i).rank());
                }
            }
        }
    }

    @Test
    void whatPeftReadsIsWritten() throws IOException {
        try (LanguageModel gpt = TinyModels.GPT2.open(directory.resolve("model"), Precision.F32);
                Adapter adapter = moved(gpt, LoraConfig.of(3, 7, ALL))) {
            adapter.save(saved());
            JsonNode json = new ObjectMapper()
                    .readTree(saved().resolve("adapter_config.json").toFile());
            assertThat(json.path("peft_type").asText()).isEqualTo("LORA");
            assertThat(json.path("task_type").asText()).isEqualTo("CAUSAL_LM");
            assertThat(json.path("r").asInt()).isEqualTo(3);
            assertThat(json.path("fan_in_fan_out").asBoolean()).isTrue();
            assertThat(json.path("target_modules")).hasSize(8);
            try (WeightFile file = WeightFile.open(saved().resolve("adapter_model.safetensors"))) {
                assertThat(file.tensor("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight")
                                .shape())
                        .containsExactly(3L, 16L);
                assertThat(file.tensor("base_model.model.transformer.h.0.attn.c_attn.lora_B.weight")
                                .shape())
                        .containsExactly(48L, 3L);
            }
        }
    }

    @Test
    void whatCannotBeHonouredIsRefusedByName() {
        refused("{\"peft_type\": \"LOHA\"}", ": peft_type 'LOHA' is not supported; only LORA is");
        refused("{\"use_dora\": true}", ": use_dora is not supported");
        refused("{\"lora_bias\": true}", ": lora_bias is not supported");
        refused("{\"bias\": \"all\"}", ": bias 'all' is not supported; only none is");
        refused("{\"modules_to_save\": [\"lm_head\"]}", ": modules_to_save is not supported");
        assertThatThrownBy(() -> config("{\"r\": "))
                .isInstanceOf(CorruptDataException.class)
                .hasMessageStartingWith(saved().resolve("adapter_config.json") + " is not JSON: ");
        assertThatThrownBy(() -> config("{\"r\": 0}"))
                .isInstanceOf(UserInputException.class)
                .hasMessage("LoRA rank 0 must be within 1 and 4096");
        assertThatThrownBy(() -> config("{\"lora_alpha\": -1}"))
                .isInstanceOf(UserInputException.class)
                .hasMessage("LoRA alpha -1.0 must be positive and finite");
    }

    private void refused(String json, String message) {
        assertThatThrownBy(() -> config(json))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(saved().resolve("adapter_config.json") + message);
    }

    @Test
    void targetsThatMatchNothingAreRefusedWithAnExample() {
        try (LanguageModel model = model(TinyModels.LLAMA)) {
            LoraConfig config = LoraConfig.of(2, 2, LoraConfig.Targets.parse("c_attn,c_proj"));
            assertThatThrownBy(() -> Adapter.fresh(model.decoder(), config, 0))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage(
                            "no linear layer of the model matches the targets c_attn,c_proj; there are, for example, "
                                    + "[model.layers.0.self_attn.q_proj, model.layers.0.self_attn.k_proj, model.layers.0.self_attn.v_proj, model.layers.0.self_attn.o_proj]");
            assertThatThrownBy(() -> LoraConfig.Targets.parse("(q"))
                    .isInstanceOf(UserInputException.class)
                    .hasMessage("'(q' is no regular expression: Unclosed group");
        }
    }

    private Path saved() {
        return directory.resolve("adapter");
    }

    private LoraConfig config(String json) {
        try {
            Files.createDirectories(saved());
            Files.writeString(saved().resolve("adapter_config.json"), json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Adapter.readConfig(saved());
    }

    private LanguageModel model(TinyModels kind) {
        return kind.open(directory.resolve("model"), Precision.F32);
    }

    private static Adapter moved(LanguageModel model, LoraConfig config) {
        Adapter adapter = Adapter.fresh(model.decoder(), config, 5);
        Random random = new Random(6);
        try (PointerScope scope = new PointerScope()) {
            for (Adapter.Site site : adapter.sites()) {
                double[] values = random.doubles(
                                (long) site.rank() * site.linear().out(), -0.3, 0.3)
                        .toArray();
                site.b().copy_(Tensors.of(values, site.linear().out(), site.rank()));
            }
        }
        return adapter;
    }
}
