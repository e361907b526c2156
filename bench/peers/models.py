"""Makes tiny random models, one for each variant of architecture and file that must be read alike.

`python models.py --out DIR` writes Hugging Face directories and GGUF files. Seeds are fixed. Weights are large enough
(norms and biases random too) for a forgotten bias, a wrong rotation or a missed window to show.
"""

import json
import shutil
import tempfile
from pathlib import Path

import reference  # before transformers: it sets it offline and quiet
import gguf
import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import checks
import rows

GPT4_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a small model<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# indented, so that it renders wrongly without trim_blocks and lstrip_blocks
HEADERS = """{{ bos_token }}
{%- if messages[0]['role'] == 'assistant' %}
    {{ raise_exception('the first message must not be the assistant\\'s') }}
{%- endif %}
{% for message in messages %}
    {% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}
{{ content }}
{%- endfor %}
{% if add_generation_prompt %}
{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
"""
BRACKETS = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'] + eos_token }}{% else %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% endif %}{% endfor %}"
)


# --- tokenizers

SPECIALS = {
    "gpt2": ["<|endoftext|>"],
    "smollm": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    "llama3": ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"],
    "qwen2": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
}
BOS_EOS = {
    "gpt2": ("<|endoftext|>", "<|endoftext|>"),
    "smollm": ("<|im_start|>", "<|im_end|>"),
    "llama3": ("<|begin_of_text|>", "<|eot_id|>"),
    "qwen2": (None, "<|im_end|>"),
}


def tokenizer(kind, size):
    """A byte-level BPE of exactly `size` tokens, trained on the rows of this directory."""
    bpe = Tokenizer(models.BPE())
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.post_processor = processors.ByteLevel(trim_offsets=True)
    if kind == "gpt2":
        bpe.pre_tokenizer = byte_level
    elif kind == "smollm":
        bpe.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
        # Such vocabularies exist: a byte without a token vanishes.
        alphabet = [c for c in alphabet if c not in (chr(256 + b) for b in (1, 4, 5, 6))]
    else:
        split = pre_tokenizers.Split(Regex(GPT4_PATTERN.replace("{1,3}", "" if kind == "qwen2" else "{1,3}")), "isolated")
        late = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        bpe.pre_tokenizer = pre_tokenizers.Sequence([split, late])
    if kind == "qwen2":
        bpe.normalizer = normalizers.NFC()
    bpe.decoder = decoders.ByteLevel()
    specials = [AddedToken(s, special=True, normalized=False) for s in SPECIALS[kind]]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, initial_alphabet=alphabet, show_progress=False)
    prose = [json.dumps(r, ensure_ascii=False).replace("\\u0004", "") for r in rows.facts(200)]
    prose += [s * 3 for s in rows.TRICKY if "\u0004" not in s]
    bpe.train_from_iterator(prose, trainer)
    if kind == "llama3":
        bos = "<|begin_of_text|>"
        bpe.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, bpe.token_to_id(bos))]
            ),
        ])
    assert bpe.get_vocab_size() == size, (kind, bpe.get_vocab_size())
    return bpe


def save_tokenizer(path, kind, size, template=None, jinja=None, old_merges=False):
    bpe = tokenizer(kind, size)
    document = json.loads(bpe.to_str())
    if old_merges:  # files from before 2024 write a merge as one string
        document["model"]["merges"] = [" ".join(pair) for pair in document["model"]["merges"]]
    (path / "tokenizer.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    bos, eos = BOS_EOS[kind]
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": bos,
        "eos_token": {"__type": "AddedToken", "content": eos, "special": True} if old_merges else eos,
        "model_max_length": 1024,
        "clean_up_tokenization_spaces": False,
        "an_unknown_key": {"is": "no error"},
    }
    if template:
        settings["chat_template"] = template
    if jinja:
        (path / "chat_template.jinja").write_bytes(jinja.encode())
    (path / "tokenizer_config.json").write_text(json.dumps(settings, ensure_ascii=False, indent=2), encoding="utf-8")
    return bpe


# --- weights

def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                parameter.copy_(noise * 0.2 + (0.0 if name.endswith("bias") else 1.0))
            else:
                scale = 0.3 if "embed" in name or "wte" in name else 0.1 if "wpe" in name else 0.15
                parameter.copy_(noise * scale)
    return model.eval()


def old_style(path):
    """Rewrites config.json as transformers 4 wrote it."""
    config = json.loads((path / "config.json").read_text())
    rope = config.pop("rope_parameters", None)
    if rope is not None:
        config["rope_theta"] = rope.pop("rope_theta")
        kind = rope.pop("rope_type")
        # "type" is the older of the two old names
        config["rope_scaling"] = None if kind == "default" else {"type" if kind == "linear" else "rope_type": kind, **rope}
    config["torch_dtype"] = config.pop("dtype")
    if config.get("head_dim") == config.get("hidden_size", 0) // config.get("num_attention_heads", 1):
        del config["head_dim"]
    config.pop("layer_types", None)
    config["transformers_version"] = "4.40.0"
    (path / "config.json").write_text(json.dumps(config, indent=2))


def edit(path, **changes):
    document = json.loads(path.read_text()) if path.exists() else {}
    document.update(changes)
    path.write_text(json.dumps(document, indent=2))


LLAMA = dict(
    vocab_size=352, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=1024, rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=0,
)
GPT2 = dict(vocab_size=320, n_embd=64, n_layer=3, n_head=4, n_positions=1024, bos_token_id=0, eos_token_id=0)


def rope(kind="default", theta=10000.0, **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **more}}


LLAMA3_ROPE = rope(
    "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=128
)
C = transformers
# name → (model class, config class, config, options of `directory`)
DIRECTORIES = {
    "gpt2": (C.GPT2LMHeadModel, C.GPT2Config, GPT2, dict(text="gpt2")),
    "gpt2-bare": (C.GPT2LMHeadModel, C.GPT2Config, GPT2, dict(text="gpt2", old=True, bare=True)),
    "llama-mha": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA | dict(num_key_value_heads=4), dict(text="gpt2", stop="config.json")),
    "llama-gqa-tied": (
        C.LlamaForCausalLM, C.LlamaConfig, LLAMA | dict(tie_word_embeddings=True) | rope(theta=100000.0),
        dict(text="smollm", template=CHATML, old=True, old_merges=True),
    ),
    "llama-untied": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA, dict(text="smollm", template=CHATML, stop="eos")),
    "llama-linear": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA | rope("linear", factor=4.0), dict(text="gpt2")),
    "llama-linear-old": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA | rope("linear", factor=4.0), dict(text="gpt2", old=True)),
    "llama-llama3": (
        C.LlamaForCausalLM, C.LlamaConfig, LLAMA | dict(num_hidden_layers=3, eos_token_id=[1, 2]) | LLAMA3_ROPE,
        dict(text="llama3", template="{{ 'the file chat_template.jinja wins' }}", jinja=HEADERS),
    ),
    "llama-llama3-old": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA | LLAMA3_ROPE, dict(text="llama3", old=True)),
    "llama-head-dim": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA | dict(head_dim=24), dict(text="gpt2")),
    "llama-f16": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA, dict(text="gpt2", dtype=torch.float16)),
    "llama-bf16": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA, dict(text="gpt2", dtype=torch.bfloat16, old=True)),
    "llama-sharded": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA, dict(text="gpt2", shard="150KB")),
    "mistral": (
        C.MistralForCausalLM, C.MistralConfig, LLAMA | dict(sliding_window=8), dict(text="llama3", template=BRACKETS),
    ),
    "mistral-no-window": (C.MistralForCausalLM, C.MistralConfig, LLAMA | dict(sliding_window=None), dict(text="gpt2", old=True)),
    # 384 rows of embedding for 352 tokens
    "qwen2": (
        C.Qwen2ForCausalLM, C.Qwen2Config, LLAMA | dict(vocab_size=384, eos_token_id=0) | rope(theta=1000000.0),
        dict(text="qwen2", template=CHATML),
    ),
    "qwen2-window-unused": (
        C.Qwen2ForCausalLM, C.Qwen2Config, LLAMA | dict(tie_word_embeddings=True),
        dict(text="qwen2", old=True, extra=dict(sliding_window=8, use_sliding_window=False, max_window_layers=0)),
    ),
    "qwen2-window": (
        C.Qwen2ForCausalLM, C.Qwen2Config,
        LLAMA | dict(num_hidden_layers=3, sliding_window=8, use_sliding_window=True, max_window_layers=1), dict(text="qwen2"),
    ),
    "qwen3": (
        C.Qwen3ForCausalLM, C.Qwen3Config, LLAMA | dict(head_dim=24, tie_word_embeddings=True),
        dict(text="qwen2", template=CHATML, stop="generation_config.json"),
    ),
    "llama-bias": (C.LlamaForCausalLM, C.LlamaConfig, LLAMA | dict(attention_bias=True, mlp_bias=True), dict(text="gpt2")),
    "qwen3-bias": (
        C.Qwen3ForCausalLM, C.Qwen3Config,
        LLAMA | dict(attention_bias=True, head_dim=16, use_sliding_window=True, sliding_window=8, max_window_layers=1), dict(text="qwen2"),
    ),
}


def directory(path, name, text, template=None, jinja=None, old=False, old_merges=False, dtype=None, shard=None, bare=False,
              extra=None, stop=None):
    """Writes one Hugging Face directory."""
    model_class, config_class, settings, _ = DIRECTORIES[name]
    seed = 1 + list(DIRECTORIES).index(name)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    size = 320 if settings["vocab_size"] == 320 else 352
    bpe = save_tokenizer(path, text, size, template, jinja, old_merges)
    torch.manual_seed(seed)
    model = randomize(model_class(config_class(**settings)), seed)
    if stop:
        target = greedy(model, bpe, rows.PROMPTS[0])
        if stop == "eos":
            # exchange two rows of the head: the model now says its eos where it said `target`
            eos = bpe.token_to_id(BOS_EOS[text][1])
            head = model.lm_head.weight.data
            head[[eos, target]] = head[[target, eos]]
    if dtype:
        model = model.to(dtype)
    model.save_pretrained(path, max_shard_size=shard or "1GB")
    if stop and stop != "eos":
        ids = [0, target] if stop == "config.json" else target
        edit(path / stop, eos_token_id=ids)
        if stop == "config.json":
            (path / "generation_config.json").unlink()
    if bare:  # as the original GPT-2 files: no prefix, and the causal masks are stored
        weights = load_file(path / "model.safetensors")
        weights = {k.removeprefix("transformer."): v for k, v in weights.items()}
        for layer in range(settings["n_layer"]):
            mask = torch.ones(settings["n_positions"], settings["n_positions"]).tril()
            weights[f"h.{layer}.attn.bias"] = mask[None, None].clone()
        save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    if extra:
        edit(path / "config.json", **extra)
    if old:
        old_style(path)


def greedy(model, bpe, prompt, step=5):
    """The first new token from the given step on that did not occur before."""
    ids = bpe.encode(prompt).ids
    seen = set(ids)
    for i in range(40):
        with torch.no_grad():
            token = int(model(torch.tensor([ids])).logits[0, -1].argmax())
        if i >= step and token not in seen:
            return token
        ids.append(token)
        seen.add(token)
    raise ValueError("the model only repeats itself; choose another seed")


# --- GGUF

GGUF_NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}
Q = gguf.GGMLQuantizationType
# name → (directory it is made from, type of the matrices, tokenizer pre)
GGUFS = {
    "llama-f32.gguf": ("llama-gqa-tied", Q.F32, "smollm"),
    "llama-f16.gguf": ("llama-untied", Q.F16, "smollm"),
    "llama-bf16.gguf": ("llama-mha", Q.BF16, "gpt-2"),
    "llama-q8_0.gguf": ("llama-gqa-tied", Q.Q8_0, "smollm"),
    "llama-q4_0.gguf": ("llama-untied", Q.Q4_0, "smollm"),
    "llama-q4_1.gguf": ("llama-mha", Q.Q4_1, "gpt-2"),
    "llama-q5_0.gguf": ("llama-gqa-tied", Q.Q5_0, "smollm"),
    "llama-q5_1.gguf": ("llama-untied", Q.Q5_1, "smollm"),
    "llama-linear.gguf": ("llama-linear", Q.F32, "gpt-2"),
    "llama-head-dim.gguf": ("llama-head-dim", Q.F32, "gpt-2"),
    "llama-rope-freqs.gguf": ("llama-rope-freqs", Q.F32, "gpt-2"),
    "qwen2-f32.gguf": ("qwen2-window-unused", Q.F32, "gpt-2"),
    "qwen2-q8_0.gguf": ("qwen2-window-unused", Q.Q8_0, "gpt-2"),
}


def permute(weight, heads):
    """Rows of a query or key matrix as llama.cpp stores them: rotated pairs become neighbours."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def gguf_name(name):
    stem, kind = name.rsplit(".", 1)
    if stem.startswith("model.layers."):
        _, _, layer, rest = stem.split(".", 3)
        return f"blk.{layer}.{GGUF_NAMES[rest]}.{kind}"
    return f"{GGUF_NAMES[stem]}.{kind}"


def gguf_header(path, architecture, config, bpe_kind, vocab, pre, template=None, add_bos=None):
    writer = gguf.GGUFWriter(path, architecture)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_name(Path(path).stem)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(vocab)
    if head_dim != config.hidden_size // config.num_attention_heads:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if architecture == "llama":
        writer.add_rope_dimension_count(head_dim)
    if config.rope_parameters["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(config.rope_parameters["factor"])
    bpe = tokenizer(bpe_kind, vocab)
    document = json.loads(bpe.to_str())
    strings = [bpe.id_to_token(i) for i in range(vocab)]
    bos, eos = BOS_EOS[bpe_kind]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(strings)
    writer.add_token_types([gguf.TokenType.CONTROL if s in SPECIALS[bpe_kind] else gguf.TokenType.NORMAL for s in strings])
    writer.add_token_merges([" ".join(pair) for pair in document["model"]["merges"]])
    writer.add_bos_token_id(bpe.token_to_id(bos))
    writer.add_eos_token_id(bpe.token_to_id(eos))
    if add_bos is not None:
        writer.add_add_bos_token(add_bos)
    if template:
        writer.add_chat_template(template)
    return writer


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def convert(source, path, quantization, pre):
    """A directory's weights as a GGUF file. The tokenizer is made anew, of the kind that `pre` names."""
    factors = source.name == "llama-rope-freqs"
    if factors:  # the same rope as llama-llama3, written the way llama.cpp writes it
        source = source.parent / "llama-llama3-old"
    model = reference.directory(source)
    config = model.config
    architecture = config.model_type
    kind = {"gpt-2": "gpt2", "smollm": "smollm"}[pre]
    template = CHATML if kind == "smollm" and quantization != Q.F16 else None
    # gpt-2 files: one says no BOS, one says BOS, the others say nothing
    add_bos = {"llama-bf16.gguf": True, "llama-q4_1.gguf": False}.get(path.name)
    writer = gguf_header(path, architecture, config, kind, config.vocab_size, pre, template, add_bos)
    writer.add_file_type(0)
    weights = {k: v.numpy() for k, v in model.state_dict().items()}
    if config.tie_word_embeddings:
        weights.pop("lm_head.weight", None)
    for name, weight in weights.items():
        if architecture == "llama" and "q_proj" in name:
            weight = permute(weight, config.num_attention_heads)
        if architecture == "llama" and "k_proj" in name:
            weight = permute(weight, config.num_key_value_heads)
        kind_here = quantization if weight.ndim == 2 else Q.F32
        writer.add_tensor(gguf_name(name), gguf.quants.quantize(np.ascontiguousarray(weight), kind_here), raw_dtype=kind_here)
    if factors:
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    finish(writer)


def llama3_factors(config):
    """What each inverse frequency is divided by under llama3 scaling."""
    p = config.rope_parameters
    head_dim = config.head_dim
    wavelength = 2 * np.pi * p["rope_theta"] ** (np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    low = p["original_max_position_embeddings"] / p["low_freq_factor"]
    high = p["original_max_position_embeddings"] / p["high_freq_factor"]
    smooth = (p["original_max_position_embeddings"] / wavelength - p["low_freq_factor"]) / (
        p["high_freq_factor"] - p["low_freq_factor"]
    )
    between = 1 / ((1 - smooth) / p["factor"] + smooth)
    factors = np.where(wavelength < high, 1.0, np.where(wavelength > low, p["factor"], between))
    return factors.astype(np.float32)


def k_blocks(generator, kind, count):
    """Random blocks of a K type whose values have a mean near zero and a spread of about .05."""
    def half(value):
        return np.tile(np.array([value], np.float16).view(np.uint8), (count, 1))

    def noise(width):
        return generator.integers(0, 256, (count, width), dtype=np.uint8)

    if kind == Q.Q4_K:
        return np.concatenate([half(2e-4), half(2e-4 * 7.5), noise(12), noise(128)], axis=1)
    if kind == Q.Q5_K:
        return np.concatenate([half(1e-4), half(1e-4 * 15.5), noise(12), noise(32), noise(128)], axis=1)
    return np.concatenate([noise(128), noise(64), noise(16), half(2.5e-5)], axis=1)  # Q6_K


def k_types(path, seed=99):
    """A model whose matrices are Q4_K, Q5_K and Q6_K. gguf-py cannot quantise to these, so the blocks are random."""
    config = transformers.LlamaConfig(**LLAMA | dict(hidden_size=256, intermediate_size=512, vocab_size=352) | rope())
    writer = gguf_header(path, "llama", config, "gpt2", config.vocab_size, "gpt-2")
    generator = np.random.default_rng(seed)
    kinds = {"attn": Q.Q4_K, "ffn_down": Q.Q6_K, "ffn": Q.Q5_K}
    for name, weight in transformers.LlamaForCausalLM(config).state_dict().items():
        short = gguf_name(name)
        if weight.dim() == 1:
            writer.add_tensor(short, (1 + 0.2 * generator.standard_normal(weight.shape)).astype(np.float32))
            continue
        kind = next((k for part, k in kinds.items() if part in short), Q.Q6_K)
        blocks = k_blocks(generator, kind, weight.numel() // 256)
        writer.add_tensor(short, blocks.reshape(weight.shape[0], -1), raw_dtype=kind)
    finish(writer)


def write_all(out):
    """Writes every model; returns name → path."""
    out = Path(out)
    made = {}
    for name, (_, _, _, options) in DIRECTORIES.items():
        directory(out / name, name, **options)
        made[name] = out / name
    for name, (source, quantization, pre) in GGUFS.items():
        convert(out / source, out / name, quantization, pre)
        made[name] = out / name
    k_types(out / "llama-k.gguf")
    made["llama-k.gguf"] = out / "llama-k.gguf"
    return made


def existing(out):
    """Models under a directory, made if it is empty."""
    out = Path(out)
    if not out.is_dir() or not any(out.iterdir()):
        return write_all(out)
    names = [*DIRECTORIES, *GGUFS, "llama-k.gguf"]
    missing = [n for n in names if not (out / n).exists()]
    return write_all(out) if missing else {n: out / n for n in names}


if __name__ == "__main__":
    target = checks.arguments(__doc__).parse_args().out or Path(tempfile.mkdtemp(prefix="peers-"))
    made = write_all(target)
    print(f"{len(made)} models in {target}")
