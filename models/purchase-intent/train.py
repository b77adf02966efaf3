#!/usr/bin/env python3
"""Trains the purchase-intent model and writes model.onnx and golden.json beside this file.

    python train.py [online_shoppers.csv.gz] [--cross-validate | --rows train.csv]

Without a path the table is read from ../../../shared/data/online_shoppers.csv.gz, relative to this file.
`--cross-validate` prints the figures that the settings were chosen by (5 folds of the train split) and writes nothing.
`--rows` writes the rows of the train split as a server sees sessions whose site sends no analytics, and nothing else:
what `attune models baseline` counts.
Equal versions give equal bytes. Python 3.11, and:

    pip install lightgbm==4.7.0 onnxmltools==1.16.0 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 \
        scikit-learn==1.9.1 numpy==2.4.6 pandas==3.1.1
"""

import argparse
import csv
import gzip
import json
import re
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxruntime
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

HERE = Path(__file__).resolve().parent
TABLE = HERE / "../../../shared/data/online_shoppers.csv.gz"

# The columns, in the order of model.yaml: first what the engine folds from events, then what a site may send.
SESSION = [
    "Administrative",
    "Administrative_Duration",
    "Informational",
    "Informational_Duration",
    "ProductRelated",
    "ProductRelated_Duration",
    "Month",
    "Weekend",
    "ReturningVisitor",
]
ANALYTICS = [
    "BounceRates",
    "ExitRates",
    "PageValues",
    "SpecialDay",
    "OperatingSystems",
    "Browser",
    "Region",
    "TrafficType",
]
COLUMNS = SESSION + ANALYTICS
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
RETURNING = {"Returning_Visitor": 1.0, "New_Visitor": 0.0, "Other": np.nan}

SEED = 20180801
N_TREES = 220
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "seed": SEED,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}

# Masking: each training row appears once whole, once without the analytics columns, and N_MASKED times with columns
# dropped one by one. Masked copies count MASKED_WEIGHT each.
N_MASKED = 4
MASKED_WEIGHT = 0.5
MASK_ANALYTICS = 0.3
MASK_SESSION = 0.03


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", type=Path, default=TABLE)
    parser.add_argument("--cross-validate", action="store_true")
    parser.add_argument("--rows", type=Path)
    args = parser.parse_args()

    train, valid = read(args.table)
    if args.cross_validate:
        cross_validate(*train)
        return
    if args.rows:
        write_rows(args.rows, train[0])
        return
    booster = fit(*train)
    model = export(booster)
    (HERE / "model.onnx").write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    report(session, booster, *valid)
    write_golden(session, *valid)


def read(path):
    """Returns ((features, bought) of train, the same of valid); features are f32, [n, 17], NaN where unknown."""
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    features = np.array([[value(row, column) for column in COLUMNS] for row in rows], dtype=np.float32)
    bought = np.array([int(row["Revenue"]) for row in rows])
    is_train = np.array([row["split"] == "train" for row in rows])
    return (features[is_train], bought[is_train]), (features[~is_train], bought[~is_train])


def value(row, column):
    if column == "Month":
        return MONTHS.index(row["Month"]) + 1
    if column == "ReturningVisitor":
        return RETURNING[row["VisitorType"]]
    return float(row[column])


def fit(features, bought):
    """Trains on the rows and their masked copies. Every column is masked somewhere: so LightGBM gives every split a
    side for NaN, which the export keeps; a column never seen as NaN would read NaN as 0 here and not in ONNX."""
    random = np.random.default_rng(SEED)
    copies, weights = [features, without(features, ANALYTICS)], [1.0, MASKED_WEIGHT]
    rates = np.array([MASK_SESSION] * len(SESSION) + [MASK_ANALYTICS] * len(ANALYTICS))
    for _ in range(N_MASKED):
        copies.append(np.where(random.random(features.shape) < rates, np.float32(np.nan), features))
        weights.append(MASKED_WEIGHT)
    table = lightgbm.Dataset(
        np.concatenate(copies).astype(np.float64),
        label=np.tile(bought, len(copies)),
        weight=np.repeat(weights, len(bought)),
        feature_name=COLUMNS,
    )
    booster = lightgbm.train(SETTINGS, table, N_TREES)
    return lightgbm.Booster(model_str=round_thresholds_down(booster.model_to_string()))


def round_thresholds_down(text):
    """Moves every threshold to the next f32 at or below it.

    ONNX keeps thresholds as f32. `x <= t` means the same for every f32 `x` when `t` is rounded down; rounded to
    nearest, as the converter does, a value that lies between can change sides.
    """

    def lower(match):
        numbers = [float(number) for number in match[1].split()]
        return "threshold=" + " ".join(repr(float32_at_or_below(number)) for number in numbers)

    text = re.sub(r"^threshold=(.*)$", lower, text, flags=re.MULTILINE)
    # The sizes index the text by byte; without them LightGBM reads it from start to end.
    return re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)


def float32_at_or_below(number):
    nearest = np.float32(number)
    if float(nearest) > number:
        nearest = np.nextafter(nearest, np.float32(-np.inf))
    return float(nearest)


def export(booster):
    """Returns the ONNX model: `features` f32 [n, 17] in; `label` and `probabilities` f32 [n, 2] out."""
    model = convert_lightgbm(
        booster,
        name="purchase-intent",
        initial_types=[("features", FloatTensorType([None, len(COLUMNS)]))],
        zipmap=False,
    )
    model.doc_string = "Columns: " + ", ".join(COLUMNS)
    label = next(output for output in model.graph.output if output.name == "label")
    label.type.tensor_type.shape.dim[0].Clear()  # The converter declares [1], and it is [n].
    model.opset_import.sort(key=lambda opset: opset.domain)  # The converter has them in the order of a set.
    onnx.checker.check_model(model)
    return model


def predict(session, features):
    return session.run(["probabilities"], {"features": features.astype(np.float32)})[0][:, 1]


def without(features, columns):
    """Returns a copy with the columns unknown."""
    copy = features.copy()
    copy[:, [COLUMNS.index(column) for column in columns]] = np.nan
    return copy


def report(session, booster, features, bought):
    """Prints the figures of the model card, all of them from the ONNX model on the valid split."""
    whole, session_only = predict(session, features), predict(session, without(features, ANALYTICS))
    print("| columns known | AUC | 95% interval | log loss | Brier |\n|---|---|---|---|---|")
    for name, predicted in [("all 17", whole), ("the 9 session columns only", session_only)]:
        low, high = interval(bought, predicted)
        print(
            f"| {name} | {roc_auc_score(bought, predicted):.4f} | {low:.3f} to {high:.3f} "
            f"| {log_loss(bought, predicted):.4f} | {brier_score_loss(bought, predicted):.4f} |"
        )
    print(f"\nConstant base rate: log loss {log_loss(bought, np.full(len(bought), bought.mean())):.4f}")

    print("\n| missing column | AUC | log loss |\n|---|---|---|")
    for column in COLUMNS:
        predicted = predict(session, without(features, [column]))
        print(f"| {column} | {roc_auc_score(bought, predicted):.4f} | {log_loss(bought, predicted):.4f} |")

    calibration("all columns", whole, bought)
    calibration("session columns only", session_only, bought)
    print(f"\nLightGBM and ONNX differ by at most {parity(session, booster, features):.1e}")


def calibration(name, predicted, bought):
    print(f"\nCalibration, {name}:\n\n| predicted | sessions | mean predicted | bought |\n|---|---|---|---|")
    edges = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0]
    for low, high in zip(edges, edges[1:]):
        inside = (predicted >= low) & (predicted < high)
        if inside.any():
            mean, rate = predicted[inside].mean(), bought[inside].mean()
            print(f"| {low:g} to {high:g} | {inside.sum()} | {mean:.3f} | {rate:.3f} |")


def interval(bought, predicted, n_draws=1000):
    """Returns the 2.5% and 97.5% points of the AUC over bootstrap draws."""
    random = np.random.default_rng(SEED)
    draws = [random.integers(0, len(bought), len(bought)) for _ in range(n_draws)]
    return np.quantile([roc_auc_score(bought[draw], predicted[draw]) for draw in draws], [0.025, 0.975])


def parity(session, booster, features):
    """Returns the largest difference over whole rows, rows without analytics, and rows with holes in any column, and
    over rows whose values sit exactly on thresholds."""
    random = np.random.default_rng(SEED + 1)
    tables = [features, without(features, ANALYTICS)]
    for rate in [0.1, 0.3, 0.5, 0.9, 1.0]:
        tables.append(np.where(random.random(features.shape) < rate, np.float32(np.nan), features))
    tables.append(threshold_rows(booster, random))
    return max(np.abs(booster.predict(table.astype(np.float64)) - predict(session, table)).max() for table in tables)


def threshold_rows(booster, random, n_rows=20000):
    """Returns rows drawn from the thresholds themselves and their f32 neighbors: the values that rounding can hurt."""
    trees = booster.trees_to_dataframe()
    columns = []
    for column in COLUMNS:
        at = np.unique(trees.loc[trees["split_feature"] == column, "threshold"].astype(np.float32))
        around = [np.nextafter(at, np.float32(-np.inf)), at, np.nextafter(at, np.float32(np.inf))]
        columns.append(random.choice(np.concatenate(around), n_rows))
    return np.stack(columns, axis=1).astype(np.float32)


def write_golden(session, features, bought):
    """Writes 12 rows of the valid split, some with unknown columns, and what the ONNX model says of them."""
    holes = [[], [], [], [], ["PageValues"], ["PageValues"], ["BounceRates", "ExitRates"], ["Month", "Weekend"]]
    holes += [["ReturningVisitor", "Region", "Browser"], ANALYTICS, ANALYTICS, COLUMNS]
    random = np.random.default_rng(SEED)
    picks = [random.choice(np.flatnonzero(bought == i % 2)) for i in range(len(holes))]
    rows = np.concatenate([without(features[[pick]], hole) for pick, hole in zip(picks, holes)])
    outputs = predict(session, rows)
    lines = [json.dumps({"inputs": named(row), "output": shortest(output)}) for row, output in zip(rows, outputs)]
    text = '{"tolerance": 1e-5, "rows": [\n  ' + ",\n  ".join(lines) + "\n]}\n"
    (HERE / "golden.json").write_text(text)


def named(row):
    return {column: None if np.isnan(x) else shortest(x) for column, x in zip(COLUMNS, row)}


def shortest(x):
    """Returns the shortest decimal that reads back as this f32."""
    number = float(str(x))
    return int(number) if number.is_integer() else number


def write_rows(path, features):
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in without(features, ANALYTICS):
            table.writerow("" if np.isnan(x) else shortest(x) for x in row)


def cross_validate(features, bought, n_repeats=2):
    """Prints the out-of-fold figures of the train split. The valid split takes no part."""
    cases = {"all columns": [], "session columns only": ANALYTICS, "without PageValues": ["PageValues"]}
    figures = {name: [] for name in cases}
    for repeat in range(n_repeats):
        folds = StratifiedKFold(5, shuffle=True, random_state=repeat)
        predicted = {name: np.zeros(len(bought)) for name in cases}
        for inside, outside in folds.split(features, bought):
            booster = fit(features[inside], bought[inside])
            for name, hole in cases.items():
                predicted[name][outside] = booster.predict(without(features[outside], hole).astype(np.float64))
        for name in cases:
            figures[name].append((roc_auc_score(bought, predicted[name]), log_loss(bought, predicted[name])))
    for name, pairs in figures.items():
        auc, loss = np.mean(pairs, axis=0)
        print(f"{name}: AUC {auc:.4f}, log loss {loss:.4f}")


if __name__ == "__main__":
    main()
