"""Judges torch.optim's rules: every row is an optimizer with options, run over the same parameters
and the same gradients by PyTorch and by the lab.

    optimizers.py start FOLDER < ROWS
    optimizers.py old FOLDER < ROWS
    optimizers.py finish FOLDER < ROWS

ROWS is a list of {id, name, options, groups: [{parameters: [glob], options}], old}; JSON.

start    writes FOLDER/start.pt {parameters, gradients: {key: (STEPS, …)}, from: {key: the first step
         with a gradient}}, and half.pt {id: {parameters, optimizer}} after HALF steps.
old      writes old.pt, the same as half.pt for rows with `old`; for an earlier PyTorch.
finish   reads what the lab made, {id: {parameters, optimizer}} after STEPS steps: all-*.pt from the
         start, half-*.pt from half.pt, old-*.pt from old.pt. Prints a line for each file and row:
         {file, id, error, where, structure, onward}. `error` is the largest relative error of a
         parameter or state against PyTorch alone, at `where`; `structure` says what is not the same in
         keys, order, types, dtypes and shapes; `onward` is the error after PyTorch has loaded the lab's
         file and gone on for MORE steps. Then a line for each row, {file: "own", id, error}: the
         distance of PyTorch's float32 from its float64.
"""

import fnmatch
import glob
import json
import os
import sys

import torch

STEPS, HALF, MORE = 50, 25, 5
SHAPES = {"weight": (4, 3), "bias": (3,), "late": ()}
FIRST = {"weight": 0, "bias": 0, "late": 10}


def draw():
    """Parameters and gradients, the latter of very different sizes, and now and then zero."""
    generator = torch.Generator().manual_seed(7)
    parameters, gradients = {}, {}
    for key, shape in SHAPES.items():
        parameters[key] = torch.randn(shape, generator=generator)
        drawn = torch.randn((STEPS + MORE, *shape), generator=generator)
        sizes = 10 ** torch.randn(shape, generator=generator)
        kept = torch.rand(drawn.shape, generator=generator) > 0.1
        gradients[key] = drawn * sizes * kept + 0.1 * sizes
    return parameters, gradients


def divide(row, parameters):
    """The param_groups that a script would write, with the names of their parameters."""
    left = dict(parameters)
    groups = []
    for group in row["groups"]:
        keys = [k for k in left if any(fnmatch.fnmatchcase(k, it) for it in group["parameters"])]
        groups.append({**plain(group["options"]), "params": [(key, left.pop(key)) for key in keys]})
    return groups + [{"params": list(left.items())}] if left else groups


def plain(options):
    """Arguments in Python's types: all numbers are floats."""

    def value_of(value):
        if isinstance(value, list):
            return tuple(map(float, value))
        return float(value) if type(value) is int else value

    return {key: value_of(value) for key, value in options.items()}


class Run:
    """An optimizer and its parameters, at a step."""

    def __init__(self, row, parameters, dtype=torch.float32):
        self.parameters = {key: value.clone().to(dtype) for key, value in parameters.items()}
        groups = divide(row, self.parameters)
        options = plain(row["options"])
        if row["name"] == "SGD":
            options.setdefault("lr", 0.001)  # the default since 2.3
        kind = getattr(torch.optim, row["name"])
        self.optimizer = kind(groups if row["groups"] else self.parameters.values(), **options)

    def steps(self, begin, end):
        for step in range(begin, end):
            for key, parameter in self.parameters.items():
                late = step < FIRST[key]
                parameter.grad = None if late else gradients[key][step].to(parameter.dtype)
            self.optimizer.step()
        return self

    def load(self, saved):
        for key, parameter in self.parameters.items():
            parameter.copy_(saved["parameters"][key])
        self.optimizer.load_state_dict(saved["optimizer"])
        return self

    def save(self):
        parameters = {key: value.clone() for key, value in self.parameters.items()}
        return copied({"parameters": parameters, "optimizer": self.optimizer.state_dict()})


def copied(value):
    """A copy that later steps do not change."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(copied(item) for item in value)
    return value.clone() if isinstance(value, torch.Tensor) else value


def differences(value, reference, path=""):
    """What is not the same but for the numbers in tensors."""
    if type(value) is not type(reference):
        return [f"{path}: {type(value).__name__}, not {type(reference).__name__}"]
    if isinstance(value, torch.Tensor):
        same = value.dtype == reference.dtype and value.shape == reference.shape
        of = f"{value.dtype} {list(value.shape)}, not {reference.dtype} {list(reference.shape)}"
        return [] if same else [f"{path}: {of}"]
    if isinstance(value, dict):
        if list(value) != list(reference):
            return [f"{path}: {list(value)}, not {list(reference)}"]
        pairs = [(key, value[key], reference[key]) for key in value]
    elif isinstance(value, (list, tuple)):
        if len(value) != len(reference):
            return [f"{path}: {len(value)} items, not {len(reference)}"]
        pairs = [(key, *items) for key, items in enumerate(zip(value, reference))]
    else:
        return [] if value == reference else [f"{path}: {value!r}, not {reference!r}"]
    return [it for key, a, b in pairs for it in differences(a, b, f"{path}[{key!r}]")]


def tensors(saved):
    for key, value in saved["parameters"].items():
        yield key, value
    for id, state in saved["optimizer"]["state"].items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                yield f"state[{id}].{name}", value


def worst(saved, reference):
    """The largest relative error of a tensor, and where; NaN and a missing tensor are infinite."""
    values = dict(tensors(saved))
    largest = (0.0, "")
    for name, expected in tensors(reference):
        value = values.get(name)
        if value is None or value.shape != expected.shape:
            return float("inf"), name
        difference = (value.double() - expected.double()).abs().max().item()
        scale = expected.double().abs().max().item()
        error = 0.0 if difference == 0 else difference / scale if scale else float("inf")
        largest = max(largest, (error if error == error else float("inf"), name))
    return largest


def judge(name, saved, row, half):
    """What a file says of a row against PyTorch alone; `half` where that began half way."""
    alone = Run(row, parameters)
    alone = alone.load(half).steps(HALF, STEPS) if half else alone.steps(0, STEPS)
    expected = alone.save()
    error, where = worst(saved, expected)
    onward = Run(row, parameters).load(saved).steps(STEPS, STEPS + MORE).save()
    return {
        "file": name,
        "id": row["id"],
        "error": error,
        "where": where,
        "structure": differences(saved["optimizer"], expected["optimizer"]),
        "onward": worst(onward, alone.steps(STEPS, STEPS + MORE).save())[0],
    }


def distance(row):
    """PyTorch's float32 from its float64."""
    single, double = (Run(row, parameters, it).steps(0, STEPS) for it in (torch.float32, torch.float64))
    return worst(single.save(), double.save())[0]


command, folder = sys.argv[1:]
rows = json.load(sys.stdin)
parameters, gradients = draw()
if command == "start":
    start = {"parameters": parameters, "gradients": gradients, "from": FIRST}
    torch.save(start, os.path.join(folder, "start.pt"))
if command == "finish":
    load = lambda name: torch.load(os.path.join(folder, name), weights_only=True)
    for path in sorted(glob.glob(os.path.join(folder, "*-*.pt"))):
        name = os.path.basename(path)
        begin = name.split("-")[0]
        halves = load(f"{begin}.pt") if begin != "all" else {}
        saved = load(name)
        for row in (row for row in rows if row["id"] in saved):
            print(json.dumps(judge(name, saved[row["id"]], row, halves.get(row["id"]))))
    for row in rows:
        print(json.dumps({"file": "own", "id": row["id"], "error": distance(row)}))
else:
    known = [row for row in rows if row["old"] or command == "start"]
    kept = {row["id"]: Run(row, parameters).steps(0, HALF).save() for row in known}
    torch.save(kept, os.path.join(folder, "half.pt" if command == "start" else "old.pt"))
