package dev.ascribe.torch.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.torch.model.DecoderConfig.Activation;
import dev.ascribe.torch.model.DecoderConfig.Rope;
import dev.ascribe.torch.model.DecoderConfig.Scaling;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Test;

class ConfigReaderTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void bothStylesOfRopeMeanTheSame() {
        DecoderConfig four = read(llama("llama", """
                {"rope_theta": 500000.0, "torch_dtype": "bfloat16",
                 "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                  "original_max_position_embeddings": 8192}}"""));
        DecoderConfig five = read(llama("llama", """
                {"dtype": "bfloat16",
                 "rope_parameters": {"rope_theta": 500000.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                     "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}"""));
        assertThat(five).isEqualTo(four);
        assertThat(four.rope()).isEqualTo(new Rope(500000, new Scaling.Llama3(8, 1, 4, 8192)));
        assertThat(read(llama("llama", "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2.5}}"))
                        .rope())
                .isEqualTo(new Rope(10_000, new Scaling.Linear(2.5)));
        assertThat(read(llama("llama", "{\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 7.0}}"))
                        .rope())
                .isEqualTo(new Rope(7, new Scaling.None()));
        assertThat(read(llama("llama", "{\"rope_scaling\": null, \"rope_parameters\": null}"))
                        .rope())
                .isEqualTo(new Rope(10_000, new Scaling.None()));
    }

    /** The three ranges of Llama 3's scaling, with factor 8 of a context of 32: wavelengths up to 8, beyond 32, between. */
    @Test
    void llama3KeepsHighFrequenciesAndStretchesLowOnes() {
        Scaling scaling = new Scaling.Llama3(8, 1, 4, 32);
        assertThat(scaling.scaled(0, 1)).isEqualTo(1);
        assertThat(scaling.scaled(3, 0.1)).isEqualTo(0.1 / 8);
        double between = 2 * Math.PI / 16; // wavelength 16: smooth = (32/16 − 1) / (4 − 1) = ⅓
        assertThat(scaling.scaled(2, between)).isCloseTo(between * (2 / 3.0 / 8 + 1 / 3.0), within(1e-15));
        assertThat(new Scaling.Linear(4).scaled(2, 0.5)).isEqualTo(0.125);
    }

    @Test
    void defaultsAreThoseOfTransformers() {
        DecoderConfig llama = read(llama("llama", "{}"));
        assertThat(llama.keyHeads()).isEqualTo(4);
        assertThat(llama.headWidth()).isEqualTo(8);
        assertThat(llama.epsilon()).isEqualTo(1e-6);
        assertThat(llama.activation()).isEqualTo(Activation.SILU);
        assertThat(llama.windows()).containsExactly(0, 0);
        assertThat(llama.tied()).isFalse();
        assertThat(llama.qkvBias()).isFalse();
        DecoderConfig gpt = read(gpt2("{}"));
        assertThat(gpt.hidden()).isEqualTo(128);
        assertThat(gpt.epsilon()).isEqualTo(1e-5);
        assertThat(gpt.activation()).isEqualTo(Activation.GELU_TANH);
        assertThat(gpt.tied()).isTrue();
        assertThat(gpt.rope()).isNull();
        assertThat(read(gpt2("{\"n_inner\": null}"))).isEqualTo(gpt);
        assertThat(read(gpt2("{\"n_inner\": 40}")).hidden()).isEqualTo(40);
    }

    @Test
    void unknownKeysAreNoErrors() {
        assertThat(read(llama("llama", "{\"pretraining_tp\": 1, \"_name\": {\"a\": []}, \"attention_dropout\": 0.1}")))
                .isEqualTo(read(llama("llama", "{}")));
    }

    @Test
    void theOutputIsTiedWhereItIsSaidOrNotStored() {
        assertThat(ConfigReader.read("c", llama("llama", "{}"), false).tied()).isTrue();
        assertThat(read(llama("llama", "{\"tie_word_embeddings\": true}")).tied())
                .isTrue();
        assertThat(read(gpt2("{\"tie_word_embeddings\": false}")).tied()).isFalse();
    }

    @Test
    void biasesAreThoseOfTheArchitecture() {
        assertThat(read(llama("qwen2", "{\"attention_bias\": false}")).qkvBias())
                .isTrue();
        assertThat(read(llama("qwen2", "{\"attention_bias\": true}")).outBias()).isFalse();
        assertThat(read(llama("llama", "{\"attention_bias\": true}")).outBias()).isTrue();
        assertThat(read(llama("llama", "{\"mlp_bias\": true}")).mlpBias()).isTrue();
        assertThat(read(llama("mistral", "{\"attention_bias\": true}")).qkvBias())
                .isFalse();
        assertThat(read(llama("qwen3", "{}")).headNorm()).isTrue();
        assertThat(read(llama("qwen2", "{}")).headNorm()).isFalse();
        assertThat(read(llama("qwen3", "{\"head_dim\": 20}")).headWidth()).isEqualTo(20);
    }

    @Test
    void windowsSlideWhereTheArchitectureLetsThem() {
        assertThat(read(llama("mistral", "{\"sliding_window\": 5}")).windows()).containsExactly(5, 5);
        assertThat(read(llama("mistral", "{\"sliding_window\": null}")).windows())
                .containsExactly(0, 0);
        assertThat(read(llama("mistral", "{}")).windows()).containsExactly(4096, 4096);
        assertThat(read(llama("llama", "{\"sliding_window\": 5}")).windows()).containsExactly(0, 0);
        assertThat(read(llama("qwen2", "{\"sliding_window\": 5}")).windows()).containsExactly(0, 0);
        assertThat(read(llama("qwen2", "{\"sliding_window\": 5, \"use_sliding_window\": true}"))
                        .windows())
                .containsExactly(0, 0); // all below max_window_layers, 28
        assertThat(read(llama(
                                "qwen2",
                                "{\"sliding_window\": 5, \"use_sliding_window\": true, \"max_window_layers\": 1}"))
                        .windows())
                .containsExactly(0, 5);
        assertThat(read(llama(
                                "qwen3",
                                "{\"sliding_window\": 5, \"use_sliding_window\": true, \"layer_types\": [\"sliding_attention\", \"full_attention\"]}"))
                        .windows())
                .containsExactly(5, 0);
    }

    @Test
    void whatIsNotSupportedIsRefusedByName() {
        unsupported(
                llama("gemma", "{}"),
                "config.json: model_type 'gemma' is not supported; supported are gpt2, llama, mistral, qwen2, qwen3");
        unsupported(
                JSON.createObjectNode(),
                "config.json: model_type '' is not supported; supported are gpt2, llama, mistral, qwen2, qwen3");
        unsupported(
                llama("llama", "{\"quantization_config\": {\"bits\": 4}}"),
                "config.json: 'quantization_config' is not supported: a quantised checkpoint; use the full-precision model or a GGUF");
        unsupported(
                llama("llama", "{\"partial_rotary_factor\": 0.5}"),
                "config.json: 'partial_rotary_factor' is not supported: only whole heads are rotated");
        for (String key : new String[] {"rope_scaling", "rope_parameters"}) {
            unsupported(
                    llama("llama", "{\"" + key + "\": {\"rope_type\": \"yarn\", \"factor\": 2.0}}"),
                    "config.json: 'rope_scaling' is not supported: type 'yarn'; supported are default, linear, llama3");
        }
        unsupported(
                llama("llama", "{\"hidden_act\": \"relu2\"}"),
                "config.json: 'hidden_act' is not supported: 'relu2'; supported are silu, gelu, gelu_new, gelu_pytorch_tanh, relu");
        unsupported(
                gpt2("{\"scale_attn_by_inverse_layer_idx\": true}"),
                "config.json: 'scale_attn_by_inverse_layer_idx' is not supported: true");
        unsupported(
                gpt2("{\"scale_attn_weights\": false}"), "config.json: 'scale_attn_weights' is not supported: false");
        unsupported(
                gpt2("{\"add_cross_attention\": true}"), "config.json: 'add_cross_attention' is not supported: true");
        unsupported(
                llama("llama", "{\"num_key_value_heads\": 3}"),
                "the configuration of this llama model is not usable: key heads = 3");
    }

    @Test
    void damageIsNamed() {
        corrupt(
                (ObjectNode) llama("llama", "{}").without("hidden_size"),
                "config.json: 'hidden_size' must be a positive whole number, but is null");
        corrupt(
                llama("llama", "{\"num_hidden_layers\": -2}"),
                "config.json: 'num_hidden_layers' must be a positive whole number, but is -2");
        corrupt(
                llama("llama", "{\"vocab_size\": \"many\"}"),
                "config.json: 'vocab_size' must be a positive whole number, but is \"many\"");
        corrupt(gpt2("{\"n_head\": 5}"), "config.json: width 32 cannot be split over 5 heads");
        corrupt(
                llama("llama", "{\"rope_scaling\": {\"type\": \"linear\"}}"),
                "config.json: rope scaling needs the number 'factor'");
    }

    private static void unsupported(ObjectNode json, String message) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(message);
    }

    private static void corrupt(ObjectNode json, String message) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(CorruptDataException.class)
                .hasMessage(message);
    }

    private static DecoderConfig read(ObjectNode json) {
        return ConfigReader.read("config.json", json, true);
    }

    private static ObjectNode llama(String type, String more) {
        ObjectNode json = JSON.createObjectNode().put("model_type", type);
        json.put("hidden_size", 32).put("num_attention_heads", 4).put("num_hidden_layers", 2);
        json.put("intermediate_size", 48).put("vocab_size", 100).put("max_position_embeddings", 64);
        return json.setAll(parse(more));
    }

    private static ObjectNode gpt2(String more) {
        ObjectNode json = JSON.createObjectNode().put("model_type", "gpt2");
        json.put("n_embd", 32)
                .put("n_head", 4)
                .put("n_layer", 2)
                .put("vocab_size", 100)
                .put("n_positions", 64);
        return json.setAll(parse(more));
    }

    private static ObjectNode parse(String text) {
        try {
            return (ObjectNode) JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
