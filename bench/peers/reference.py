"""The truth that Ascribe is compared with: transformers on float32 weights, one row at a time, no padding, no cache."""

import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")

import gguf
import numpy as np
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

import conventions

transformers.utils.logging.disable_progress_bar()


def directory(path):
    """The model of a Hugging Face directory, float32, evaluation mode."""
    options = dict(dtype=torch.float32, attn_implementation="eager", local_files_only=True)
    return transformers.AutoModelForCausalLM.from_pretrained(str(path), **options).eval()


# --- GGUF

HF_NAMES = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
}
TOP_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def hf_name(name):
    stem, kind = name.rsplit(".", 1)
    if stem.startswith("blk."):
        _, layer, rest = stem.split(".", 2)
        return f"model.layers.{layer}.{HF_NAMES[rest]}.{kind}"
    return f"{TOP_NAMES[stem]}.{kind}"


def unpermute(weight, heads):
    """Undoes llama.cpp's order of query and key rows: neighbours become halves."""
    return weight.reshape(heads, weight.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def gguf_model(path):
    """A llama or qwen2 GGUF file as a transformers model: every tensor dequantised by gguf-py to float32."""
    reader = gguf.GGUFReader(str(path))
    architecture = reader.get_field("general.architecture").contents()

    def get(key, default=None):
        found = reader.get_field(f"{architecture}.{key}")
        return default if found is None else found.contents()

    tensors = {t.name: t for t in reader.tensors}
    heads, kv_heads, hidden = get("attention.head_count"), get("attention.head_count_kv"), get("embedding_length")
    rope = {"rope_type": "default", "rope_theta": get("rope.freq_base", 10000.0)}
    if get("rope.scaling.type") == "linear":
        rope |= {"rope_type": "linear", "factor": get("rope.scaling.factor")}
    settings = dict(
        vocab_size=int(tensors["token_embd.weight"].shape[1]), hidden_size=hidden, intermediate_size=get("feed_forward_length"),
        num_hidden_layers=get("block_count"), num_attention_heads=heads, num_key_value_heads=kv_heads,
        max_position_embeddings=get("context_length"), rms_norm_eps=get("attention.layer_norm_rms_epsilon"),
        tie_word_embeddings="output.weight" not in tensors, rope_parameters=rope,
    )
    if architecture == "llama":
        config = transformers.LlamaConfig(**settings, head_dim=get("attention.key_length", hidden // heads))
        model = transformers.LlamaForCausalLM._from_config(config, attn_implementation="eager", dtype=torch.float32)
    else:
        config = transformers.Qwen2Config(**settings)
        model = transformers.Qwen2ForCausalLM._from_config(config, attn_implementation="eager", dtype=torch.float32)
    weights = {}
    for name, tensor in tensors.items():
        if name == "rope_freqs.weight":
            continue
        value = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        value = value.reshape(tuple(reversed([int(n) for n in tensor.shape])))
        if architecture == "llama" and "attn_q" in name:
            value = unpermute(value, heads)
        if architecture == "llama" and "attn_k" in name:
            value = unpermute(value, kv_heads)
        weights[hf_name(name)] = torch.from_numpy(np.ascontiguousarray(value))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    expected = ["lm_head.weight"] if settings["tie_word_embeddings"] else []
    assert missing == expected and not unexpected, (missing, unexpected)
    model.tie_weights()
    if "rope_freqs.weight" in tensors:
        factors = tensors["rope_freqs.weight"]
        divisor = torch.from_numpy(gguf.quants.dequantize(factors.data, factors.tensor_type).astype(np.float32))
        rotary = model.model.rotary_emb
        rotary.inv_freq = rotary.original_inv_freq = rotary.inv_freq / divisor
    return model.eval()


def gguf_text(path):
    """The tokenizer of a GGUF file, rebuilt from its metadata (byte-level BPE, `pre` gpt-2 or smollm)."""
    reader = gguf.GGUFReader(str(path))

    def get(key, default=None):
        found = reader.get_field(f"tokenizer.{key}")
        return default if found is None else found.contents()

    strings, types = get("ggml.tokens"), get("ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in get("ggml.merges")]
    bpe = Tokenizer(models.BPE(vocab={s: i for i, s in enumerate(strings)}, merges=merges))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    pre = get("ggml.pre")
    bpe.pre_tokenizer = {"gpt-2": byte_level, "smollm": pre_tokenizers.Sequence([digits, byte_level])}[pre]
    bpe.decoder = decoders.ByteLevel()
    control = [s for s, t in zip(strings, types) if t == gguf.TokenType.CONTROL]
    bpe.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in control])
    bos, eos = get("ggml.bos_token_id"), get("ggml.eos_token_id")
    if get("ggml.add_bos_token", False):
        first = strings[bos]
        bpe.post_processor = processors.TemplateProcessing(
            single=f"{first} $A", pair=f"{first} $A {first} $B", special_tokens=[(first, bos)]
        )
    specials = {"eos_token": strings[eos]} | ({} if bos is None else {"bos_token": strings[bos]})
    return conventions.Text(bpe, eos, frozenset([eos]), get("chat_template"), specials)


def load(path):
    """(model, text) of a directory or a GGUF file."""
    path = Path(path)
    if path.is_dir():
        return directory(path), conventions.text_of_directory(path)
    return gguf_model(path), gguf_text(path)


# --- what is compared

def log_probabilities(model, ids):
    """ln p of each token given those before it; nan for the first. Softmax in float64."""
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double()
    chosen = torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    return [float("nan"), *chosen.tolist()]


def row_loss(logprobs, targets):
    """Mean nats per target; None without one."""
    chosen = [-p for p, t in zip(logprobs, targets) if t]
    return sum(chosen) / len(chosen) if chosen else None


def loss(model, tokens):
    """The same as a tensor with a gradient; None without a target."""
    where = [t for t, target in enumerate(tokens.targets) if target]
    if not where:
        return None
    ids = torch.tensor([tokens.ids])
    logits = model(ids).logits[0, [t - 1 for t in where]]
    return torch.nn.functional.cross_entropy(logits, ids[0, where])


def generate(model, text, prompt_ids, limit):
    """Greedy decoding without a cache: (new ids, stop, smallest lead of a step over its runner-up)."""
    ids, new, lead = list(prompt_ids), [], float("inf")
    while len(new) < limit:
        with torch.no_grad():
            best = model(torch.tensor([ids])).logits[0, -1].topk(2)
        lead = min(lead, float(best.values[0] - best.values[1]))
        token = int(best.indices[0])
        if token in text.stops:
            return new, "eos", lead
        new.append(token)
        ids.append(token)
    return new, "length", lead


def lora_gradients(model, tokens):
    """Gradient of one row's mean loss with respect to every LoRA matrix: name → flat float64 array."""
    named = [(n, p) for n, p in model.named_parameters() if "lora_" in n]
    value = loss(model, tokens)
    if value is None:
        return {n: np.zeros(p.numel()) for n, p in named}
    for _, p in named:
        p.requires_grad_(True)
    gradients = torch.autograd.grad(value, [p for _, p in named])
    return {n: g.double().numpy().ravel() for (n, _), g in zip(named, gradients)}


def blocks(gradients):
    """Gradients of many rows, (n, d_l) for each LoRA matrix l."""
    return {name: np.stack([g[name] for g in gradients]) for name in gradients[0]}


def dot(queries, corpus):
    """g(q)·g(i), (queries, n)."""
    return sum(queries[name] @ corpus[name].T for name in corpus)


def norms(rows_):
    return np.sqrt(sum((g**2).sum(1) for g in rows_.values()))


def cosine(queries, corpus):
    """Cosine over the concatenation of all blocks; 0 where a norm is 0."""
    product = np.outer(norms(queries), norms(corpus))
    return np.divide(dot(queries, corpus), product, out=np.zeros_like(product), where=product > 0)


def datainf(queries, corpus):
    """(1/n) Σ_l g_l(q)ᵀ H_l⁻¹ g_l(i), term by term as it is defined: no Gram matrices."""
    total = 0
    for name, g in corpus.items():
        n, d = g.shape
        squares = (g**2).sum(1)
        damping = 0.1 * squares.mean() / d
        if damping == 0:
            continue
        inverse = np.zeros((len(queries[name]), d))
        for k, v in enumerate(queries[name]):
            for j in range(n):
                inverse[k] += v - (v @ g[j]) / (damping + squares[j]) * g[j]
        total = total + inverse @ g.T / (n * damping)
    return total / len(next(iter(corpus.values())))
