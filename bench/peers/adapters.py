"""Adapters in both directions: trained by `finetune` and read by peft, made by peft and read by `score`."""

import tempfile
from pathlib import Path

import reference  # before transformers: it sets it offline and quiet

import checks
import lora
import models
import rows
import score

# name → (model, options of finetune)
TRAINED = {
    "gpt2": ("gpt2", ("--rank", 4, "--alpha", 8)),
    "gpt2-bare": ("gpt2-bare", ("--rank", 2, "--alpha", 8, "--targets", "c_attn,c_proj")),
    "llama": ("llama-gqa-tied", ("--rank", 8, "--alpha", 16)),
    "llama-qv": ("llama-llama3", ("--rank", 4, "--alpha", 4, "--targets", "q_proj,v_proj")),
    "mistral": ("mistral", ("--rank", 3, "--alpha", 6)),
    "qwen2": ("qwen2", ("--rank", 4, "--alpha", 8)),
    "qwen3": ("qwen3", ("--rank", 4, "--alpha", 8)),
    "gguf": ("llama-q8_0.gguf", ("--rank", 4, "--alpha", 8)),
}


def adapter_of(run):
    """Where a run keeps its final adapter: RUN or RUN/adapter."""
    for place in (run / "adapter", run):
        if (place / "adapter_config.json").exists():
            return place
    raise checks.Failed(f"no adapter_config.json in {run} or {run / 'adapter'}")


def same(tally, launcher, name, case, base, adapter, wrapped, text, corpus, data, large=False):
    document = launcher.json("score", "--model", base, "--adapter", adapter, "--data", data, kind="score")
    expected = score.expect(wrapped, text, corpus)
    ids, targets, largest, complaint = score.compare(document, expected, score.TOLERANCE[large])
    tally.row(ids and targets and largest <= score.TOLERANCE[large], name, case, largest, complaint)


def moved(model_scores, adapted):
    """Largest change that the adapter makes: without one, a comparison shows nothing."""
    return max(abs(a - b) for x, y in zip(model_scores, adapted) for a, b in zip(x[2][1:], y[2][1:]))


def main():
    parser = checks.arguments(__doc__)
    parser.add_argument("--smollm", type=Path, help="SmolLM2's GGUF file, tried too where given")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="peers-"))
    paths = models.existing(out)
    work = Path(tempfile.mkdtemp(prefix="adapters-", dir=out))
    launcher = checks.Launcher(options.ascribe)
    tally = checks.Checks("adapter", "case", "figure", "remark", only=options.only)
    corpus = rows.facts()
    data = rows.write(work / "facts.jsonl", corpus)

    def tried(name, base, arguments, large=False):
        model, text = reference.load(base)
        before = score.expect(model, text, corpus)

        def job():
            run = work / name
            launcher.run("finetune", "--model", base, "--data", data, "--out", run, "--epochs", 2, "--validation", 0, *arguments)
            wrapped = lora.load(model, adapter_of(run))
            change = moved(before, score.expect(wrapped, text, corpus))
            tally.row(change > 0.01, name, "training changed the model", change, "")
            same(tally, launcher, name, "finetune → peft", base, adapter_of(run), wrapped, text, corpus, data, large)

        tally.guarded(name, "finetune → peft", job=job)

    for name, (base, arguments) in TRAINED.items():
        if tally.wanted(name):
            tried(name, paths[base], arguments)
    if options.smollm and tally.wanted("smollm"):
        tried("smollm", options.smollm, ("--rank", 4, "--alpha", 8), large=True)
    for name, (base, settings) in lora.ADAPTERS.items():
        if not tally.wanted(name):
            continue
        model, text = reference.load(paths[base])
        wrapped = lora.attach(model, settings)
        place = work / f"peft-{name}"
        wrapped.save_pretrained(place)
        again, _ = reference.load(paths[base])
        loaded = lora.load(again, place)  # what peft itself reads back
        job = lambda: same(tally, launcher, name, "peft → score", paths[base], place, loaded, text, corpus, data)
        tally.guarded(name, "peft → score", job=job)
    tally.finish()


if __name__ == "__main__":
    main()
