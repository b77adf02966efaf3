#!/usr/bin/env python3
"""Customer x offer: one LightGBM model scores every pair, all eligible offers of a decision in one call.

    python train.py [FOLDER]

The data is made up. What to copy: thresholds rounded down to f32 before the export, ZipMap off, a dynamic number of rows.
"""

import re
import sys
from pathlib import Path

import lightgbm
import numpy as np
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

sys.path.append(str(Path(__file__).resolve().parent.parent))
from common import N_TRAIN, N_VALID, finish, folder, sigmoid


def main():
    out = folder(__file__)
    columns, taken = pairs(np.random.default_rng(20260105), N_TRAIN + N_VALID)
    table = np.stack(list(columns.values()), axis=1)
    settings = {"objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "seed": 1, "deterministic": True}
    settings |= {"force_row_wise": True, "num_threads": 1, "verbosity": -1}
    data = lightgbm.Dataset(table[:N_TRAIN].astype(np.float64), label=taken[:N_TRAIN], feature_name=list(columns))
    booster = lightgbm.train(settings, data, 60)
    booster = lightgbm.Booster(model_str=round_thresholds_down(booster.model_to_string()))
    types = [("pairs", FloatTensorType([None, len(columns)]))]
    model = convert_lightgbm(booster, name="pairs", initial_types=types, zipmap=False)
    # The converter declares [1] for the label, and it is [n].
    next(of for of in model.graph.output if of.name == "label").type.tensor_type.shape.dim[0].Clear()
    feed = lambda of: {"pairs": np.stack(list(of.values()), axis=1).astype(np.float32)}
    finish(out, model.SerializeToString(), columns, feed, lambda outputs: outputs[1][:, 1], taken)


def pairs(random, n):
    """Draws a customer and an offer: who spends much takes dear offers, who is new takes cheap ones; some spend is unknown."""
    spent = random.lognormal(3.5, 1.0, n)
    visits = random.poisson(3, n)
    price = random.choice([5.0, 20.0, 80.0], n)
    discount = random.choice([0.0, 0.1, 0.3], n)
    logit = -1.2 - 1.1 * np.abs(np.log(spent) - np.log(price) - 0.5) + 3 * discount + 0.15 * visits
    taken = (random.random(n) < sigmoid(logit)).astype(np.int64)
    spent[random.random(n) < 0.2] = np.nan
    columns = {"spent": spent, "visits": visits, "price": price, "discount": discount}
    return {name: values.astype(np.float32) for name, values in columns.items()}, taken


def round_thresholds_down(text):
    """Moves every threshold to the next f32 at or below it, so that no f32 changes sides; see models/purchase-intent."""

    def lower(match):
        return "threshold=" + " ".join(repr(at_or_below(float(number))) for number in match[1].split())

    text = re.sub(r"^threshold=(.*)$", lower, text, flags=re.MULTILINE)
    return re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)


def at_or_below(number):
    nearest = np.float32(number)
    return float(np.nextafter(nearest, np.float32(-np.inf)) if float(nearest) > number else nearest)


if __name__ == "__main__":
    main()
