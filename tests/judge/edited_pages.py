"""Checkpoints for the Edit page, and whether what it wrote is what Python makes of them.

    edited_pages.py make FOLDER
    edited_pages.py check FOLDER
"""

import json
import pathlib
import sys
from collections import OrderedDict

import numpy as np
import torch
from safetensors.torch import load_file, save_file

folder = pathlib.Path(sys.argv[2])
LAYERS = ("first", "second", "third")


def make():
    torch.manual_seed(0)
    weights = OrderedDict((f"{name}.weight", torch.randn(16, 16)) for name in LAYERS)
    weights["tied.weight"] = weights["first.weight"]
    checkpoint = {"model": weights, "epoch": 3, "betas": (0.9, 0.99), 7: {"best": float("inf")}}
    torch.save(checkpoint, folder / "a.pt")
    save_file({key: torch.randn(16, 16) for key in weights}, folder / "b.safetensors")
    pairs = {}
    for name in LAYERS[:2]:
        pairs[f"base_model.model.{name}.lora_A.weight"] = torch.randn(2, 16)
        pairs[f"base_model.model.{name}.lora_B.weight"] = torch.randn(16, 2)
    save_file(pairs, folder / "adapter.safetensors")
    np.save(folder / "array.npy", np.arange(6, dtype=np.int16).reshape(2, 3))


def check():
    load = lambda name: torch.load(folder / name, weights_only=True)
    a = load("a.pt")
    model, b, pairs = a["model"], load_file(folder / "b.safetensors"), load_file(folder / "adapter.safetensors")

    joined = load("joined.pt")
    rest = lambda checkpoint: {key: checkpoint[key] for key in checkpoint if key != "model"}
    tied = joined["model"]["tied.weight"].data_ptr() == joined["model"]["first.weight"].data_ptr()
    same = equal(joined["model"], model) and type(joined["model"]) is OrderedDict

    merged, lora = load("merged.pt")["model"], load("lora.pt")["model"]
    average = {key: 0.5 * model[key] + 0.5 * b[key] for key in model}
    update = lambda name, part: pairs[f"base_model.model.{name}.lora_{part}.weight"]
    added = {f"{name}.weight": 2 * (update(name, "B") @ update(name, "A")) for name in LAYERS[:2]}
    wanted = {key: weight + added.get(key, 0) for key, weight in model.items() if key != "tied.weight"}
    put = load("put.pt")["extra"]
    print(
        json.dumps(
            {
                "joined": same and tied and rest(joined) == rest(a) and list(joined) == list(a),
                "merged": near(merged, average),
                "lora": near({key: lora[key] for key in wanted}, wanted),
                "put": put.dtype == torch.int16 and torch.equal(put, torch.arange(6).reshape(2, 3).short()),
            }
        )
    )


def equal(one, other):
    return list(one) == list(other) and all(torch.equal(one[key], other[key]) for key in one)


def near(one, other):
    return one.keys() == other.keys() and all(torch.allclose(one[key], other[key], 0, 1e-5) for key in one)


{"make": make, "check": check}[sys.argv[1]]()
