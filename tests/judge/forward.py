"""What PyTorch computes for models: outputs in evaluation mode, and in training mode outputs,
gradients and running statistics. Reads a list of cases as JSON from standard input:

    [{"name", "source", "model", "arguments", "shape", "checkpoint"?}, …]

`source` is a path from the repository's root, `model` a class, function or instance in it,
`arguments` its Python arguments as text, `shape` the input with its batch. The weights are the
checkpoint's ("model" or "model_state_dict" in it), else seeded ones with random BatchNorm
statistics. Writes FOLDER/NAME.pt: {state, input, weight, single, double}; single and double are
{output, trained, gradients, state} in float32 and float64, where `trained` is the output in training
and the gradients are those of the sum of trained × weight. Of several outputs the first counts. Dropout is left out.

    forward.py FOLDER < cases.json
"""

import importlib.util
import json
import pathlib
import sys

import torch

root = pathlib.Path(__file__).resolve().parent.parent.parent
folder = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)


def load(source):
    spec = importlib.util.spec_from_file_location("source", root / source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def randomise(model):
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            if module.affine:
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.normal_(module.bias)
            if module.track_running_stats:
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)


def first(output):
    return output if isinstance(output, torch.Tensor) else output[0]


def state_of(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


for case in json.load(sys.stdin):
    torch.manual_seed(7)
    made = getattr(load(case["source"]), case["model"])
    model = made
    if not isinstance(made, torch.nn.Module):
        model = eval(f"made({case['arguments']})", {"made": made})
    if "checkpoint" in case:
        saved = torch.load(root / case["checkpoint"], weights_only=True)
        model.load_state_dict(saved.get("model", saved.get("model_state_dict")))
    else:
        randomise(model)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    given = torch.randn(case["shape"])
    state = state_of(model)
    weight = None
    judged = {}
    for precision, dtype in (("single", torch.float32), ("double", torch.float64)):
        model.to(dtype).load_state_dict(state)
        with torch.no_grad():
            output = first(model.eval()(given.to(dtype)))
        trained = first(model.train()(given.to(dtype)))
        weight = torch.randn(trained.shape) if weight is None else weight
        model.zero_grad()
        (trained * weight.to(dtype)).sum().backward()
        gradients = {
            name: parameter.grad
            for name, parameter in model.named_parameters()
            if parameter.grad is not None
        }
        judged[precision] = {
            "output": output,
            "trained": trained.detach(),
            "gradients": gradients,
            "state": state_of(model),
        }
    saved = {"state": state, "input": given, "weight": weight, **judged}
    torch.save(saved, folder / f"{case['name']}.pt")
