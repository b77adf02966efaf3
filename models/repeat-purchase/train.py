#!/usr/bin/env python3
"""Trains the repeat-purchase model on a table that `attune backtest --features` wrote, and writes model.onnx and
golden.json beside this file.

    python train.py TABLE.csv

`build` does everything, from the invoices to the model. Equal versions give equal bytes. Python 3.11, and:

    pip install lightgbm==4.7.0 onnxmltools==1.16.0 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 \
        scikit-learn==1.9.1 numpy==2.4.6
"""

import csv
import json
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxruntime
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

HERE = Path(__file__).resolve().parent
SEED = 20260105
# The label looks so far ahead, and so many of the last weeks are for the test.
HORIZON = timedelta(days=28)
N_TEST_WEEKS = 4
# Rows of the first weeks know too little of anybody.
WARM_UP = timedelta(days=28)

SETTINGS = {
    "objective": "binary",
    "num_leaves": 7,
    "learning_rate": 0.04,
    "min_data_in_leaf": 200,
    "lambda_l2": 5.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 63,
    "seed": SEED,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
N_TREES = 150
# Copies of the training rows, for columns that may be unknown where the model is used.
MASKED_WEIGHT, MASK = 0.25, 0.2


def main():
    columns, at, features, label = read(Path(sys.argv[1]))
    weeks = np.unique(at)
    test = np.isin(at, weeks[-N_TEST_WEEKS:])
    # The label of a training row must be known before the first test week begins.
    train = (at >= weeks[0] + WARM_UP) & (at + HORIZON <= weeks[-N_TEST_WEEKS])
    booster = fit(columns, features[train], label[train])
    model = export(booster, columns)
    (HERE / "model.onnx").write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    predicted = predict(session, features)
    report(session, booster, columns, (at, features, label, predicted), train, test)
    write_golden(columns, features[test], label[test], predicted[test])


def read(path):
    """Returns the columns of the model, the moments, the features (f32, [n, k], NaN where unknown) and the labels."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    header, rows = rows[0], rows[1:]
    assert header[:2] == ["customer", "at"] and header[-1] == "label", header
    at = np.array([datetime.fromisoformat(row[1].replace("Z", "")) for row in rows])
    features = np.array([[float(x) if x else np.nan for x in row[2:-1]] for row in rows], dtype=np.float32)
    return header[2:-1], at, features, np.array([int(row[-1]) for row in rows])


def fit(columns, features, label):
    """Every column is masked somewhere, so that every split has a side for NaN, which the export keeps."""
    random = np.random.default_rng(SEED)
    masked = np.where(random.random(features.shape) < MASK, np.float32(np.nan), features)
    table = lightgbm.Dataset(
        np.concatenate([features, masked]).astype(np.float64),
        label=np.tile(label, 2),
        weight=np.repeat([1.0, MASKED_WEIGHT], len(label)),
        feature_name=columns,
    )
    booster = lightgbm.train(SETTINGS, table, N_TREES)
    return lightgbm.Booster(model_str=round_thresholds_down(booster.model_to_string()))


def round_thresholds_down(text):
    """Moves every threshold to the next f32 at or below it: ONNX keeps f32, and `x <= t` then means the same."""

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


def export(booster, columns):
    """Returns the ONNX model: `features` f32 [n, k] in; `label` and `probabilities` f32 [n, 2] out."""
    model = convert_lightgbm(
        booster,
        name="repeat-purchase",
        initial_types=[("features", FloatTensorType([None, len(columns)]))],
        zipmap=False,
    )
    model.doc_string = "Columns: " + ", ".join(columns)
    label = next(output for output in model.graph.output if output.name == "label")
    label.type.tensor_type.shape.dim[0].Clear()  # The converter declares [1], and it is [n].
    model.opset_import.sort(key=lambda opset: opset.domain)  # The converter has them in the order of a set.
    onnx.checker.check_model(model)
    return model


def predict(session, features):
    return session.run(["probabilities"], {"features": features.astype(np.float32)})[0][:, 1]


def report(session, booster, columns, table, train, test):
    """Prints the figures of the model card, from the ONNX model."""
    at, features, label, predicted = table
    print(f"train {train.sum()} rows, {label[train].mean():.3f} order again; test {test.sum()} rows, {label[test].mean():.3f}")
    print("\n| week | rows | order again | mean predicted | AUC | log loss | Brier |\n|---|---|---|---|---|---|---|")
    for week in [*np.unique(at[test]), None]:
        rows = test if week is None else at == week
        figures = [metric(label[rows], predicted[rows]) for metric in (roc_auc_score, log_loss, brier_score_loss)]
        name = "all four" if week is None else f"{week:%Y-%m-%d}"
        rates = f"{label[rows].mean():.3f} | {predicted[rows].mean():.3f}"
        print(f"| {name} | {rows.sum()} | {rates} | " + " | ".join(f"{figure:.4f}" for figure in figures) + " |")
    last = -features[:, columns.index("days_since_last")]
    print(f"\nRecency alone: AUC {roc_auc_score(label[test], last[test]):.4f}")
    print(f"Train: AUC {roc_auc_score(label[train], predicted[train]):.4f}")
    print("\n| predicted | rows | mean predicted | order again |\n|---|---|---|---|")
    edges = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0]
    for low, high in zip(edges, edges[1:]):
        inside = test & (predicted >= low) & (predicted < high)
        if inside.any():
            print(f"| {low:g} to {high:g} | {inside.sum()} | {predicted[inside].mean():.3f} | {label[inside].mean():.3f} |")
    print(f"\nLightGBM and ONNX differ by at most {parity(session, booster, features):.1e}")


def parity(session, booster, features):
    """Returns the largest difference over all rows, whole and with holes."""
    random = np.random.default_rng(SEED + 1)
    tables = [features]
    for rate in [0.1, 0.5, 1.0]:
        tables.append(np.where(random.random(features.shape) < rate, np.float32(np.nan), features))
    return max(np.abs(booster.predict(table.astype(np.float64)) - predict(session, table)).max() for table in tables)


def write_golden(columns, features, label, predicted):
    """Writes 12 rows of the test weeks, half of which order again, and what the ONNX model says of them."""
    random = np.random.default_rng(SEED)
    picks = [random.choice(np.flatnonzero(label == i % 2)) for i in range(12)]
    named = [{column: shortest(x) for column, x in zip(columns, features[pick])} for pick in picks]
    lines = [json.dumps({"inputs": row, "output": shortest(predicted[pick])}) for row, pick in zip(named, picks)]
    text = '{"tolerance": 1e-6, "rows": [\n  ' + ",\n  ".join(lines) + "\n]}\n"
    (HERE / "golden.json").write_text(text)


def shortest(x):
    """Returns the shortest decimal that reads back as this f32; nothing where it is unknown."""
    if np.isnan(x):
        return None
    number = float(str(x))
    return int(number) if number.is_integer() else number


if __name__ == "__main__":
    main()
