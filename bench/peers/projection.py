"""How well do projected scores keep the order of exact ones? Indexes of one corpus, differing in --projection alone, against `none`.

Questions are every fifth row of the corpus with its own answer; each is compared with all other rows. Options that this script does
not know go to `index`, such as --run RUN --checkpoints final.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

import checks
import rows

SHARE = 5


def main():
    parser = checks.arguments(__doc__)
    data = Path(os.environ.get("ASCRIBE_DATA", checks.CHECKOUT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data / "text" / "eiffel.jsonl")
    parser.add_argument("--projections", default="16x16,64x64,128,256,512", help="separated by commas")
    parser.add_argument("--judged", default="256", help="which must reach .98 for every question")
    options, index = parser.parse_known_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="projection-"))
    launcher = checks.Launcher(options.ascribe)
    lines = [json.loads(line) for line in options.data.read_text().splitlines() if line.strip()]
    asked = list(range(0, len(lines), SHARE))
    queries = rows.write(out / "queries.jsonl", [lines[i] for i in asked])

    def scores(projection):
        where = out / f"index-{projection}"
        if not (where / "index.json").exists():
            launcher.run("index", *index, "--data", options.data, "--dtype", "f32", "--projection", projection, "--out", where)
        document = launcher.json("trace", "--index", where, "--query", queries, "--top", len(lines), kind="attribution")
        found = np.array([[i["score"] for i in sorted(q["influences"], key=lambda i: i["row"])] for q in document["queries"]])
        manifest = json.loads(next((where / "features").glob("*/manifest.json")).read_text())
        return found, manifest["width"]

    exact, _ = scores("none")
    others = np.ones_like(exact, dtype=bool)
    others[np.arange(len(asked)), asked] = False
    table = checks.Checks("projection", "numbers a row", "least Spearman", "median", "of the first ten, the same")
    for projection in options.projections.split(","):
        near, width = scores(projection)
        rho = [spearmanr(e[o], n[o]).statistic for e, n, o in zip(exact, near, others)]
        same = [len(set(np.argsort(-e[o])[:10]) & set(np.argsort(-n[o])[:10])) for e, n, o in zip(exact, near, others)]
        cells = (projection, width, f"{min(rho):.3f}", f"{np.median(rho):.3f}", f"{np.mean(same):.1f}")
        if projection == options.judged:
            table.row(min(rho) >= 0.98, *cells)
        else:
            table.note(*cells)
    table.finish()


if __name__ == "__main__":
    main()
