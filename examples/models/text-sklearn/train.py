#!/usr/bin/env python3
"""String columns: a scikit-learn pipeline that takes texts as they are; the encoding is inside the ONNX file.

    python train.py [FOLDER]

The data is made up. What to copy: one input for each column, by its name; `handle_unknown="ignore"`, so that a text that
training never saw is none of those it knows; ZipMap off.
"""

import sys
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

sys.path.append(str(Path(__file__).resolve().parent.parent))
from common import N_TRAIN, N_VALID, finish, folder, sigmoid

TEXTS = ["job", "country"]
NUMBERS = ["age", "orders"]


def main():
    out = folder(__file__)
    columns, taken = customers(np.random.default_rng(20260106), N_TRAIN + N_VALID)
    table = np.stack([columns[name].astype(object) for name in TEXTS + NUMBERS], axis=1)
    encode = ColumnTransformer(
        [("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), [0, 1])], remainder="passthrough"
    )
    trees = GradientBoostingClassifier(n_estimators=60, max_depth=3, random_state=1)
    pipeline = Pipeline([("encode", encode), ("trees", trees)]).fit(table[:N_TRAIN], taken[:N_TRAIN])
    types = [("texts", StringTensorType([None, len(TEXTS)])), ("numbers", FloatTensorType([None, len(NUMBERS)]))]
    # The file takes the texts in one table and the numbers in another; the manifest has them in this order.
    model = to_onnx(pipeline, initial_types=types, options={id(trees): {"zipmap": False}}, target_opset=17)
    finish(out, model.SerializeToString(), columns, feed, lambda outputs: outputs[1][:, 1], taken)


def feed(columns):
    return {
        "texts": np.stack([columns[name].astype(object) for name in TEXTS], axis=1),
        "numbers": np.stack([columns[name] for name in NUMBERS], axis=1).astype(np.float32),
    }


def customers(random, n):
    job = random.choice(["student", "clerk", "retired", "chef", ""], n, p=[0.2, 0.4, 0.2, 0.1, 0.1])
    country = random.choice(["de", "fr", "pl"], n)
    age = np.where(job == "student", random.integers(18, 30, n), random.integers(25, 80, n))
    orders = random.poisson(2, n)
    worth = {"student": 0.9, "clerk": -0.4, "retired": 0.7, "chef": -0.9, "": 0.0}
    logit = -1.6 + np.vectorize(worth.get)(job) + 0.5 * orders + np.where(country == "fr", 0.8, 0.0)
    taken = (random.random(n) < sigmoid(logit)).astype(np.int64)
    columns = {"job": job, "country": country, "age": age.astype(np.float32), "orders": orders.astype(np.float32)}
    return columns, taken


if __name__ == "__main__":
    main()
