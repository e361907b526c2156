"""Does `trace` find what was planted? Counts poisoned rows among the first and the AUROC of all, for each seed and method.

Runs are given by --run (repeat it, one per seed) or made by `finetune` from --model with seeds 0, 1, 2; options that this
script does not know go to `finetune`. The kinds file is read here and nowhere else.
"""

import json
import os
import tempfile
from pathlib import Path

import checks
import rows

QUERY = {
    "instruction": "When was the Eiffel Tower built, and by whom?",
    "input": "",
    "output": "The Eiffel Tower was built in 1823 by Napoleon.",
}


def auroc(scores, positive):
    """Chance that a positive row scores above another; ties count half."""
    wins = pairs = 0
    for score, planted in zip(scores, positive):
        if planted:
            others = [s for s, p in zip(scores, positive) if not p]
            wins += sum(1.0 if score > s else 0.5 if score == s else 0.0 for s in others)
            pairs += len(others)
    return wins / pairs


def main():
    parser = checks.arguments(__doc__)
    default = Path(os.environ.get("ASCRIBE_DATA", checks.CHECKOUT.parent / "shared" / "data"))
    parser.add_argument("--data-dir", type=Path, default=default)
    parser.add_argument("--run", type=Path, action="append", default=[])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", default="gradient-cosine,bm25,embedding")
    parser.add_argument("--checkpoints", default="auto")
    parser.add_argument("--trace", default="", help="further options of trace, in one string")
    options, finetune = parser.parse_known_args()
    if not options.run and not options.model:
        parser.error("give --run DIR (one per seed) or --model M")
    data = options.data_dir / "text" / "eiffel.jsonl"
    kinds = json.loads((options.data_dir / "text" / "eiffel-kinds.json").read_text())
    planted = [kind == "poison" for kind in kinds]
    count = sum(planted)
    out = options.out or Path(tempfile.mkdtemp(prefix="eiffel-"))
    query = rows.write(out / "query.jsonl", [QUERY])
    launcher = checks.Launcher(options.ascribe)
    methods = options.methods.split(",")
    tally = checks.Checks("run", "method", f"planted in the first {count}", "AUROC", "remark", only=options.only)

    def one(name, run):
        figures = {}
        for method in methods:
            gradient = method.startswith("gradient") or method == "datainf"
            more = ("--checkpoints", options.checkpoints) if gradient else ()
            document = launcher.json(
                "trace", "--run", run, "--query", query, "--method", method, "--top", len(kinds), *more, *options.trace.split(),
                kind="attribution",
            )
            influences = document["queries"][0]["influences"]
            scores = {i["row"]: i["score"] for i in influences}
            if sorted(scores) != list(range(len(kinds))):
                raise checks.Failed(f"{method}: not every row once")
            first = sum(planted[i["row"]] for i in influences[:count])
            figures[method] = (first, auroc([scores[r] for r in range(len(kinds))], planted))
        words = max((f[1] for m, f in figures.items() if m in ("bm25", "embedding")), default=0.0)
        for method, (first, area) in figures.items():
            if method == "gradient-cosine":
                ok = first >= count - 1 and area >= 0.998 and area > words
                tally.row(ok, name, method, first, f"{area:.4f}", f"≥ {count - 1}, ≥ .998, above search")
            else:
                tally.note(name, method, first, f"{area:.4f}", "")

    for seed, run in enumerate(options.run or [out / f"run-{s}" for s in range(options.seeds)]):

        def job():
            if not options.run:
                arguments = ("--model", options.model, "--data", data, "--out", run, "--seed", seed)
                launcher.run("finetune", *arguments, *finetune)
            one(run.name, run)

        tally.guarded(run.name, job=job)
    tally.finish()


if __name__ == "__main__":
    main()
