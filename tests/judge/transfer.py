"""Changed models in PyTorch: what a new head, freezing and LoRA give.

    transfer.py FOLDER < CASES

CASES is JSON, a list of {name, model, seed, head: [path, outputs] | null, freeze: [glob],
lora: {rank, alpha, dropout, layers: [path]} | null, input: [shape, size of the vocabulary | 0]}. Writes for
each FOLDER/NAME-….pt:

base     the state_dict of the model as it is made
start    that of the changed model as it is made
state    the same with other numbers in lora_B and in BatchNorm's statistics
result   {input, output, loss, gradients, buffers}: the output in evaluation; the loss, its gradients
         and the buffers of a training pass
merged   with LoRA: the weights with the update added, under the base's names, and their output

LoRA is added by the formula in a forward hook, under the names that PEFT has.
"""

import fnmatch
import json
import math
import pathlib
import sys

import torch
from torch import nn

import transfer_models

folder = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)


def is_turned(layer):
    return not isinstance(layer, nn.Linear)


def add_lora(layer, rank, alpha, dropout):
    """A and B beside the layer. Gives them by their names."""
    outputs, inputs = layer.weight.shape[::-1] if is_turned(layer) else layer.weight.shape
    a, b = nn.Linear(inputs, rank, bias=False), nn.Linear(rank, outputs, bias=False)
    nn.init.kaiming_uniform_(a.weight, a=math.sqrt(5))
    nn.init.zeros_(b.weight)

    def hook(layer, args, output):
        x = nn.functional.dropout(args[0], dropout, layer.training)
        return output + (x @ a.weight.T @ b.weight.T) * (alpha / rank)

    handle = layer.register_forward_hook(hook)
    return handle, {"lora_A.default.weight": a.weight, "lora_B.default.weight": b.weight}


def run(case):
    torch.manual_seed(case["seed"])
    model = getattr(transfer_models, case["model"])()
    save = lambda what, value: torch.save(value, folder / f"{case['name']}-{what}.pt")
    copy = lambda tensors: {key: value.detach().clone() for key, value in tensors.items()}
    save("base", copy(model.state_dict()))
    if case["head"]:
        path, outputs = case["head"]
        old = model.get_submodule(path)
        model.set_submodule(path, nn.Linear(old.in_features, outputs, bias=old.bias is not None))
    layers, updates, handles = {}, {}, []
    lora = case["lora"]
    for path in lora["layers"] if lora else []:
        layers[path] = model.get_submodule(path)
        handle, own = add_lora(layers[path], lora["rank"], lora["alpha"], lora["dropout"])
        handles.append(handle)
        updates.update({f"{path}.{name}": value for name, value in own.items()})

    def named(tensors):
        """Under the names of the changed model."""
        renamed = {}
        for key, value in tensors:
            path = next((path for path in layers if key.startswith(path + ".")), None)
            renamed[key if path is None else key.replace(path, path + ".base_layer", 1)] = value
        return {**renamed, **updates}

    save("start", copy(named(model.state_dict().items())))
    with torch.no_grad():
        for key, value in named(model.state_dict().items()).items():
            if "lora_B" in key:
                value.normal_(0, 0.2)
            elif "running_mean" in key or "running_var" in key:
                value.uniform_(0.2, 1.2)
    save("state", copy(named(model.state_dict().items())))
    shape, vocabulary = case["input"]
    given = torch.randint(0, vocabulary, shape) if vocabulary else torch.randn(shape)
    model.eval()
    output = model(given).detach()
    model.train()
    parameters = named(model.named_parameters())
    head = case["head"][0] + "." if case["head"] else None
    for key, parameter in parameters.items():
        trained = not lora or key in updates or bool(head and key.startswith(head))
        for glob in case["freeze"]:
            if fnmatch.fnmatchcase(key, glob.removeprefix("!")):
                trained = glob.startswith("!")
        parameter.requires_grad_(trained)
    loss = model(given).square().mean()
    loss.backward()
    gradients = {key: value.grad for key, value in parameters.items() if value.grad is not None}
    buffers = copy(dict(model.named_buffers()))
    result = {"input": given, "output": output, "loss": loss.detach(), "gradients": gradients}
    save("result", {**result, "buffers": buffers})
    if not lora:
        return
    model.load_state_dict(torch.load(folder / f"{case['name']}-state.pt"), strict=False)
    for handle in handles:
        handle.remove()
    with torch.no_grad():
        for path, layer in layers.items():
            a, b = updates[f"{path}.lora_A.default.weight"], updates[f"{path}.lora_B.default.weight"]
            delta = (b @ a) * (lora["alpha"] / lora["rank"])
            layer.weight += delta.T if is_turned(layer) else delta
        # The statistics as they were before the training pass.
        state = torch.load(folder / f"{case['name']}-state.pt")
        for key, value in model.named_buffers():
            value.copy_(state[key])
        merged = copy(model.state_dict())
        save("merged", {"state": merged, "output": model.eval()(given)})


for case in json.load(sys.stdin):
    run(case)
