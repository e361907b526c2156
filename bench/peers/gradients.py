"""`trace` and `index` against peft: gradient-dot, gradient-cosine and DataInf of every query with every row."""

import tempfile
from pathlib import Path

import reference  # before transformers: it sets it offline and quiet
import numpy as np
from scipy.stats import spearmanr

import checks
import conventions
import lora
import models
import rows

SCALES = {"gradient-dot": "dot", "gradient-cosine": "cosine", "datainf": "nats"}


def truth(wrapped, text, corpus, queries, limit=512):
    """method → (queries, n) scores and the allowed differences; the queries' losses."""
    data, asked = (
        reference.blocks([reference.lora_gradients(wrapped, text.tokens(r, limit)) for r in some]) for some in (corpus, queries)
    )
    scores = {
        "gradient-dot": reference.dot(asked, data),
        "gradient-cosine": reference.cosine(asked, data),
        "datainf": reference.datainf(asked, data),
    }
    dot, inf = scores["gradient-dot"], scores["datainf"]
    allowed = {
        "gradient-dot": 1e-3 * abs(dot) + 1e-5 * np.outer(reference.norms(asked), reference.norms(data)),
        "gradient-cosine": np.full(dot.shape, 1e-4),
        "datainf": 1e-2 * abs(inf) + 1e-4 * abs(inf).max(1, keepdims=True),
    }
    losses = []
    for row in queries:
        tokens = text.tokens(row, limit)
        losses.append(reference.row_loss(reference.log_probabilities(wrapped, tokens.ids), tokens.targets))
    return scores, allowed, losses


def matrix(document, method, queries, n):
    """Scores of a trace with every row among its influences, (queries, n), after checking their order."""
    if document["scale"] != SCALES[method]:
        raise checks.Failed(f"scale is {document['scale']!r}, expected {SCALES[method]!r}")
    if len(document["queries"]) != queries:
        raise checks.Failed(f"{len(document['queries'])} queries, expected {queries}")
    out = np.empty((queries, n))
    for q, answer in enumerate(document["queries"]):
        influences = answer["influences"]
        if sorted(i["row"] for i in influences) != list(range(n)):
            raise checks.Failed(f"query {q}: not every row once")
        order = [(-i["score"], i["row"]) for i in influences]
        if order != sorted(order) or [i["rank"] for i in influences] != list(range(1, n + 1)):
            raise checks.Failed(f"query {q}: not ordered by score, then row")
        for influence in influences:
            out[q, influence["row"]] = influence["score"]
    return out


def check(tally, name, case, found, scores, allowed, method):
    off = abs(found - scores)
    # a row without a target has score 0 and nothing allowed: exactly 0 is right
    excess = float(np.divide(off, allowed, out=np.where(off > 0, np.inf, 0.0), where=allowed > 0).max())
    rank = min(float(spearmanr(f, s).statistic) for f, s in zip(found, scores))
    ok = excess <= 1 and (method != "datainf" or rank >= 0.999)
    relative = float(abs(found - scores).max() / abs(scores).max())
    tally.row(ok, name, case, relative, f"{excess:.3f}", f"{rank:.5f}")


def trace(launcher, where, method, query, n, kind="attribution"):
    arguments = ("--query", query, "--method", method, "--top", n)
    return launcher.json("trace", *where, *arguments, kind=kind)


def exact(tally, launcher, name, base, wrapped, text, adapter, corpus, queries, directory, tolerance=2e-4):
    """All methods without an index and with one that projects nothing."""
    data = rows.write(directory / "data.jsonl", corpus)
    query = rows.write(directory / "query.jsonl", queries)
    scores, allowed, losses = truth(wrapped, text, corpus, queries)
    model = ("--model", base, "--adapter", adapter, "--data", data, "--checkpoints", "final")
    index = directory / "index"
    # dtype f32: auto may choose bf16, which has tolerances of its own
    tally.guarded(name, "index", job=lambda: launcher.run("index", *model, "--projection", "none", "--dtype", "f32", "--out", index))
    for method in scores:
        for case, where in ((method, model), (f"{method}, index", ("--index", index))):

            def job():
                document = trace(launcher, where, method, query, len(corpus))
                found = matrix(document, method, len(queries), len(corpus))
                check(tally, name, case, found, scores[method], allowed[method], method)
                off = max(abs(q["loss"] - loss) for q, loss in zip(document["queries"], losses))
                tally.row(off <= tolerance, name, f"{case}: loss of the queries", off, f"{off / tolerance:.3f}", "")

            tally.guarded(name, case, job=job)
    return scores, model, query


def start(tally, launcher, name, base, model, text, corpus, queries, directory):
    """Gradients at the start of fine-tuning, B = 0 and A made by Ascribe from a seed: peft reads the A that the index keeps."""
    data = rows.write(directory / "data.jsonl", corpus)
    query = rows.write(directory / "query.jsonl", queries)
    index = directory / "start"

    def job():
        settings = ("--rank", 4, "--alpha", 8, "--seed", 7, "--checkpoints", "init")
        where = ("--model", base, "--data", data, *settings)
        launcher.run("index", *where, "--projection", "none", "--dtype", "f32", "--out", index)
        wrapped = lora.load(model, index / "adapters" / "init")
        scores, allowed, _ = truth(wrapped, text, corpus, queries)
        for method in scores:
            for case, source in ((f"start, {method}", where), (f"start, {method}, index", ("--index", index))):
                found = matrix(trace(launcher, source, method, query, len(corpus)), method, len(queries), len(corpus))
                check(tally, name, case, found, scores[method], allowed[method], method)

    tally.guarded(name, "start", job=job)


def projected(tally, launcher, name, model, query, scores, queries, n, directory):
    """Rank agreement of what an index loses by projection and by a shorter type, on a real model."""
    variants = {
        "default": ("--dtype", "f32"), "bf16": ("--dtype", "bf16"), "int8": ("--dtype", "int8"),
    }
    found = {}
    for variant, arguments in variants.items():

        def job():
            index = directory / f"index-{variant}"
            launcher.run("index", *model, *arguments, "--out", index)
            document = trace(launcher, ("--index", index), "gradient-cosine", query, n)
            found[variant] = matrix(document, "gradient-cosine", queries, n)
            against, least = (scores["gradient-cosine"], 0.98) if variant == "default" else (found["default"], 0.995)
            ranks = [float(spearmanr(f, s).statistic) for f, s in zip(found[variant], against)]
            what = "projected against exact" if variant == "default" else f"{variant} against f32"
            tally.row(min(ranks) >= least, name, what, "", f"≥ {least}", f"{min(ranks):.4f}")

        tally.guarded(name, variant, job=job)


def main():
    parser = checks.arguments(__doc__)
    parser.add_argument("--smollm", type=Path, help="SmolLM2's GGUF file: compared too where given, and its index measured")
    parser.add_argument("--data", type=Path, help="rows for --smollm (default: made up ones)")
    parser.add_argument("--rows", type=int, default=48, help="how many of them")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="peers-"))
    paths = models.existing(out)
    launcher = checks.Launcher(options.ascribe)
    tally = checks.Checks("adapter", "case", "of the largest", "of the tolerance", "least Spearman", only=options.only)
    work = Path(tempfile.mkdtemp(prefix="gradients-", dir=out))
    corpus = rows.facts()
    # one row without a target: zero gradient, score 0, still counted in n
    corpus.insert(5, {"instruction": rows.LONG, "output": "cut off"})
    for name, (base, settings) in lora.ADAPTERS.items():
        if not tally.wanted(name):
            continue
        model, text = reference.load(paths[base])
        wrapped = lora.attach(model, settings)
        wrapped.save_pretrained(work / name / "adapter")
        exact(tally, launcher, name, paths[base], wrapped, text, work / name / "adapter", corpus, rows.queries(), work / name)
    for base in ("gpt2", "llama-gqa-tied", "qwen3", "llama-q8_0.gguf"):
        name = f"{base}-start"
        if tally.wanted(name):
            model, text = reference.load(paths[base])
            start(tally, launcher, name, paths[base], model, text, corpus, rows.queries(), work / name)
    if options.smollm and tally.wanted("smollm"):
        name = "smollm"
        model, text = reference.load(options.smollm)
        wrapped = lora.attach(model, dict(r=8, lora_alpha=16, target_modules="all-linear"), spread=0.02)
        wrapped.save_pretrained(work / name / "adapter")
        large = conventions.read_rows(options.data)[: options.rows] if options.data else rows.facts(options.rows)
        scores, where, query = exact(
            tally, launcher, name, options.smollm, wrapped, text, work / name / "adapter", large, rows.queries(), work / name,
            tolerance=5e-3,
        )
        projected(tally, launcher, name, where, query, scores, len(rows.queries()), len(large), work / name)
    tally.finish()


if __name__ == "__main__":
    main()
