"""PEFT adapters with random non-zero factors, of every kind that must be read."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import peft
import torch
from peft.tuners.lora import LoraLayer

# name → (model, options of LoraConfig)
ADAPTERS = {
    "gpt2-all-linear": ("gpt2", dict(r=4, lora_alpha=8, target_modules="all-linear")),
    "gpt2-conv1d": ("gpt2-bare", dict(r=2, lora_alpha=8, target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True)),
    "llama-qv": ("llama-mha", dict(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"], lora_dropout=0.5)),
    "llama-all-linear": ("llama-gqa-tied", dict(r=8, lora_alpha=16, target_modules="all-linear")),
    "llama-rslora": ("llama-untied", dict(r=6, lora_alpha=9, use_rslora=True, target_modules="all-linear")),
    "llama-regex": ("llama-llama3", dict(r=4, lora_alpha=4, target_modules=r".*layers\.[12]\.mlp\.(up|down)_proj")),
    "llama-patterns": (
        "llama-head-dim",
        dict(
            r=4, lora_alpha=8, target_modules=["q_proj", "k_proj", "down_proj"],
            # both match layer 0's q_proj: the first in the file counts, and peft sorts the file
            rank_pattern={r"layers\.0\.self_attn\.q_proj": 3, "q_proj": 2, r"layers\.1\.mlp\.down_proj": 6},
            alpha_pattern={r".*\.0\.self_attn\.k_proj": 12, "k_proj": 20},
        ),
    ),
    "llama-layers": (
        "llama-llama3", dict(r=4, lora_alpha=8, target_modules=["q_proj", "up_proj"], layers_to_transform=[0, 2], layers_pattern="layers")
    ),
    "llama-excluded": ("llama-bias", dict(r=4, lora_alpha=8, target_modules="all-linear", exclude_modules=["v_proj", "0.mlp.up_proj"])),
    "llama-head": ("llama-untied", dict(r=4, lora_alpha=8, target_modules=["lm_head", "o_proj"])),
    "mistral-attention": ("mistral", dict(r=3, lora_alpha=6, target_modules=["self_attn.q_proj", "o_proj"])),
    "qwen2-all-linear": ("qwen2", dict(r=4, lora_alpha=8, target_modules="all-linear")),
    "qwen3-all-linear": ("qwen3", dict(r=4, lora_alpha=8, target_modules="all-linear")),
    "gguf-all-linear": ("llama-q8_0.gguf", dict(r=4, lora_alpha=8, target_modules="all-linear")),
    "gguf-qwen2": ("qwen2-f32.gguf", dict(r=4, lora_alpha=8, target_modules=["k_proj", "gate_proj"])),
}


def attach(model, options, seed=0, spread=0.1):
    """A peft model whose A and B are random; B at zero would hide every error in A."""
    wrapped = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **options))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
    return wrapped.eval()


def load(model, path):
    """An adapter of any origin in peft, float32, trainable so that it has gradients."""
    return peft.PeftModel.from_pretrained(model, str(path), is_trainable=True).float().eval()


def scalings(wrapped):
    """Module name → its scaling."""
    return {
        name.removeprefix("base_model.model."): module.scaling["default"]
        for name, module in wrapped.named_modules()
        if isinstance(module, LoraLayer)
    }
