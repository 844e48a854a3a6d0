"""The tensors of checkpoints by their names, dtypes and shapes, as PyTorch loads them.

    report.py PATH...   prints a JSON list of [name, dtype, shape, bytes, largest] for each path, a
                        line each; largest is of finite floats, null where there are none
"""

import json
import sys

import torch


def tensors(value, name=""):
    """Every tensor with its keys joined by dots, in order."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from tensors(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from tensors(item, f"{name}.{index}" if name else str(index))


def largest(tensor):
    if not tensor.dtype.is_floating_point or tensor.dtype.itemsize == 1:
        return None
    finite = tensor.double()[tensor.double().isfinite()]
    return finite.max().item() if finite.numel() > 0 else None


for path in sys.argv[1:]:
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    rows = [
        [name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape), tensor.nbytes, largest(tensor)]
        for name, tensor in tensors(checkpoint)
    ]
    print(json.dumps(rows))
