"""Judges traced graphs: builds the same model in PyTorch, and replays the graph op by op.

Reads a list of cases as JSON from standard input and writes a list of verdicts. A case names its
source file, the model in it, the arguments as Python text, the shapes of the inputs, and the graph
of each mode; a case without graphs only asks whether PyTorch refuses it, and one with expressions
what CPython makes of them.
"""

import copy
import importlib.util
import json
import math
import sys
from unittest import mock

import torch
import torch.nn.functional as F


def load(path, stubs):
    for name in stubs:
        sys.modules.setdefault(name, mock.MagicMock())
    name = path.rsplit("/", 1)[-1].removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def build(case):
    module = load(case["path"], case.get("stubs", []))
    model = getattr(module, case["model"])
    if not isinstance(model, torch.nn.Module):
        model = model(**eval(f"dict({case.get('arguments', '')})", vars(module)))
    return model


def randomise(model):
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.5 + 0.1)
                tensor.mul_(torch.where(torch.rand(tensor.shape, generator=generator) < 0.5, -1.0, 1.0))
        for name, buffer in model.named_buffers():
            if name.endswith("running_var"):
                buffer.abs_()
            if name.endswith("num_batches_tracked"):
                buffer.fill_(3)


def replay(graph, state, inputs):
    values = []
    for node in graph["nodes"]:
        x = [None if i is None else values[i] for i in node["inputs"]]
        value = run(node["op"], x, node["attrs"], state, inputs)
        expected = node["shape"], node["dtype"]
        found = list(value.shape), str(value.dtype).removeprefix("torch.")
        assert found == expected or list(found) == list(expected), (node, found)
        values.append(value)
    return [values[i] for i in graph["outputs"]]


def run(op, x, a, state, inputs):
    if op == "input":
        return inputs[a["index"]]
    if op == "parameter":
        return state[a["key"]]
    if op == "linear":
        return F.linear(*x)
    if op == "conv2d":
        return F.conv2d(*x, a["stride"], a["padding"], a["dilation"], a["groups"])
    if op == "batch_norm":
        value, weight, bias, mean, variance, count = x
        momentum = a["momentum"]
        if a["training"] and count is not None:
            count += 1
            momentum = 1 / count.item() if momentum is None else momentum
        return F.batch_norm(
            value, mean, variance, weight, bias, a["training"], momentum or 0.0, a["eps"]
        )
    if op == "max_pool2d":
        return F.max_pool2d(
            x[0], a["kernel_size"], a["stride"], a["padding"], a["dilation"], a["ceil_mode"]
        )
    if op == "add":
        one, two = [a["scalar"] if value is None else value for value in x]
        return one + a["alpha"] * two
    plain = {
        "relu": lambda value: F.relu(value),
        "adaptive_avg_pool2d": lambda value: F.adaptive_avg_pool2d(value, a["output_size"]),
        "dropout": lambda value: F.dropout(value, a["p"], a["training"]),
        "log_softmax": lambda value: F.log_softmax(value, a["dim"]),
        "softmax": lambda value: F.softmax(value, a["dim"]),
        "reshape": lambda value: value.reshape(a["shape"]),
    }
    return plain[op](x[0])


def error(value, reference):
    """The largest difference over the largest reference."""
    if value is None or reference is None:
        return 0.0 if value is reference else float("inf")
    difference = (value - reference).abs().max().item() if value.numel() else 0.0
    return difference / max(reference.abs().max().item() if value.numel() else 0.0, 1e-12)


def as_list(value):
    return list(value) if isinstance(value, (tuple, list)) else [value]


def compare(model, graph, shapes, training):
    """Outputs, gradients and buffers of the module and of its graph."""
    generator = torch.Generator().manual_seed(11)
    inputs = [torch.randn(shape, generator=generator) for shape in shapes]
    module = copy.deepcopy(model).train(training)
    twin = copy.deepcopy(model)
    outputs = as_list(module(*[value.clone() for value in inputs]))
    replayed = replay(graph, twin.state_dict(keep_vars=True), [value.clone() for value in inputs])
    assert len(outputs) == len(replayed)
    # Outputs that are all alike would make any graph pass.
    assert all(value.isfinite().all() and value.std() > 0 for value in outputs)
    for result in outputs, replayed:
        weights = [torch.linspace(-1, 1, value.numel()).view(value.shape) for value in result]
        sum((value * weight).sum() for value, weight in zip(result, weights)).backward()
    pairs = list(zip(module.parameters(), twin.parameters()))
    return {
        "shapes": [list(value.shape) for value in outputs],
        "outputs": max(map(error, replayed, outputs)),
        "gradients": max([error(b.grad, a.grad) for a, b in pairs], default=0.0),
        "buffers": max([error(b, a) for a, b in zip(module.buffers(), twin.buffers())], default=0.0),
    }


def describe(model):
    return {
        "state": [
            [key, list(value.shape), str(value.dtype).removeprefix("torch."), value.requires_grad]
            for key, value in model.state_dict(keep_vars=True).items()
        ],
        "parameters": [name for name, _ in model.named_parameters()],
    }


def show(expression):
    try:
        return repr(eval(expression, {"math": math}))
    except Exception as exception:
        return type(exception).__name__


def judge(case):
    if "expressions" in case:
        return [show(expression) for expression in case["expressions"]]
    try:
        model = build(case)
        if "graphs" not in case:
            model.train(case.get("training", False))
            with torch.no_grad():
                model(*[torch.randn(shape) for shape in case["inputs"]])
            return {"error": None}
    except Exception as exception:  # what PyTorch says is the verdict
        return {"error": f"{type(exception).__name__}: {exception}"}
    verdict = describe(model)
    randomise(model)
    for mode, graph in case["graphs"].items():
        verdict[mode] = compare(model, graph, case["inputs"], mode == "train")
    return verdict


print(json.dumps([judge(case) for case in json.load(sys.stdin)]))
