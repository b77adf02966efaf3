#!/usr/bin/env python3
"""Trains the deposit-response model on made-up customers, and writes model.onnx and golden.json beside this file.

    python train.py

The data is synthetic: `customers` below draws it, and nobody's behaviour is in it. Replace that function with your own
history (a row an occasion, as it looked when the score was asked for, and whether a deposit was opened), and keep the
rest. No personal attribute is a column, only what customers do with their money and in the app.
Equal versions give equal bytes. Python 3.11, and:

    pip install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
NAME = "deposit-response"
# The columns, in the order of model.yaml.
COLUMNS = ["balance_thousands", "salaries", "deposit_pages", "calculations", "has_deposit"]
SEED = 20260105
N_ROWS = 20_000


def main():
    random = np.random.default_rng(SEED)
    features, bought = customers(random, N_ROWS)
    n_train = N_ROWS * 3 // 4
    weights, bias = fit(features[:n_train], bought[:n_train])
    model = export(weights, bias)
    (HERE / "model.onnx").write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    report(predict(session, features[n_train:]), bought[n_train:])
    write_golden(session, features[n_train:])


def customers(random, n):
    """Draws customers on the day after they have used the rate calculator: means and interest make them respond."""
    interest = random.normal(size=n)
    balance = np.minimum(random.lognormal(1.2, 1.0, n), 200.0)
    salaries = random.binomial(3, 0.7, n)
    deposit_pages = random.poisson(1.2 * np.exp(0.6 * interest))
    calculations = 1 + random.poisson(0.7 * np.exp(0.7 * interest))
    has_deposit = random.random(n) < 0.15
    logit = -3.2 + 0.9 * interest + 0.6 * np.log1p(balance) + 0.2 * salaries - 1.0 * has_deposit
    bought = random.random(n) < sigmoid(logit)
    features = np.stack([balance, salaries, deposit_pages, calculations, has_deposit], axis=1)
    return features.astype(np.float32), bought.astype(np.float64)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def fit(features, bought, n_steps=25, ridge=1.0):
    """Fits a logistic regression by Newton's method; returns the weights of the raw columns, and the bias."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    x = np.column_stack([(features - mean) / scale, np.ones(len(features))])
    weights = np.zeros(x.shape[1])
    penalty = ridge * np.diag([1.0] * features.shape[1] + [0.0])
    for _ in range(n_steps):
        p = sigmoid(x @ weights)
        gradient = x.T @ (p - bought) + penalty @ weights
        weights -= np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + penalty, gradient)
    raw = weights[:-1] / scale
    return raw, weights[-1] - raw @ mean


def export(weights, bias):
    """Returns the ONNX model: `features` f32 [n, columns] in, `probability` f32 [n, 1] out."""
    tensors = [
        numpy_helper.from_array(weights.astype(np.float32)[:, None], "weights"),
        numpy_helper.from_array(np.array([bias], dtype=np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("Gemm", ["features", "weights", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["probability"]),
    ]
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", len(COLUMNS)])]
    outputs = [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", 1])]
    graph = helper.make_graph(nodes, NAME, inputs, outputs, tensors)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    model.doc_string = "Columns: " + ", ".join(COLUMNS)
    onnx.checker.check_model(model)
    return model


def predict(session, features):
    return session.run(["probability"], {"features": features})[0][:, 0]


def report(predicted, bought):
    """Prints the figures of the README, on rows that took no part in the training."""
    order = predicted.argsort()
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    n_yes = bought.sum()
    auc = (ranks[bought == 1].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * (len(bought) - n_yes))
    loss = -np.mean(bought * np.log(predicted) + (1 - bought) * np.log(1 - predicted))
    rate = bought.mean()
    base = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    print(f"{len(bought)} rows, {rate:.1%} yes: AUC {auc:.3f}, log loss {loss:.3f} (the rate alone: {base:.3f})")
    for low, high in [(0, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 1)]:
        inside = (predicted >= low) & (predicted < high)
        print(f"| {low} to {high} | {inside.sum()} | {predicted[inside].mean():.3f} | {bought[inside].mean():.3f} |")


def write_golden(session, features, n_rows=6):
    """Writes rows and what the ONNX model says of them; `attune check` runs them when it loads the model."""
    rows = features[:n_rows]
    pairs = zip(rows, predict(session, rows))
    named = lambda row: {column: shortest(x) for column, x in zip(COLUMNS, row)}
    lines = [json.dumps({"inputs": named(row), "output": shortest(output)}) for row, output in pairs]
    (HERE / "golden.json").write_text('{"tolerance": 1e-5, "rows": [\n  ' + ",\n  ".join(lines) + "\n]}\n")


def shortest(x):
    """Returns the shortest decimal that reads back as this f32."""
    number = float(str(x))
    return int(number) if number.is_integer() else number


if __name__ == "__main__":
    main()
