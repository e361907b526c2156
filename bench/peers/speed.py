"""Tokens a second of LoRA training and of gradient indexing: transformers + peft against Ascribe, taking turns.

Counted are real tokens: padding is work, not result. Peers, one process, as many threads as asked for:
 train     AdamW on LoRA r = 8 of all linear layers, batch 8, float32, rows in file order, padded to the longest of a batch
 bucketed  the same with rows of like length in one batch
 naive     gradients row by row: batch of one, loss.backward(), LoRA gradients concatenated
`--profile` says where the peers' time goes instead.
"""

import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import reference  # before transformers: it sets it offline and quiet
import numpy as np
import torch

import checks
import conventions
import lora
import rows

ADAPTER = dict(r=8, lora_alpha=16, target_modules="all-linear")
# what must hold: (figure, against, least ratio)
GOALS = [("ascribe train", "train", 1.2), ("ascribe index", "naive", 5.0), ("ascribe index", "ascribe train", 0.9)]
RATE = re.compile(r"(\d+) tokens in ([\d.]+) s: ([\d.]+) tokens/s")


class Peer:
    """One model with one adapter."""

    def __init__(self, model):
        model.set_attn_implementation("sdpa")  # what transformers itself would choose
        self.model = lora.attach(model, ADAPTER, spread=0.02)
        self.factors = [p for n, p in self.model.named_parameters() if "lora_" in n]
        self.optimizer = torch.optim.AdamW(self.factors, lr=1e-3)

    def step(self, batch):
        """One training step on a padded batch; returns its real tokens."""
        width = max(len(t.ids) for t in batch)
        ids = torch.zeros(len(batch), width, dtype=torch.long)
        mask = torch.zeros_like(ids)
        labels = torch.full_like(ids, -100)
        for i, tokens in enumerate(batch):
            n = len(tokens.ids)
            ids[i, :n] = torch.tensor(tokens.ids)
            mask[i, :n] = 1
            labels[i, :n] = torch.tensor([t if target else -100 for t, target in zip(tokens.ids, tokens.targets)])
        self.model.train()
        self.optimizer.zero_grad()
        self.model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss.backward()
        self.optimizer.step()
        return int(mask.sum())

    def gradient(self, tokens):
        """One row's gradient, concatenated."""
        self.model.eval()
        ids = torch.tensor([tokens.ids])
        labels = torch.tensor([[t if target else -100 for t, target in zip(tokens.ids, tokens.targets)]])
        for p in self.factors:
            p.grad = None
        self.model(input_ids=ids, labels=labels, use_cache=False).loss.backward()
        return torch.cat([p.grad.flatten() for p in self.factors])


def batches(sequences, size, bucketed):
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i].ids)) if bucketed else range(len(sequences))
    order = list(order)
    cut = [[sequences[i] for i in order[k : k + size]] for k in range(0, len(order), size)]
    if bucketed:  # long and short batches mixed, as a trainer would
        np.random.default_rng(0).shuffle(cut)
    return cut


def timed(job, items):
    """Tokens a second of a job over items."""
    start, busy = time.perf_counter(), time.process_time()
    tokens = sum(job(item) for item in items)
    wall, busy = time.perf_counter() - start, time.process_time() - busy
    # on an idle machine both threads are busy nearly all the time; much less says that others were at work
    print(f"  {tokens} tokens, {wall:.1f} s, {busy:.1f} s of CPU", file=sys.stderr)
    return tokens / wall


def ascribe(launcher, *args):
    """Tokens a second as the command says on stderr."""
    err = launcher.run(*args).stderr.decode(errors="replace")
    found = RATE.findall(err)
    if not found:
        raise checks.Failed(f"{args[0]} did not say 'N tokens in S s: R tokens/s' on stderr")
    return float(found[-1][2])


def profile(peer, sequences, size):
    """Where the time of a training step and of a naive row goes."""
    trained = batches(sequences, size, True)[:1]
    one_by_one = sequences[:size]
    for batch in trained[:1]:
        peer.step(batch)
    peer.gradient(one_by_one[0])
    head = peer.model.config.vocab_size
    for name, job, items in (("train", peer.step, trained), ("naive", peer.gradient, one_by_one)):
        start, busy = time.perf_counter(), time.process_time()
        for item in items:
            job(item)
        wall, busy = time.perf_counter() - start, time.process_time() - busy
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as recorded:
            for item in items:
                job(item)
        parts = {}
        for event in recorded.key_averages(group_by_input_shape=True):
            part = kind(event.key, event.input_shapes, head)
            parts[part] = parts.get(part, 0) + event.self_cpu_time_total / 1e6
        total = sum(parts.values())
        real = sum(len(t.ids) for item in items for t in (item if isinstance(item, list) else [item]))
        targets = sum(sum(t.targets) for item in items for t in (item if isinstance(item, list) else [item]))
        print(f"\n{name}: {real} tokens ({targets} targets), {wall:.2f} s unprofiled: {real / wall:.0f} tokens/s; {real / busy:.0f} a second of CPU")
        for part, seconds in sorted(parts.items(), key=lambda p: -p[1]):
            print(f"  {part:32s} {seconds:7.3f} s {100 * seconds / total:5.1f} %")
    width, depth = peer.model.config.hidden_size, peer.model.config.intermediate_size
    for length in (100, 800):
        a, b = torch.randn(length, width), torch.randn(depth, width)
        count = 60
        for _ in range(3):
            a @ b.T
        start, busy = time.perf_counter(), time.process_time()
        for _ in range(count):
            a @ b.T
        work = count * 2 * length * width * depth / 1e9
        wall, busy = time.perf_counter() - start, time.process_time() - busy
        print(f"({length}, {width}) x ({width}, {depth}): {work / wall:.0f} GFLOP/s, {work / busy:.0f} a second of CPU")


def kind(key, shapes, head):
    sizes = [n for shape in shapes for n in shape if isinstance(n, int)]
    if any(word in key for word in ("mm", "linear", "addmv")):
        if head in sizes:
            return "matmul, head"
        if any(shape and ADAPTER["r"] in shape for shape in shapes):
            return "matmul, LoRA"
        return "matmul, frozen layers"
    if "scaled_dot_product" in key or "flash" in key:
        return "attention"
    if head in sizes:
        return "softmax and loss"
    if any(word in key for word in ("mul", "add", "silu", "pow", "rsqrt", "mean", "neg", "cat", "div", "sub", "sum", "to_copy", "copy_")):
        return "elementwise and copies"
    if "Adam" in key or "foreach" in key:
        return "optimizer"
    return "the rest"


def main():
    parser = checks.arguments(__doc__)
    data = Path(os.environ.get("ASCRIBE_DATA", checks.CHECKOUT.parent / "shared" / "data"))
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=data / "text" / "alpaca_en_demo.json")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--peers-only", action="store_true", help="measure transformers and peft alone; nothing is checked")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)  # for the launcher
    model, text = reference.load(options.model)
    peer = Peer(model)
    chosen = conventions.read_rows(options.data)[: options.rows]
    sequences = [t for t in (text.tokens(r, options.max_tokens) for r in chosen) if any(t.targets)]
    real = sum(len(t.ids) for t in sequences)
    padded = {b: sum(len(c) * max(len(t.ids) for t in c) for c in batches(sequences, options.batch, b)) for b in (0, 1)}
    print(
        f"{len(sequences)} rows, {real} tokens, {sum(sum(t.targets) for t in sequences)} targets; padded to {padded[0]} "
        f"in file order, {padded[1]} bucketed; {options.threads} threads, torch {torch.__version__}"
    )
    if options.profile:
        profile(peer, sequences, options.batch)
        return
    out = options.out or Path(tempfile.mkdtemp(prefix="peers-"))
    subset = rows.write(out / "rows.jsonl", chosen)
    launcher = None if options.peers_only else checks.Launcher(options.ascribe)
    common = ("--model", options.model, "--data", subset, "--max-tokens", options.max_tokens)
    finetune = ("--rank", 8, "--alpha", 16, "--targets", "all-linear", "--batch", options.batch, "--epochs", 1, "--validation", 0)
    round_ = 0
    jobs = {
        "train": lambda: timed(peer.step, batches(sequences, options.batch, False)),
        "ascribe train": lambda: ascribe(launcher, "finetune", *common, *finetune, "--out", out / f"run-{round_}"),
        "bucketed": lambda: timed(peer.step, batches(sequences, options.batch, True)),
        "naive": lambda: timed(lambda t: (peer.gradient(t), len(t.ids))[1], sequences),
        "ascribe index": lambda: ascribe(launcher, "index", *common, "--checkpoints", "init", "--out", out / f"index-{round_}"),
    }
    jobs = {name: job for name, job in jobs.items() if launcher or not name.startswith("ascribe")}
    peer.step(batches(sequences, options.batch, False)[0])  # warm
    peer.gradient(sequences[0])
    rates = {name: [] for name in jobs}
    failures = {}
    for round_ in range(options.rounds):
        for name, job in jobs.items():
            try:
                rates[name].append(job())
            except checks.Failed as e:
                failures[name] = str(e)
    medians = {name: statistics.median(values) for name, values in rates.items() if values}
    print("| job | median tokens/s | each round |\n|---|---|---|")
    for name, values in rates.items():
        print(f"| {name} | {medians.get(name, 0):.1f} | {', '.join(f'{v:.1f}' for v in values) or failures[name]} |")
    if options.peers_only:
        return
    tally = checks.Checks("job", "against", "ratio", "least")
    if "ascribe train" in medians:
        print(f"ascribe train / bucketed: {medians['ascribe train'] / medians['bucketed']:.2f} (no goal set)")
    for job, against, least in GOALS:
        ratio = medians[job] / medians[against] if job in medians and against in medians else 0.0
        tally.row(ratio >= least, job, against, f"{ratio:.2f}", str(least))
    (out / "speed.json").write_text(json.dumps(rates, indent=2))
    tally.finish()


if __name__ == "__main__":
    main()
