"""Models of trees by the libraries themselves: random ones for trees.py, and the small fixed ones of the tests.

    python bench/peers/tree_models.py core/src/test/resources/dev/ascribe/tree

writes one folder a model: model.json, model.ubj or model.txt; data.csv; expected.json with what the library itself says of every row:
margins, leaves, and SHAP values where it has them. Tried with xgboost 3.2.0, lightgbm 4.7.0, catboost 1.2.10, scikit-learn 1.9.1.
"""

import json
import pathlib
import sys
import tempfile
import warnings

import catboost
import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

COLOURS = ["blue", "green", "red, dark", "o", "p", "q", "r"]
FARBEN = ["blau", "grün", "rot, dunkel", "ö", "p", "q", "r"]  # XGBoost 3.2.0 garbles names beyond ASCII, see XgboostJson
LARGEST = np.finfo(float).max  # scikit-learn's threshold is infinite where only missing values go right
warnings.filterwarnings("ignore")


def dataset(rng, rows, task, missing=0.0, categories=0, zeros=0.0, weights=False, names=COLOURS):
    """Features a, b, c and, when wanted, a category; the target; row weights or None. task: 0 regression, else the number of classes."""
    x = pd.DataFrame({name: rng.normal(size=rows) for name in "abc"})
    signal = x.a + 0.5 * x.b * x.c + np.sin(2 * x.c)
    if categories:
        codes = rng.integers(0, categories, rows)
        x["colour"] = pd.Categorical.from_codes(codes, names[:categories])
        signal = signal + np.linspace(-1.5, 1.5, categories)[(codes * 3) % categories]
    signal = signal + 0.3 * rng.normal(size=rows)
    for name in "ab":
        x.loc[rng.random(rows) < missing, name] = np.nan
    if zeros:
        x.loc[rng.random(rows) < zeros, "a"] = 0.0
    if task == 0:
        y = np.round(10 + 3 * signal, 3)
    else:
        y = np.digitize(signal, np.quantile(signal, np.arange(1, task) / task))
    w = np.round(rng.uniform(0.5, 3, rows), 3) if weights else None
    return x, np.asarray(y), w


def write_case(folder, x, y, w, expected):
    table = x.copy()
    if w is not None:
        table["weight"] = w
    table["target"] = y
    table.to_csv(folder / "data.csv", index=False)
    (folder / "expected.json").write_text(json.dumps(expected, default=lambda a: a.tolist()))


def expected(margins, leaves, shap=None, **more):
    margins = np.asarray(margins, dtype=float).reshape(len(margins), -1)
    leaves = np.asarray(leaves).reshape(len(leaves), -1).astype(int)
    return {"margins": margins, "leaves": leaves, **({} if shap is None else {"shap": np.asarray(shap, dtype=float)}), **more}


def xgb(folder, x, y, w, task, rounds=8, stop=None, suffix="json", classes=None, **parameters):
    """Trains, saves, and says what the library predicts. stop: rows held out for early stopping."""
    objective = "reg:squarederror" if task == 0 else "binary:logistic" if task == 2 else "multi:softprob"
    options = {"objective": objective, "max_depth": 3, "eta": 0.3, "seed": 1, **parameters}
    if task > 2:
        options["num_class"] = task
    data = xgboost.DMatrix(x, y, weight=w, enable_categorical=True)
    evals = {}
    if stop is not None:
        evals = {"evals": [(xgboost.DMatrix(*stop, enable_categorical=True), "held_out")], "early_stopping_rounds": 2, "verbose_eval": False}
    model = xgboost.train(options, data, rounds, **evals)
    model.save_model(folder / ("model." + suffix))
    used = (0, model.best_iteration + 1) if stop is not None else (0, 0)
    margins = model.predict(data, output_margin=True, iteration_range=used)
    leaves = model.predict(data, pred_leaf=True, iteration_range=used)
    shap = None if options.get("booster") == "dart" else model.predict(data, pred_contribs=True, iteration_range=used)[:20]
    return expected(margins, leaves, shap, eta=options["eta"], **{"lambda": options.get("lambda", 1.0)})


def lgb(folder, x, y, w, task, rounds=8, stop=None, **parameters):
    objective = "regression" if task == 0 else "binary" if task == 2 else "multiclass"
    options = {"objective": objective, "num_leaves": 6, "min_data_in_leaf": 5, "learning_rate": 0.2, "verbose": -1, "seed": 1,
               "deterministic": True, "num_threads": 1, **parameters}
    if task > 2:
        options["num_class"] = task
    data = lightgbm.Dataset(x, y, weight=w)
    more = {}
    if stop is not None:
        more = {"valid_sets": [lightgbm.Dataset(stop[0], stop[1], reference=data)], "callbacks": [lightgbm.early_stopping(2, verbose=False)]}
    model = lightgbm.train(options, data, rounds, **more)
    model.save_model(folder / "model.txt")
    forest = options.get("boosting") == "rf"  # its raw scores and SHAP values are of the sum, its prediction is the mean
    margins = model.predict(x, raw_score=not forest)
    leaves = model.predict(x, pred_leaf=True)
    shap = model.predict(x, pred_contrib=True)[:20] / (rounds if forest else 1)
    return expected(margins, leaves, shap, eta=options["learning_rate"], **{"lambda": options.get("lambda_l2", 0.0)})


def cat(folder, x, y, w, task, rounds=8, **parameters):
    options = {"loss_function": "RMSE" if task == 0 else "Logloss", "iterations": rounds, "depth": 3, "learning_rate": 0.3, "random_seed": 1,
               "leaf_estimation_iterations": 1, "thread_count": 1, "allow_writing_files": False, "verbose": False, **parameters}
    model = catboost.CatBoost(options).fit(catboost.Pool(x, y, weight=w))
    model.save_model(str(folder / "model.json"), format="json")
    pool = catboost.Pool(x)
    return expected(model.predict(pool, prediction_type="RawFormulaVal"), model.calc_leaf_indexes(pool), eta=options["learning_rate"])


def forest_json(forest, names, rows):
    """The snippet of docs/methods/leaf-refit.md."""
    from sklearn.utils import check_random_state

    trees = []
    for i, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        value = tree.value[:, 0, :]
        if hasattr(forest, "classes_"):
            value = value / value.sum(axis=1, keepdims=True)
        drawn = np.bincount(forest.estimators_samples_[i], minlength=rows) if forest.bootstrap else np.ones(rows, int)
        trees.append({"left": tree.children_left, "right": tree.children_right, "feature": tree.feature, "threshold": np.clip(tree.threshold, -LARGEST, LARGEST),
                      "missingLeft": tree.missing_go_to_left.astype(bool), "value": value, "cover": tree.weighted_n_node_samples, "drawn": drawn})
    document = {"schema": "ascribe/forest/1", "task": "classification" if hasattr(forest, "classes_") else "regression",
                "features": list(names), "trees": trees}
    if hasattr(forest, "classes_"):
        document["classes"] = [str(c) for c in forest.classes_]
    return json.dumps(document, default=lambda a: a.tolist())


def forest(folder, x, y, w, task, rounds=5, **parameters):
    kind = RandomForestRegressor if task == 0 else RandomForestClassifier
    model = kind(n_estimators=rounds, max_depth=4, random_state=1, **parameters).fit(x, y, sample_weight=w)
    (folder / "model.json").write_text(forest_json(model, x.columns, len(x)))
    margins = model.predict(x) if task == 0 else model.predict_proba(x)
    return expected(margins, model.apply(x))


def cases():
    """(name, function that trains into a folder, of what data): the models of the tests."""
    wide = {"max_cat_to_onehot": 1}
    return [
        ("xgb-regression", xgb, dict(task=0), dict(**{"lambda": 2.5})),
        ("xgb-regression-ubj", xgb, dict(task=0), dict(suffix="ubj", **{"lambda": 2.5})),
        ("xgb-binary", xgb, dict(task=2, missing=0.2), dict(scale_pos_weight=2.5)),
        ("xgb-multiclass", xgb, dict(task=3, missing=0.1), dict(rounds=5)),
        ("xgb-onehot", xgb, dict(task=0, categories=4, missing=0.1), dict(max_cat_to_onehot=10)),
        ("xgb-sets", xgb, dict(task=2, categories=7, missing=0.1), wide),
        ("xgb-garbled", xgb, dict(task=0, categories=4, names=FARBEN), dict(rounds=2)),
        ("xgb-weights", xgb, dict(task=0, weights=True), dict(eta=0.1)),
        ("xgb-stopped", xgb, dict(task=2), dict(rounds=60, eta=0.7, max_depth=2, stop=True)),
        ("xgb-dart", xgb, dict(task=2), dict(booster="dart", rate_drop=0.5)),
        ("xgb-forest", xgb, dict(task=0), dict(num_parallel_tree=3, subsample=0.5, rounds=3)),
        ("xgb-subsample", xgb, dict(task=0), dict(subsample=0.5)),
        ("lgb-regression", lgb, dict(task=0), dict(lambda_l2=1.5)),
        ("lgb-binary", lgb, dict(task=2, missing=0.2), dict(scale_pos_weight=2.5)),
        ("lgb-multiclass", lgb, dict(task=3, missing=0.1), dict(rounds=5)),
        ("lgb-onehot", lgb, dict(task=0, categories=3, missing=0.1), dict(min_data_per_group=5, cat_smooth=1)),
        ("lgb-sets", lgb, dict(task=2, categories=7, missing=0.1, names=FARBEN), dict(min_data_per_group=5, cat_smooth=1)),
        ("lgb-weights", lgb, dict(task=2, weights=True), dict()),
        ("lgb-zero-missing", lgb, dict(task=0, zeros=0.3, missing=0.1), dict(zero_as_missing=True)),
        ("lgb-no-missing", lgb, dict(task=0, missing=0.1), dict(use_missing=False)),
        ("lgb-stopped", lgb, dict(task=2), dict(rounds=60, learning_rate=0.7, stop=True)),
        ("lgb-no-average", lgb, dict(task=2), dict(boost_from_average=False)),
        ("lgb-forest", lgb, dict(task=0), dict(boosting="rf", bagging_freq=1, bagging_fraction=0.7)),
        ("cat-regression", cat, dict(task=0, missing=0.2, weights=True), dict()),
        ("cat-newton", cat, dict(task=2, missing=0.2), dict(leaf_estimation_method="Newton", nan_mode="Max")),
        ("cat-gradient", cat, dict(task=2), dict(leaf_estimation_method="Gradient", boosting_type="Ordered")),
        ("forest-regression", forest, dict(task=0, missing=0.2), dict()),
        ("forest-classification", forest, dict(task=3), dict()),
    ]


def main(target):
    for name, train, of, options in cases():
        rng = np.random.default_rng(7)
        rows = 160
        x, y, w = dataset(rng, rows + 60, **of)
        options = dict(options)
        if options.pop("stop", False):
            options["stop"] = (x[rows:], y[rows:])
        x, y, w = x[:rows], y[:rows], None if w is None else w[:rows]
        folder = pathlib.Path(target) / name
        folder.mkdir(parents=True, exist_ok=True)
        write_case(folder, x, y, w, train(folder, x, y, w, of["task"], **options))
        print(name, {file.name: file.stat().st_size for file in folder.iterdir()})


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
