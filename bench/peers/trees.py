"""Random models of XGBoost, LightGBM, CatBoost and scikit-learn against the libraries live: margins and leaves of every row, and
influence against finite differences of a replay in numpy that shares no code with Ascribe.

    python bench/peers/trees.py --models 40 --seed 0
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import xgboost

import checks
import tree_models

ROWS = 150
ASKED = 3  # queries of a model
DIFFERENCED = 12  # training rows whose derivative is taken


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(f):
    e = np.exp(f - f.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Replay:
    """Boosting with a fixed structure: leaves (rows, rounds · K) as the library gives them, all leaf values from the rows."""

    def __init__(self, case, leaves, y, w, margins_before):
        self.case, self.leaves, self.y, self.w, self.start = case, leaves, y, w, margins_before
        self.k = len(margins_before)

    def gradients(self, f, w):
        case, y = self.case, self.y
        if case["task"] == 0:
            return w[:, None] * (f - y[:, None]), np.repeat(w[:, None], 1, axis=1)
        if case["task"] == 2:
            w = w * np.where(y == 1, case["options"].get("scale_pos_weight", 1.0), 1.0)
            p = sigmoid(f)
            h = np.ones_like(p) if case["options"].get("leaf_estimation_method") == "Gradient" else p * (1 - p)
            return w[:, None] * (p - y[:, None]), w[:, None] * h
        p = softmax(f)
        curvature = 2.0 if case["library"] == "xgb" else case["task"] / (case["task"] - 1)
        return w[:, None] * (p - np.eye(case["task"])[y]), curvature * w[:, None] * p * (1 - p)

    def loss(self, asked, label, factor):
        """The query's loss when each row's weight is multiplied by factor. asked: the query's leaves."""
        case, k = self.case, self.k
        f = np.repeat(self.start[None, :], len(self.y), axis=0)
        q = self.start.copy()
        lam = case["lambda"] * (self.w.mean() if case["library"] == "cat" else 1.0)
        for t in range(self.leaves.shape[1] // k):
            g, h = self.gradients(f, self.w * factor)
            for c in range(k):
                leaf = self.leaves[:, t * k + c]
                size = max(leaf.max(), asked[t * k + c]) + 1
                sums_g, sums_h = np.bincount(leaf, g[:, c], size), np.bincount(leaf, h[:, c], size)
                value = np.divide(-case["eta"] * sums_g, sums_h + lam, out=np.zeros(size), where=sums_h + lam > 0)
                f[:, c] += value[leaf]
                q[c] += value[asked[t * k + c]]
        if case["task"] == 0:
            return 0.5 * (q[0] - label) ** 2
        if case["task"] == 2:
            return np.logaddexp(0, -q[0] if label == 1 else q[0])
        return np.log(np.exp(q - q.max()).sum()) + q.max() - q[label]

    def influence(self, asked, label, row, step=1e-3):
        total = 0.0
        for weight, n in ((1, -2), (-8, -1), (8, 1), (-1, 2)):
            factor = np.ones(len(self.y))
            factor[row] = np.exp(n * step)
            total += weight * self.loss(asked, label, factor)
        return -total / (12 * step)


def intercept(case, folder, y, w):
    """Margins before the first round, as the library has them."""
    if case["library"] == "xgb":
        model = json.loads((folder / "model.json").read_text())
        base = np.array(json.loads(model["learner"]["learner_model_param"]["base_score"]), dtype=float).reshape(-1)
        return np.log(base / (1 - base)) if case["task"] == 2 else base
    if case["library"] == "cat":
        return np.array(json.loads((folder / "model.json").read_text())["scale_and_bias"][1], dtype=float)
    y = y.astype(np.float32).astype(float)
    if case["task"] == 0:
        return np.array([np.average(y, weights=w)])
    if case["task"] == 2:
        p = np.average(y == 1, weights=w)
        return np.array([np.log(p / (1 - p))])
    return np.log(np.array([np.average(y == c, weights=w) for c in range(case["task"])]))


def random_case(rng, number):
    library = ("xgb", "lgb", "cat", "forest")[number % 4]
    task = int(rng.choice([0, 2] if library == "cat" else [0, 2, 3]))
    of = {"task": task, "missing": float(rng.choice([0, 0.2])), "weights": bool(rng.integers(2)) and library != "forest"}
    if library in ("xgb", "lgb") and rng.integers(2):
        of["categories"] = int(rng.integers(2, 8))
    rounds = int(rng.integers(3, 12))
    eta, lam = float(rng.choice([0.05, 0.1, 0.3, 0.9])), float(rng.choice([0.0, 1.0, 4.5]))
    if library == "xgb":
        options = {"eta": eta, "lambda": max(lam, 0.5), "max_depth": int(rng.integers(1, 6)), "max_cat_to_onehot": int(rng.choice([1, 4, 10])),
                   "tree_method": str(rng.choice(["hist", "approx"])), "min_child_weight": 0.5, "colsample_bytree": 0.8}
    elif library == "lgb":
        options = {"learning_rate": eta, "lambda_l2": lam, "num_leaves": int(rng.integers(2, 16)), "min_data_per_group": 5, "cat_smooth": 1,
                   "cat_l2": 0.0, "feature_fraction": 0.8}
    elif library == "cat":
        options = {"learning_rate": eta, "l2_leaf_reg": max(lam, 0.5), "depth": int(rng.integers(1, 6)),
                   "leaf_estimation_method": str(rng.choice(["Newton", "Gradient"])), "boosting_type": str(rng.choice(["Plain", "Ordered"]))}
    else:
        options = {"min_samples_leaf": int(rng.integers(1, 5))}
    if task == 2 and library in ("xgb", "lgb"):
        options["scale_pos_weight"] = float(rng.choice([1.0, 3.0]))
    lam = options.get("lambda", options.get("lambda_l2", options.get("l2_leaf_reg", 0.0)))
    return {"library": library, "task": task, "of": of, "options": options, "rounds": rounds, "eta": eta, "lambda": lam,
            "name": f"{number} {library} {'regression' if task == 0 else f'{task} classes'}"}


def compare(launcher, table, case, rng, folder):
    x, y, w = tree_models.dataset(rng, ROWS, **case["of"])
    train = getattr(tree_models, case["library"])
    truth = train(folder, x, y, w, case["task"], rounds=case["rounds"], **case["options"])
    tree_models.write_case(folder, x, y, w, truth)
    asked = rng.choice(ROWS, ASKED, replace=False)
    rows = (folder / "data.csv").read_text().split("\n")
    (folder / "query.csv").write_text("\n".join([rows[0], *rows[1 : ROWS + 1]]))
    model = next(folder.glob("model.*"))
    base = ["trace", "--model", model, "--data", folder / "data.csv", "--target", "target", "--top", "all"]
    if w is not None:
        base += ["--weight", "weight"]
    shared = launcher.json(*base, "--query", folder / "query.csv", "--method", "simplex", kind="attribution")
    margins = np.array([q["prediction"] for q in shared["queries"]])
    off = np.max(np.abs(margins - truth["margins"]) / np.maximum(1, np.abs(truth["margins"])))
    leaves = truth["leaves"]
    found = np.array([[i["score"] for i in sorted(q["influences"], key=lambda i: i["row"])] for q in shared["queries"]])
    same = (leaves[:, None, :] == leaves[None, :, :]).mean(axis=2)
    wrong = int((np.abs(found - same) > 1e-9).sum())
    if case["library"] == "forest":
        table.row(off < 1e-6 and wrong == 0, case["name"], float(off), wrong, "", "")
        return
    (folder / "asked.csv").write_text("\n".join([rows[0], *(rows[1 + r] for r in asked)]))
    traced = launcher.json(*base, "--query", folder / "asked.csv", kind="attribution")
    weights = np.ones(ROWS) if w is None else w.astype(np.float32).astype(float)
    labels = y.astype(np.float32).astype(float) if case["task"] == 0 else y
    replay = Replay(case, leaves, labels, weights, intercept(case, folder, y, weights))
    worst = 0.0
    for query, row in zip(traced["queries"], asked):
        scores = np.array([i["score"] for i in sorted(query["influences"], key=lambda i: i["row"])])
        picked = np.argsort(-np.abs(scores))[: DIFFERENCED // 2].tolist() + rng.choice(ROWS, DIFFERENCED // 2).tolist()
        exact = np.array([replay.influence(leaves[row], labels[row], i) for i in picked])
        worst = max(worst, np.max(np.abs(exact - scores[picked])) / np.max(np.abs(scores)))
    reconstruction = traced["model"]["reconstruction"]["worst"]
    table.row(off < 1e-6 and wrong == 0 and worst < 1e-5, case["name"], float(off), wrong, float(reconstruction), float(worst))


def main():
    parser = checks.arguments(__doc__)
    parser.add_argument("--models", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    launcher = checks.Launcher(options.ascribe)
    out = options.out or Path(tempfile.mkdtemp(prefix="trees-"))
    print(f"xgboost {xgboost.__version__}, seed {options.seed}, {out}")
    table = checks.Checks("model", "margins, largest difference", "pairs of rows whose shared leaves differ", "leaves, worst", "influence, worst", only=options.only)
    for number in range(options.models):
        rng = np.random.default_rng([options.seed, number])
        case = random_case(rng, number)
        if not table.wanted(case["name"]):
            continue
        folder = out / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        table.guarded(case["name"], job=lambda: compare(launcher, table, case, rng, folder))
    table.finish()


if __name__ == "__main__":
    main()
