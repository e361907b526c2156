"""Speed of traces of trees, beside tree_influence, and how it grows.

    python bench/peers/trees_speed.py --java JDK [--peer PYTHON] [--large]

`--peer` is a Python that has tree-influence 0.1.7 with the old libraries it needs (Python 3.9; xgboost 1.5.2, numpy < 2): the model is trained by it, both
trace 10 queries on 5,000 rows of Adult and 100 trees, and ours is `TreeSpeed`, run three times in one process: the first time is cold. The table shows how time grows
with rows, trees and queries; `--large` adds 1 M rows and 500 trees. On an idle machine only. Needs xgboost and pandas; the classes of the tests compiled
(`mvn -q -pl core test-compile dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/test.classpath`).
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost

import checks
from trees_useful import ADULT

PEER = '''
import json, sys, time
import numpy as np, xgboost
from tree_influence.explainers import BoostIn, LeafInfluence
x, y, q, qy = (np.load(sys.argv[1] + "/" + name + ".npy") for name in ("x", "y", "q", "qy"))
model = xgboost.XGBClassifier(n_estimators=100, max_depth=5, learning_rate=0.1, reg_lambda=1, tree_method="hist", use_label_encoder=False,
                              base_score=0.5, n_jobs=2, verbosity=0).fit(x, y)
model.get_booster().save_model(sys.argv[1] + "/model.json")
begun = time.time()
boostin = BoostIn().fit(model, x, y)
fitted = time.time()
scores = boostin.get_local_influence(q, qy)
scored = time.time()
np.save(sys.argv[1] + "/scores.npy", scores)
print(json.dumps({"fit": fitted - begun, "score": scored - fitted}))
'''


def adult(data, rows):
    """Features as numbers, shape (rows, 14), and labels; the table again and again, with noise in one column, where it is too short."""
    frame = pd.read_csv(data / "adult-train.csv", names=ADULT, skipinitialspace=True, na_values="?")
    label = (frame.pop("income") == ">50K").to_numpy().astype(int)
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            frame[column] = frame[column].astype("category").cat.codes
    rng = np.random.default_rng(0)
    order = np.concatenate([rng.permutation(len(frame)) for _ in range(-(-rows // len(frame)))])[:rows]
    return frame.iloc[order].reset_index(drop=True), label[order]


def write(frame, label, path):
    frame.assign(label=label).to_csv(path, index=False)


class Ours:
    def __init__(self, java):
        core = checks.CHECKOUT / "core"
        classpath = [core / "target" / "test-classes", core / "target" / "classes", (core / "target" / "test.classpath").read_text().strip()]
        self.command = [str(Path(java) / "bin" / "java"), "-Xmx11g", "--add-modules=jdk.incubator.vector", "-cp", ":".join(map(str, classpath)),
                        "dev.ascribe.tree.TreeSpeed"]

    def __call__(self, work, method, rounds="all", times=3, rows="train.csv", queries="test.csv"):
        arguments = [work / "model.json", work / rows, "label", work / queries, method, rounds, times]
        done = subprocess.run(self.command + list(map(str, arguments)), capture_output=True, text=True)
        if done.returncode:
            raise checks.Failed(done.stderr.strip().splitlines()[-1])
        return json.loads(done.stdout)


def beside(said, ours, peer, data, work):
    frame, label = adult(data, 5010)
    x, y = frame.to_numpy(dtype=np.float32), label
    for name, array in (("x", x[:5000]), ("y", y[:5000]), ("q", x[5000:]), ("qy", y[5000:])):
        np.save(work / name, array)
    frame.columns = [f"f{i}" for i in range(frame.shape[1])]
    write(frame[:5000], y[:5000], work / "train.csv")
    write(frame[5000:], y[5000:], work / "test.csv")
    if peer:
        done = subprocess.run([peer, "-c", PEER, str(work)], capture_output=True, text=True)
        if done.returncode:
            raise checks.Failed(done.stderr.strip().splitlines()[-1])
        theirs = json.loads(done.stdout)
        total = theirs["fit"] + theirs["score"]
        said.note("tree_influence BoostIn", "5,000 × 100 × 10", f"{theirs['fit']:.2f} s to prepare, {theirs['score']:.2f} s to score", "")
    else:
        model = xgboost.train({"max_depth": 5, "eta": 0.1, "objective": "binary:logistic", "base_score": 0.5, "nthread": 2},
                              xgboost.DMatrix(frame[:5000], y[:5000]), 100)
        model.save_model(work / "model.json")
    for method in ("boostin-published", "boostin", "leaf-influence"):
        mine = ours(work, method)
        warm, cold = min(mine["trace"]), mine["trace"][0]
        ratio = f"{total / cold:.0f} × cold, {total / warm:.0f} × warm" if peer and method != "leaf-influence" else ""
        holds = cold <= 1 if method == "leaf-influence" else not peer or total / warm >= 50
        said.row(holds, method, "5,000 × 100 × 10", f"{cold:.3f} s cold, {warm:.3f} s warm ({mine['open']:.2f} s to read)", ratio)
    if peer:
        theirs = np.load(work / "scores.npy")  # (rows, queries)
        document = checks.Launcher(checks.CHECKOUT / "ascribe").json(
            "trace", "--model", work / "model.json", "--data", work / "train.csv", "--target", "label", "--query", work / "test.csv",
            "--method", "boostin-published", "--top", "ALL", kind="attribution")
        worst = 1.0
        for query, found in enumerate(document["queries"]):
            score = np.zeros(5000)
            for influence in found["influences"]:
                score[influence["row"]] = influence["score"]
            worst = min(worst, np.corrcoef(score, theirs[:, query])[0, 1])
        said.row(worst > 0.999, "boostin-published to tree_influence", "5,000 × 100 × 10", f"least correlation {worst:.6f}", "")


def growth(said, ours, data, work, rows, trees):
    """One model of all rows and trees; then fewer rows cannot be traced with it, so each number of rows has its own."""
    cells = []
    for count in rows:
        frame, label = adult(data, count + 8)
        write(frame[:count], label[:count], work / "train.csv")
        write(frame[count:count + 1], label[count:count + 1], work / "test.csv")
        write(frame[count:], label[count:], work / "eight.csv")
        begun = time.monotonic()
        model = xgboost.train({"max_depth": 6, "eta": 0.1, "objective": "binary:logistic", "nthread": 2},
                              xgboost.DMatrix(frame[:count], label[:count]), max(trees))
        model.save_model(work / "model.json")
        said.note("(xgboost trains)", f"{count:,} × {max(trees)}", f"{time.monotonic() - begun:.1f} s", "")
        for rounds in trees if count == rows[-1] else trees[-1:]:
            for queries, file in ((1, "test.csv"), (8, "eight.csv")) if rounds == trees[-1] else ((1, "test.csv"),):
                mine = ours(work, "leaf-influence", rounds, 1, queries=file)
                whole = mine["open"] + mine["trace"][0]
                cells.append((count, rounds, queries, whole))
                large = count == 1_000_000 and rounds == 500 and queries == 1
                text = f"{mine['open']:.1f} s to read, {mine['trace'][0]:.1f} s to trace, {mine['gib']:.1f} GiB"
                name = f"{count:,} × {rounds} × {queries}"
                rate = f"{1e9 * mine['trace'][0] / count / rounds:.1f} ns a row and tree"
                if large:
                    said.row(whole <= 60 and mine["gib"] <= 12, "leaf-influence", name, text, rate)
                else:
                    said.note("leaf-influence", name, text, rate)


def main():
    parser = checks.arguments(__doc__)
    parser.add_argument("--java", required=True, help="JDK of 25 or later")
    parser.add_argument("--peer", help="Python with tree-influence")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    data = Path(os.environ.get("ASCRIBE_DATA", checks.CHECKOUT.parent / "shared" / "data")) / "tabular"
    said = checks.Checks("what", "rows × trees × queries", "time", "", only=options.only)
    ours = Ours(options.java)
    with tempfile.TemporaryDirectory() as work:
        if said.wanted("beside"):
            said.guarded("beside", job=lambda: beside(said, ours, options.peer, data, Path(work)))
        if said.wanted("growth"):
            rows = (125_000, 250_000, 500_000) + ((1_000_000,) if options.large else ())
            said.guarded("growth", job=lambda: growth(said, ours, data, Path(work), rows, (125, 250, 500)))
    said.finish()


if __name__ == "__main__":
    main()
