"""Whether the rows that a tree method names are those that the model needs: removal of the top tenth, and LDS, on real tables.

    python bench/peers/trees_useful.py [--seeds 5] [--queries 12] [--subsets 64] [--only '(adult|concrete|german)']

For each table and seed: a split, an XGBoost model of 100 rounds, and test rows as queries. Removal: the model is trained again without the
tenth of the rows that a method puts first, and the rise of the query's loss is compared with that without a random tenth. LDS: Spearman
correlation, over models trained on random halves, of the query's loss with what the sum of the scores of the half predicts (sign turned). Means over queries, then mean
and 95 % t interval over seeds. Every method sees the same models, queries, halves. XGBoost's own training is the judge; nothing of Ascribe's is used but `trace --top ALL`.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost
from scipy import stats

import checks

METHODS = ("leaf-influence", "leaf-refit", "leaf-influence-sp", "boostin", "boostin-published", "trex", "leaf-path", "tree-sim", "simplex",
           "shap-similarity")
PARAMETERS = {"max_depth": 5, "eta": 0.1, "lambda": 1.0, "nthread": 2, "seed": 0, "verbosity": 0}
ROUNDS = 100
ADULT = ("age workclass fnlwgt education education-num marital-status occupation relationship race sex capital-gain capital-loss hours-per-week"
         " native-country income").split()


def tables(data):
    """Name, frame with the column `label` last, and objective of each table."""
    adult = pd.read_csv(data / "adult-train.csv", names=ADULT, skipinitialspace=True, na_values="?")
    adult = adult.rename(columns={"income": "label"})
    adult["label"] = (adult["label"] == ">50K").astype(int)
    yield "adult", adult, "binary:logistic", 5000
    concrete = pd.read_csv(data / "concrete.data", sep="\t", header=None, names=[f"x{i}" for i in range(8)] + ["label"])
    yield "concrete", concrete, "reg:squarederror", 800
    german = pd.read_csv(data / "german.csv", header=None, names=[f"x{i}" for i in range(20)] + ["label"])
    german["label"] = (german["label"] == 2).astype(int)  # bad
    yield "german", german, "binary:logistic", 800


class Table:
    """One split of one table."""

    def __init__(self, frame, objective, rows, queries, seed):
        frame = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
        for column in frame.columns:
            if not pd.api.types.is_numeric_dtype(frame[column]):
                frame[column] = frame[column].astype("category")
        self.objective = objective
        self.train, self.test = frame[:rows], frame[rows:rows + queries]

    def model(self, chosen=None):
        part = self.train if chosen is None else self.train.iloc[chosen]
        matrix = xgboost.DMatrix(part.drop(columns="label"), part["label"], enable_categorical=True)
        return xgboost.train(PARAMETERS | {"objective": self.objective}, matrix, ROUNDS)

    def losses(self, model):
        """The queries' losses, shape (queries)."""
        margins = model.predict(xgboost.DMatrix(self.test.drop(columns="label"), enable_categorical=True), output_margin=True).astype(float)
        label = self.test["label"].to_numpy()
        if self.objective == "reg:squarederror":
            return 0.5 * (margins - label) ** 2
        return np.logaddexp(0, np.where(label == 1, -margins, margins))


def scores(launcher, method, work, rows):
    """Of all training rows, shape (queries, rows), and seconds."""
    begun = time.monotonic()
    document = launcher.json("trace", "--model", work / "model.json", "--data", work / "train.csv", "--target", "label", "--query", work / "test.csv",
                             "--method", method, "--top", "ALL", kind="attribution")
    seconds = time.monotonic() - begun
    out = np.zeros((len(document["queries"]), rows))
    for query, found in enumerate(document["queries"]):
        for influence in found["influences"]:
            out[query, influence["row"]] = influence["score"]
    return out, seconds


def study(launcher, table, work, seed, options):
    """For each method (rise of the loss, LDS), for `random` the rise; means over the queries."""
    rng = np.random.default_rng(seed)
    rows, queries = len(table.train), len(table.test)
    tenth = rows // 10
    full = table.model()
    full.save_model(work / "model.json")
    table.train.to_csv(work / "train.csv", index=False)
    table.test.to_csv(work / "test.csv", index=False)
    before = table.losses(full)
    halves = [np.sort(rng.permutation(rows)[:rows // 2]) for _ in range(options.subsets)]
    actual = np.array([table.losses(table.model(half)) for half in halves])  # (subsets, queries)
    random = []
    for _ in range(options.queries):
        rest = np.sort(rng.permutation(rows)[tenth:])
        random.append(table.losses(table.model(rest)) - before)
    found = {"random": (np.mean(random), np.nan)}
    for method in METHODS:
        score, _ = scores(launcher, method, work, rows)
        rises, lds = [], []
        for query in range(queries):
            rest = np.sort(np.argsort(-score[query], kind="stable")[tenth:])
            rises.append(table.losses(table.model(rest))[query] - before[query])
            predicted = [-score[query, half].sum() for half in halves]
            lds.append(stats.spearmanr(predicted, actual[:, query]).statistic)
        found[method] = (np.mean(rises), np.mean(lds))
    found["loss"] = (before.mean(), np.nan)
    return found


def interval(values):
    values = np.asarray(values)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3f} ({values.mean() - half:.3f} to {values.mean() + half:.3f})", values.mean() - half, values.mean() + half


def main():
    parser = checks.arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=12)
    parser.add_argument("--subsets", type=int, default=64)
    options = parser.parse_args()
    launcher = checks.Launcher(options.ascribe)
    data = Path(os.environ.get("ASCRIBE_DATA", checks.CHECKOUT.parent / "shared" / "data")) / "tabular"
    said = checks.Checks("table", "method", "rise of the loss", "LDS", "leaf-influence less this: rise", "LDS", only=options.only)
    for name, frame, objective, rows in tables(data):
        if not said.wanted(name):
            continue
        seeds = []
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as work:
                seeds.append(study(launcher, Table(frame, objective, rows, options.queries, seed), Path(work), seed, options))
        rise = {m: np.array([found[m][0] for found in seeds]) for m in seeds[0]}
        lds = {m: np.array([found[m][1] for found in seeds]) for m in seeds[0]}
        said.note(name, "(loss of the whole model)", f"{rise['loss'].mean():.3f}", "", "", "")
        said.note(name, "random", interval(rise["random"])[0], "", interval(rise["leaf-influence"] - rise["random"])[0], "")
        for method in METHODS:
            cells = [name, method, interval(rise[method])[0], interval(lds[method])[0]]
            if method == "leaf-influence":
                said.row(interval(rise[method] - rise["random"])[1] > 0, *cells, "", "")
            else:
                said.note(*cells, interval(rise["leaf-influence"] - rise[method])[0], interval(lds["leaf-influence"] - lds[method])[0])
    said.finish()


if __name__ == "__main__":
    main()
