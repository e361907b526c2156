"""What is not supported is refused by its name, with exit code 2: never read as if it were something else."""

import json
import shutil
import tempfile
from pathlib import Path

import reference  # before transformers: it sets it offline and quiet

import checks
import lora
import models
import rows

YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 256}
# (model, changes of config.json, what the message must name)
MODELS = [
    ("llama-untied", {"model_type": "gemma"}, "gemma"),
    ("llama-untied", {"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantization_config"),
    ("llama-untied", {"rope_parameters": YARN}, "yarn"),
    ("llama-linear-old", {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "dynamic"),
    ("llama-untied", {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}}, "partial_rotary_factor"),
    ("llama-untied", {"hidden_act": "quick_gelu"}, "quick_gelu"),
    ("gpt2", {"activation_function": "quick_gelu"}, "quick_gelu"),
    ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx"),
    ("gpt2", {"add_cross_attention": True}, "add_cross_attention"),
    ("llama-untied", {"num_hidden_layers": 3}, "model.layers.2"),
    ("llama-untied", {"intermediate_size": 95}, "gate_proj"),
]
# (changes of adapter_config.json, what the message must name)
ADAPTERS = [
    ({"peft_type": "IA3"}, "IA3"),
    ({"use_dora": True}, "use_dora"),
    ({"lora_bias": True}, "lora_bias"),
    ({"bias": "lora_only"}, "lora_only"),
    ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
    ({"init_lora_weights": "pissa_niter_4"}, "pissa_niter_4"),
    ({"alora_invocation_tokens": [5, 6]}, "alora_invocation_tokens"),
    ({"layer_replication": [[0, 2], [1, 2]]}, "layer_replication"),
    ({"target_parameters": ["mlp.weight"]}, "target_parameters"),
    ({"trainable_token_indices": [3]}, "trainable_token_indices"),
    ({"target_modules": "("}, "'('"),
    ({"r": 5}, "lora_A"),
    ({"r": 0}, "rank"),
    ({"target_modules": ["v_proj"]}, "q_proj"),
]


def main():
    options = checks.arguments(__doc__).parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="peers-"))
    paths = models.existing(out)
    work = Path(tempfile.mkdtemp(prefix="refusals-", dir=out))
    launcher = checks.Launcher(options.ascribe)
    tally = checks.Checks("what", "change", "message", only=options.only)
    data = rows.write(work / "data.jsonl", rows.facts(4))

    def refused(name, change, part, *arguments):
        def job():
            done = launcher.run("score", "--data", data, *arguments, codes=range(256))
            message = done.stderr.decode(errors="replace").strip()
            tally.row(done.returncode == 2 and part in message and not done.stdout, name, change, message)

        if tally.wanted(name):
            tally.guarded(name, change, job=job)

    def changed(source, name, file, change):
        target = work / f"{name}-{len(list(work.iterdir()))}"
        shutil.copytree(source, target)
        models.edit(target / file, **change)
        return target

    for base, change, part in MODELS:
        refused(base, json.dumps(change), part, "--model", changed(paths[base], base, "config.json", change))
    model, _ = reference.load(paths["llama-mha"])
    wrapped = lora.attach(model, dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
    adapter = work / "adapter"
    wrapped.save_pretrained(adapter)
    for change, part in ADAPTERS:
        place = changed(adapter, "adapter", "adapter_config.json", change)
        refused("adapter", json.dumps(change), part, "--model", paths["llama-mha"], "--adapter", place)
    refused("adapter", "of another model", "q_proj", "--model", paths["gpt2"], "--adapter", adapter)
    old = changed(adapter, "adapter", "adapter_config.json", {})
    (old / "adapter_model.safetensors").rename(old / "adapter_model.bin")
    refused("adapter", "adapter_model.bin only", "adapter_model.safetensors", "--model", paths["llama-mha"], "--adapter", old)
    tally.finish()


if __name__ == "__main__":
    main()
