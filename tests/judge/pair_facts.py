"""Writes two checkpoints with equal numbers, and what PyTorch says differs beside them.

    pair_facts.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

folder = Path(sys.argv[1])
torch.manual_seed(1)
x = torch.randn(2, 3, 4, 5)
integers = torch.arange(6, dtype=torch.int8).reshape(2, 3)
scales = torch.tensor([0.5, 0.25], dtype=torch.float64)
zeros = torch.zeros(2, dtype=torch.int64)
tied = torch.randn(3, 3)
a = {
    "image": x,
    "moved": x.permute(0, 3, 1, 2),
    "parameter": nn.Parameter(x.clone()),
    "frozen": nn.Parameter(x.clone(), requires_grad=False),
    "scaled": torch._make_per_tensor_quantized_tensor(integers, 0.5, 1),
    "same": x.clone(),
    "embed": tied,
    "head": tied,
}
b = {
    "image": x.contiguous(memory_format=torch.channels_last),
    "moved": x.permute(0, 3, 1, 2).contiguous(),
    "parameter": x.clone(),
    "frozen": nn.Parameter(x.clone()),
    "scaled": torch._make_per_tensor_quantized_tensor(integers, 0.25, 1),
    "same": x.clone(),
    "embed": tied.clone(),
    "head": tied.clone(),
}


def memory_format(tensor):
    if tensor.is_contiguous():
        return "contiguous"
    if tensor.is_contiguous(memory_format=torch.channels_last):
        return "channels_last"
    return f"strides {tuple(tensor.stride())}"


def describe(state, name):
    tensor = state[name]
    elements = lambda it: (it.data_ptr(), it.shape, it.stride())
    ties = [other for other, it in state.items() if other != name and elements(it) == elements(tensor)]
    facts = {}
    if tensor.is_quantized:
        facts |= {"scale": repr(tensor.q_scale()), "zero_point": repr(tensor.q_zero_point())}
    return facts | {
        "requires_grad": str(tensor.requires_grad),
        "nn.Parameter": str(isinstance(tensor, nn.Parameter)),
        "memory format": memory_format(tensor),
        "tied with": ties[0] if ties else "none",
    }


torch.save(a, folder / "a.pt")
torch.save(b, folder / "b.pt")
a, b = (torch.load(folder / name, weights_only=False) for name in ("a.pt", "b.pt"))
expected = {}
for name in a:
    one, other = describe(a, name), describe(b, name)
    expected[name] = [{"label": key, "a": one[key], "b": other[key]} for key in one if one[key] != other[key]]
(folder / "expected.json").write_text(json.dumps(expected))
