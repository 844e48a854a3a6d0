"""Evaluates what the lab copies of tensors, and loads what it downloads.

    tensor_view.py FOLDER

reads FOLDER/tensors.pt, FOLDER/literals.json and FOLDER/N.npy for its N-th tensor, and prints the
names of those that differ; a NaN stays a NaN, its payload is free.
"""

import json
import sys
from pathlib import Path

import numpy
import torch

folder = Path(sys.argv[1])


def bits(tensor):
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    zero = torch.zeros((), dtype=tensor.dtype)
    if tensor.is_floating_point():
        nan = tensor.float().isnan()
    else:
        nan = torch.zeros_like(tensor, dtype=torch.bool)
    kept = torch.where(nan, zero, tensor)
    return nan, kept.contiguous().view(-1).view(torch.uint8) if kept.numel() else kept


def same(one, other):
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return all(torch.equal(a, b) for a, b in zip(bits(one), bits(other)))


tensors = torch.load(folder / "tensors.pt")
literals = json.loads((folder / "literals.json").read_text())
wrong = []
for at, (name, tensor) in enumerate(tensors.items()):
    made = eval(literals[name], {"torch": torch})
    if not same(made, tensor):
        wrong.append(f"literal of {name}")
    wide = tensor
    if tensor.dtype == torch.complex32:
        wide = tensor.to(torch.complex64)
    elif tensor.dtype.itemsize <= 2 and tensor.is_floating_point() and tensor.dtype != torch.float16:
        wide = tensor.float()
    if not same(torch.from_numpy(numpy.load(folder / f"{at}.npy")), wide):
        wrong.append(f"array of {name}")
print(json.dumps(wrong))
