"""What the examples share: made-up customers, and the files of a model's folder."""

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

N_TRAIN, N_VALID = 8_000, 4_000


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def folder(script):
    """Returns the folder to write to: the argument, else that of the script."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", nargs="?", type=Path, default=Path(script).resolve().parent)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    return out


def finish(out, model, columns, feed, output, labels):
    """Writes model.onnx, golden.json and train.csv, and prints the AUC of the validation rows.

    - columns: name -> numpy array of all rows, in the order of model.yaml; NaN or '' where unknown
    - feed: makes the inputs of onnxruntime of such columns
    - output: takes the scores out of its outputs
    """
    (out / "model.onnx").write_bytes(model)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    scores = np.asarray(output(session.run(None, feed(columns))), dtype=np.float64)
    area = auc(labels[N_TRAIN:], scores[N_TRAIN:])
    golden = [{"inputs": row(columns, idx), "output": float(scores[idx])} for idx in range(N_TRAIN, N_TRAIN + 12)]
    lines = ",\n  ".join(json.dumps(of) for of in golden)
    (out / "golden.json").write_text('{"tolerance": 1e-6, "rows": [\n  ' + lines + "\n]}\n")
    with open(out / "train.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows([blank(columns[name][idx]) for name in columns] for idx in range(N_TRAIN))
    print(f"AUC {area:.3f}")
    if area < 0.7:
        sys.exit("the model has learnt nothing")


def row(columns, idx):
    return {name: None if blank(values[idx]) == "" else plain(values[idx]) for name, values in columns.items()}


def plain(value):
    """Returns the shortest decimal that reads back as this f32; a text as it is."""
    return str(value) if isinstance(value, str) else float(str(np.float32(value)))


def blank(value):
    return "" if not isinstance(value, str) and np.isnan(value) else value


def auc(labels, scores):
    """Returns the share of pairs in the right order; ties count half."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    for value in np.unique(scores):
        tied = scores == value
        ranks[tied] = ranks[tied].mean()
    n_yes = labels.sum()
    return (ranks[labels == 1].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * (len(labels) - n_yes))
