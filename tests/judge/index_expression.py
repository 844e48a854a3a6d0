"""Indexes tensors by expressions. In: [{shape, strides, offset, text}]; out: the views, or the errors."""

import json
import sys
import warnings

import torch

warnings.simplefilter("ignore")  # bounds beyond 64 bits


def view(case):
    size = case["offset"] + 1 + sum((n - 1) * s for n, s in zip(case["shape"], case["strides"]))
    tensor = torch.arange(max(size, 0)).as_strided(case["shape"], case["strides"], case["offset"])
    try:
        tensor = eval(f"tensor[{case['text']}]")
    except (IndexError, ValueError) as error:
        return {"error": str(error)}
    return {
        "shape": list(tensor.shape),
        "strides": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "elements": tensor.flatten().tolist(),
    }


print(json.dumps([view(case) for case in json.load(sys.stdin)]))
