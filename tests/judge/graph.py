"""What PyTorch's forward hooks see of models. Reads cases as JSON from standard input:

    [{"name", "source", "model", "shape", "vocabulary"?}, …]

`source` is a path from the repository's root, `model` a class in it, `shape` the input with its
batch: normal numbers, or token ids below `vocabulary`. Writes FOLDER/NAME.pt: {state, input,
outputs, attention}, the last two by module path; and prints as JSON, by case and path, the counts of
parameters, own and all, and of multiply-adds, and of every output {mean, std, min, max, zeros}. Attention weights are those
of PyTorch's documentation for scaled_dot_product_attention, and the ones that nn.MultiheadAttention
gives when it is asked.

    graph.py FOLDER < cases.json
"""

import importlib.util
import json
import math
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

root = pathlib.Path(__file__).resolve().parent.parent.parent
folder = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(3)
calls = []
attention = {}
attend = F.scaled_dot_product_attention


def weights_of(q, k, mask, is_causal, enable_gqa):
    keys = k.repeat_interleave(q.size(-3) // k.size(-3), -3) if enable_gqa else k
    scores = q @ keys.transpose(-2, -1) / math.sqrt(q.size(-1))
    if is_causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(hidden, float("-inf"))
    return torch.softmax(scores if mask is None else scores + mask, -1)


def noted(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, enable_gqa=False):
    attention[calls[-1]] = weights_of(q, k, attn_mask, is_causal, enable_gqa)
    return attend(q, k, v, attn_mask, dropout_p, is_causal, enable_gqa=enable_gqa)


def multiplied(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, enable_gqa=False):
    """By matrix products alone, which is what PyTorch's counter knows on the CPU."""
    values = v.repeat_interleave(q.size(-3) // v.size(-3), -3) if enable_gqa else v
    return weights_of(q, k, attn_mask, is_causal, enable_gqa) @ values


def enter(path):
    return lambda *_: calls.append(path)


def leave(path, outputs):
    def hook(module, args, kwargs, output):
        calls.pop()
        # What follows may change it in place.
        outputs[path] = (output[0] if isinstance(output, tuple) else output).clone()
        if isinstance(module, nn.MultiheadAttention):
            asked = {**kwargs, "need_weights": True, "average_attn_weights": False}
            attention[path] = module.forward(*args, **asked)[1]

    return hook


def describe(value):
    std, mean = torch.std_mean(value.double())
    return {
        "mean": mean.item(),
        "std": std.item(),
        "min": value.min().item(),
        "max": value.max().item(),
        "zeros": (value == 0).sum().item(),
    }


def count(parameters):
    return sum(parameter.numel() for parameter in parameters)


def multiply_adds(counts, model, path):
    """PyTorch counts a multiply-add as two operations, and names modules below their model."""
    return sum(counts.get(f"{model}.{path}" if path else model, {}).values()) / 2


told = {}
for case in json.load(sys.stdin):
    spec = importlib.util.spec_from_file_location("source", root / case["source"])
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    model = getattr(source, case["model"])().eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    shape = case["shape"]
    given = torch.randint(case["vocabulary"], shape) if "vocabulary" in case else torch.randn(shape)
    F.scaled_dot_product_attention = multiplied
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(given)
    counts = counter.get_flop_counts()
    F.scaled_dot_product_attention = noted
    outputs = {}
    attention = {}
    for path, module in model.named_modules():
        module.register_forward_pre_hook(enter(path))
        module.register_forward_hook(leave(path, outputs), with_kwargs=True)
    with torch.no_grad():
        model(given)
    torch.save(
        {"model": model.state_dict(), "input": given, "outputs": outputs, "attention": attention},
        folder / f"{case['name']}.pt",
    )
    told[case["name"]] = {
        path: {
            "own": count(module.parameters(recurse=False)),
            "all": count(module.parameters()),
            "multiplied": multiply_adds(counts, case["model"], path) if path in outputs else None,
            "output": describe(outputs[path]) if path in outputs else None,
        }
        for path, module in model.named_modules()
    }
print(json.dumps(told))
