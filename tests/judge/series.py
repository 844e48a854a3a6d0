"""Writes checkpoints of a run whose model grows on the way, and what becomes of each tensor.

    series.py FOLDER

FOLDER gets four checkpoints, whose names are not in the order of their epochs, and expected.json: by
name and shape the norm in each, in their order, and the norm of the difference from the one before;
null where one of them lacks the tensor, or has another shape, or numbers that are not finite.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

folder = Path(sys.argv[1])
torch.manual_seed(5)


def noise(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)


model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
states = []
for epoch in range(4):
    noise(model)
    if epoch == 2:
        model[2] = nn.Linear(3, 5)  # another head
        model.append(nn.Linear(5, 5))
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if epoch == 1:
        state["0.bias"][1] = float("nan")
    if epoch == 3:
        del state["1.weight"]
    states.append(state)

# Told by a key, by the name, wrapped by DDP on the way.
torch.save({"epoch": 0, "model": states[0]}, folder / "z.pt")
torch.save({"epoch": 1, "model": {"module." + key: it for key, it in states[1].items()}}, folder / "y.pt")
torch.save(states[2], folder / "x_epoch2.pt")
torch.save({"state_dict": states[3], "epoch": 3}, folder / "epoch=0.pt")

lines = {}
for at, state in enumerate(states):
    for name, tensor in state.items():
        key = f"{name} {list(tensor.shape)}"
        line = lines.setdefault(key, {"norms": [None] * 4, "moves": [None] * 4})
        before = states[at - 1].get(name) if at > 0 else None
        tensor = tensor.double()
        if not tensor.isfinite().all():
            continue
        line["norms"][at] = tensor.norm().item()
        if before is not None and before.shape == tensor.shape and before.isfinite().all():
            line["moves"][at] = (tensor - before.double()).norm().item()
(folder / "expected.json").write_text(json.dumps(lines))
