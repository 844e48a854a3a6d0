"""The runs of tests/results.ts in PyTorch: the same first values, data, order and settings.

    results.py PLAN.json

PLAN is a list of runs; a line of JSON is printed for each, {name, epochs: [{val_loss, val_accuracy}]}.
A run says: source, candidate, arguments; checkpoint (a state_dict at `model`) or null for first
values; head {module, outputs} or null; freeze_but, a prefix whose parameters alone are trained, or
null; data {npz} or {text, block}; order, the training examples of each epoch; held, the indices to
validate on, or null for the data's own; batch, seed, lr.
"""

import importlib.util
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def load_model(run):
    spec = importlib.util.spec_from_file_location("model", run["source"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(run["seed"])
    model = getattr(module, run["candidate"])(**run["arguments"])
    head = run["head"]
    if head:
        before = model.get_submodule(head["module"])
        model.set_submodule(head["module"], nn.Linear(before.in_features, head["outputs"]))
    if run["checkpoint"]:
        saved = torch.load(run["checkpoint"], weights_only=True)["model"]
        own = {key: value for key, value in saved.items() if not (head and key.startswith(head["module"] + "."))}
        left = model.load_state_dict(own, strict=False)
        assert not left.unexpected_keys, left
    if run["freeze_but"]:
        for name, parameter in model.named_parameters():
            parameter.requires_grad = name.startswith(run["freeze_but"])
    return model


def load_data(data):
    """Training inputs and targets, and those that are held out or None."""
    if "npz" in data:
        arrays = np.load(data["npz"])

        def part(name):
            images = torch.from_numpy(arrays[f"{name}_images"][:, None].astype(np.float32) / np.float32(255))
            return images, torch.from_numpy(arrays[f"{name}_labels"].astype(np.int64))

        return part("train"), part("test")
    text = open(data["text"], encoding="utf8", newline="").read()
    characters = sorted(set(text))
    ids = torch.tensor([characters.index(character) for character in text])
    block = data["block"]
    starts = range(0, len(ids) - block, block)
    inputs = torch.stack([ids[at : at + block] for at in starts])
    targets = torch.stack([ids[at + 1 : at + block + 1] for at in starts])
    return (inputs, targets), None


def evaluate(model, inputs, targets, batch):
    model.eval()
    loss, hits, count = 0.0, 0, 0
    with torch.no_grad():
        for at in range(0, len(inputs), batch):
            outputs = model(inputs[at : at + batch]).flatten(0, -2)
            wanted = targets[at : at + batch].flatten()
            loss += F.cross_entropy(outputs, wanted, reduction="sum").item()
            hits += (outputs.argmax(1) == wanted).sum().item()
            count += len(wanted)
    return {"val_loss": loss / count, "val_accuracy": hits / count}


def train(run):
    model = load_model(run)
    (inputs, targets), held = load_data(run["data"])
    if run["held"] is not None:
        held = inputs[run["held"]], targets[run["held"]]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=run["lr"])
    epochs = []
    for order in run["order"]:
        model.train()
        for at in range(0, len(order), run["batch"]):
            chosen = order[at : at + run["batch"]]
            optimizer.zero_grad()
            outputs = model(inputs[chosen]).flatten(0, -2)
            F.cross_entropy(outputs, targets[chosen].flatten()).backward()
            optimizer.step()
        epochs.append(evaluate(model, *held, run["batch"]))
    return epochs


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf8") as plan:
        for run in json.load(plan):
            print(json.dumps({"name": run["name"], "epochs": train(run)}), flush=True)
