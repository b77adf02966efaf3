#!/usr/bin/env python3
"""A small PyTorch network: what it needs (scaling, what is unknown, the sigmoid) is inside the ONNX file.

    python train.py [FOLDER]

The data is made up. What to copy: `eval()` before the export, a dynamic number of rows, the sigmoid in the graph, and a
column more for each one that may be unknown. Its products of matrices do not promise the same bits in every batch, so the
engine runs its rows one by one.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import torch

sys.path.append(str(Path(__file__).resolve().parent.parent))
from common import N_TRAIN, N_VALID, finish, folder, sigmoid


class Network(torch.nn.Module):
    def __init__(self, mean, scale):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        n = len(mean)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(2 * n, 16), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 1), torch.nn.Sigmoid()
        )

    def forward(self, features):
        unknown = torch.isnan(features)
        scaled = torch.where(unknown, torch.zeros_like(features), (features - self.mean) / self.scale)
        return self.layers(torch.cat([scaled, unknown.to(torch.float32)], dim=1))


def main():
    out = folder(__file__)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    columns, taken = customers(np.random.default_rng(20260107), N_TRAIN + N_VALID)
    table = torch.from_numpy(np.stack(list(columns.values()), axis=1))
    network = fit(table[:N_TRAIN], torch.from_numpy(taken[:N_TRAIN].astype(np.float32)))
    path = out / "model.onnx"
    with warnings.catch_warnings():
        # The exporter that needs nothing but `onnx` says at every call that there is another one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (table[:2],),
            str(path),
            dynamo=False,
            input_names=["features"],
            output_names=["probability"],
            dynamic_axes={"features": {0: "n"}, "probability": {0: "n"}},
        )
    feed = lambda of: {"features": np.stack(list(of.values()), axis=1)}
    finish(out, path.read_bytes(), columns, feed, lambda outputs: outputs[0][:, 0], taken)


def fit(features, taken):
    known = torch.nan_to_num(features, nan=0.0)
    network = Network(known.mean(0), known.std(0))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(15):
        for rows in torch.randperm(len(features)).split(256):
            loss = torch.nn.functional.binary_cross_entropy(network(features[rows])[:, 0], taken[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def customers(random, n):
    minutes, pages, spent = random.exponential(4, n), random.poisson(5, n), random.lognormal(3, 1, n)
    logit = -3 + 0.25 * minutes + 0.1 * pages + 0.4 * np.log(spent)
    taken = (random.random(n) < sigmoid(logit)).astype(np.int64)
    spent[random.random(n) < 0.2] = np.nan
    columns = {"minutes": minutes, "pages": pages, "spent": spent}
    return {name: values.astype(np.float32) for name, values in columns.items()}, taken


if __name__ == "__main__":
    main()
