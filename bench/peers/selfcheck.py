"""Checks the references against each other, without Ascribe: float64 against transformers, finite differences against
autograd, our reading of rows and GGUF files against transformers' own."""

import tempfile
from pathlib import Path

import reference  # before transformers: it sets it offline and quiet
import numpy as np
import torch
import transformers

import checks
import conventions
import decoder
import lora
import models
import rows


def differences(a, b):
    return max((abs(x - y) for x, y in zip(a, b) if x == x and y == y), default=0.0)


def main():
    parser = checks.arguments(__doc__)
    parser.add_argument("--smollm", type=Path, help="SmolLM2's GGUF file, checked too where given")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="peers-"))
    paths = models.existing(out)
    tally = checks.Checks("what", "case", "figure", "limit", only=options.only)
    shapes = {name: make() for name, make in rows.SHAPES.items()}

    for name, path in paths.items():
        if not tally.wanted(name):
            continue
        model, text = reference.load(path)
        # 1. log-probabilities: transformers in float32 against our decoder in float64
        exact = decoder.Decoder(model.config, decoder.float64(model))
        if name == "llama-rope-freqs.gguf":
            exact.config = reference.directory(out / "llama-llama3-old").config
        worst, worst_loss = 0.0, 0.0
        for row in shapes["alpaca"][:6] + shapes["messages"][:3] + shapes["texts"][-1:]:
            tokens = text.tokens(row)
            ours = reference.log_probabilities(model, tokens.ids)
            truth = torch.log_softmax(exact.logits(tokens.ids), -1)[:-1].gather(1, torch.tensor(tokens.ids[1:])[:, None])
            worst = max(worst, differences(ours[1:], truth[:, 0].tolist()))
            # 2. the row's loss against the one transformers computes from labels
            labels = torch.tensor([[i if t else -100 for i, t in zip(tokens.ids, tokens.targets)]])
            with torch.no_grad():
                theirs = float(model(torch.tensor([tokens.ids]), labels=labels).loss)
            worst_loss = max(worst_loss, abs(theirs - reference.row_loss(ours, tokens.targets)))
        tally.row(worst <= 5e-5, "log-probability, float64", name, worst, 5e-5)
        tally.row(worst_loss <= 1e-5, "loss from labels", name, worst_loss, 1e-5)
        if path.is_dir():
            tally.row(*same_text(path, text, shapes), "0")
        # 3. ends of a generation as arranged
        if name in ("llama-mha", "llama-untied", "qwen3"):
            _, stop, lead = reference.generate(model, text, text.prompt(rows.PROMPTS[0]), 40)
            tally.row(stop == "eos", "generation ends by itself", name, stop, "eos")

    # 4. GGUF files against the directory they were made from, and against transformers' own reader
    for name, (source, quantization, _) in models.GGUFS.items():
        if not tally.wanted(name):
            continue
        ids = list(range(3, 90))
        ours = reference.log_probabilities(reference.gguf_model(paths[name]), ids)
        if quantization == models.Q.F32:
            origin = out / {"llama-rope-freqs": "llama-llama3-old"}.get(source, source)
            off = differences(ours, reference.log_probabilities(reference.directory(origin), ids))
            tally.row(off <= 2e-5, "GGUF and its directory", name, off, 2e-5)
        if name not in ("llama-linear.gguf", "llama-rope-freqs.gguf"):  # which transformers reads without the scaling
            off = differences(ours, reference.log_probabilities(transformers_gguf(paths[name]), ids))
            tally.row(off <= 2e-5, "GGUF by transformers", name, off, 2e-5)

    # 5. gradients: autograd in float32 against central differences in float64
    for name, (base, settings) in lora.ADAPTERS.items():
        if not tally.wanted(name):
            continue
        model, text = reference.load(paths[base])
        wrapped = lora.attach(model, settings)
        tokens = text.tokens(rows.facts()[5], 64)
        gradients = reference.lora_gradients(wrapped, tokens)
        off, agreed = finite_differences(wrapped, tokens, gradients)
        tally.row(off <= 1e-5, "gradient, finite differences", name, off, 1e-5)
        tally.row(agreed <= 5e-5, "loss with adapter, float64", name, agreed, 5e-5)

    # 6. DataInf term by term against its closed form on Gram matrices
    generator = np.random.default_rng(7)
    corpus = {b: generator.standard_normal((9, 5 + i)) for i, b in enumerate("abc")} | {"zero": np.zeros((9, 4))}
    queries = {b: generator.standard_normal((2, g.shape[1])) for b, g in corpus.items()}
    closed = 0
    for b, g in corpus.items():
        gram, v, n = g @ g.T, queries[b] @ g.T, len(g)
        damping = 0.1 * np.diag(gram).mean() / g.shape[1]
        if damping > 0:
            closed = closed + (v - v / (damping + np.diag(gram)) @ gram / n) / damping / n
    off = float(np.abs(reference.datainf(queries, corpus) - closed).max() / np.abs(closed).max())
    tally.row(off <= 1e-12, "DataInf, closed form", "random blocks", off, 1e-12)

    if options.smollm and tally.wanted("smollm"):
        model, text = reference.load(options.smollm)
        theirs = transformers_gguf(options.smollm)
        exact = decoder.Decoder(model.config, decoder.float64(model))
        worst = worst64 = 0.0
        for row in shapes["alpaca"][:5]:
            tokens = text.tokens(row)
            ours = reference.log_probabilities(model, tokens.ids)
            worst = max(worst, differences(ours, reference.log_probabilities(theirs, tokens.ids)))
            truth = torch.log_softmax(exact.logits(tokens.ids), -1)[:-1].gather(1, torch.tensor(tokens.ids[1:])[:, None])
            worst64 = max(worst64, differences(ours[1:], truth[:, 0].tolist()))
        tally.row(worst <= 1e-5, "GGUF by transformers", "SmolLM2", worst, 1e-5)
        tally.row(worst64 <= 4e-5, "log-probability, float64", "SmolLM2", worst64, 4e-5)
        off = text.plain("\u0004") == [] and len(text.plain("½1²")) >= 3
        tally.row(off, "bytes without a token vanish, digits split", "SmolLM2", text.plain("½1²\u0004"), "")
    tally.finish()


def transformers_gguf(path):
    options = dict(gguf_file=path.name, dtype=torch.float32, attn_implementation="eager")
    return transformers.AutoModelForCausalLM.from_pretrained(str(path.parent), **options).eval()


def same_text(path, text, shapes):
    """Our ids against AutoTokenizer's, and our rendering against its chat template."""
    theirs = transformers.AutoTokenizer.from_pretrained(str(path))
    different = 0
    for string in rows.TRICKY:
        different += theirs(string).input_ids != text.processed(string)
        different += theirs(string, add_special_tokens=False).input_ids != text.plain(string)
    if text.template is not None:
        for row in shapes["messages"]:
            chat = row["messages"][:-1]
            rendered = theirs.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
            different += rendered != text.render(chat)
    different += theirs.eos_token_id != text.eos
    return different == 0, "ids and chat template by transformers", path.name, different


def finite_differences(wrapped, tokens, gradients, directions=3, step=1e-5):
    """Relative error of directional derivatives, largest over random directions, and the loss's own difference."""
    weights = decoder.float64(wrapped)
    scalings = lora.scalings(wrapped)
    config = wrapped.config
    generator = torch.Generator().manual_seed(1)

    def at(moved):
        with torch.no_grad():
            return float(decoder.loss(decoder.Decoder(config, weights | moved, scalings), tokens))

    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    worst = 0.0
    for d in range(directions):
        if d == 0:  # along the gradient itself: its length
            direction = {n: torch.from_numpy(g / norm) for n, g in gradients.items()}
        else:
            direction = {n: torch.randn(len(g), generator=generator, dtype=torch.float64) for n, g in gradients.items()}
        moved = [
            at({n: weights[n] + sign * step * v.view_as(weights[n]) for n, v in direction.items()}) for sign in (1, -1)
        ]
        slope = (moved[0] - moved[1]) / (2 * step)
        predicted = sum(float(gradients[n] @ v.numpy()) for n, v in direction.items())
        worst = max(worst, abs(slope - predicted) / norm)
    with torch.no_grad():
        own = float(reference.loss(wrapped, tokens))
    return worst, abs(own - at({}))


if __name__ == "__main__":
    main()
