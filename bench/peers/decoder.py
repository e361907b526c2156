"""A second truth: the forward pass in float64, written from the models' papers on plain tensors.

transformers keeps norms, rotary angles and softmax in float32 even after `.double()`; this does not, so finite
differences on it are good to eight digits.
"""

import math

import torch


def float64(model):
    return {name: value.detach().double() for name, value in model.state_dict().items()}


def plain_names(weights):
    """Names as without peft: base weights by module name, LoRA factors as (module, A, B)."""
    plain, factors = {}, {}
    for name, value in weights.items():
        name = name.removeprefix("base_model.model.").replace(".base_layer.", ".")
        if ".lora_A." in name or ".lora_B." in name:
            module, which = name.split(".lora_")[0], name.split(".lora_")[1][0]
            factors.setdefault(module, {})[which] = value
        else:
            plain[name] = value
    return plain, factors


class Decoder:
    """Logits of one sequence. `scalings`: module name → alpha / r or alpha / √r."""

    def __init__(self, config, weights, scalings=None):
        self.config = config
        self.weights, self.factors = plain_names(weights)
        self.scalings = scalings or {}

    def linear(self, x, name, transposed=False):
        weight = self.weights[name + ".weight"]
        y = x @ (weight if transposed else weight.T)
        if name + ".bias" in self.weights:
            y = y + self.weights[name + ".bias"]
        if name in self.factors:
            y = y + self.scalings[name] * (x @ self.factors[name]["A"].T) @ self.factors[name]["B"].T
        return y

    def logits(self, ids):
        return self.gpt2(ids) if self.config.model_type == "gpt2" else self.llama(ids)

    def attend(self, q, k, v, window):
        """q (H, T, D), k and v (K, T, D) → (T, H·D)."""
        heads, length, size = q.shape
        k, v = (x.repeat_interleave(heads // x.shape[0], 0) for x in (k, v))
        scores = q @ k.transpose(1, 2) / math.sqrt(size)
        t = torch.arange(length)
        distance = t[:, None] - t[None, :]
        hidden = (distance < 0) | (distance >= window)
        weights = torch.softmax(scores.masked_fill(hidden, -math.inf), -1)
        return (weights @ v).transpose(0, 1).reshape(length, heads * size)

    def gpt2(self, ids):
        c, w = self.config, self.weights
        x = w["transformer.wte.weight"][ids] + w["transformer.wpe.weight"][: len(ids)]

        def norm(x, name):
            centred = x - x.mean(-1, keepdim=True)
            spread = (centred**2).mean(-1, keepdim=True)
            return centred / torch.sqrt(spread + c.layer_norm_epsilon) * w[name + ".weight"] + w[name + ".bias"]

        for i in range(c.n_layer):
            block = f"transformer.h.{i}."
            qkv = self.linear(norm(x, block + "ln_1"), block + "attn.c_attn", transposed=True)
            q, k, v = (part.reshape(len(ids), c.n_head, -1).transpose(0, 1) for part in qkv.chunk(3, -1))
            x = x + self.linear(self.attend(q, k, v, math.inf), block + "attn.c_proj", transposed=True)
            h = self.linear(norm(x, block + "ln_2"), block + "mlp.c_fc", transposed=True)
            h = h / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
            x = x + self.linear(h, block + "mlp.c_proj", transposed=True)
        return norm(x, "transformer.ln_f") @ w["transformer.wte.weight"].T

    def angles(self, length, size):
        """Rotary angles (T, D/2)."""
        p = self.config.rope_parameters
        inverse = p["rope_theta"] ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        if p["rope_type"] == "linear":
            inverse = inverse / p["factor"]
        elif p["rope_type"] == "llama3":
            turns = p["original_max_position_embeddings"] * inverse / (2 * math.pi)
            low, high = p["low_freq_factor"], p["high_freq_factor"]
            keep = ((turns - low) / (high - low)).clamp(0, 1)
            inverse = keep * inverse + (1 - keep) * inverse / p["factor"]
        return torch.arange(length, dtype=torch.float64)[:, None] * inverse

    def window(self, layer):
        types = getattr(self.config, "layer_types", None)
        sliding = types[layer] == "sliding_attention" if types else True
        width = getattr(self.config, "sliding_window", None)
        return width if sliding and width else math.inf

    def llama(self, ids):
        c, w = self.config, self.weights
        heads, kv_heads = c.num_attention_heads, c.num_key_value_heads
        size = getattr(c, "head_dim", None) or c.hidden_size // heads
        x = w["model.embed_tokens.weight"][ids]
        angles = self.angles(len(ids), size)
        cos, sin = torch.cos(angles), torch.sin(angles)

        def norm(x, name):
            return x / torch.sqrt((x**2).mean(-1, keepdim=True) + c.rms_norm_eps) * w[name + ".weight"]

        def rotate(x):
            first, second = x.chunk(2, -1)
            return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)

        for i in range(c.num_hidden_layers):
            block = f"model.layers.{i}."
            h = norm(x, block + "input_layernorm")
            q = self.linear(h, block + "self_attn.q_proj").reshape(len(ids), heads, size)
            k = self.linear(h, block + "self_attn.k_proj").reshape(len(ids), kv_heads, size)
            v = self.linear(h, block + "self_attn.v_proj").reshape(len(ids), kv_heads, size)
            if block + "self_attn.q_norm.weight" in w:
                q, k = norm(q, block + "self_attn.q_norm"), norm(k, block + "self_attn.k_norm")
            q, k, v = (part.transpose(0, 1) for part in (q, k, v))
            x = x + self.linear(self.attend(rotate(q), rotate(k), v, self.window(i)), block + "self_attn.o_proj")
            h = norm(x, block + "post_attention_layernorm")
            gate = self.linear(h, block + "mlp.gate_proj")
            x = x + self.linear(gate * torch.sigmoid(gate) * self.linear(h, block + "mlp.up_proj"), block + "mlp.down_proj")
        x = norm(x, "model.norm")
        return self.linear(x, "lm_head") if "lm_head.weight" in w else x @ w["model.embed_tokens.weight"].T


def loss(decoder, tokens):
    where = [t for t, target in enumerate(tokens.targets) if target]
    logp = torch.log_softmax(decoder.logits(tokens.ids), -1)
    return -torch.stack([logp[t - 1, tokens.ids[t]] for t in where]).mean()
