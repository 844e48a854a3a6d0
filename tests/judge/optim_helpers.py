"""What PyTorch does around an optimizer's step: clipping, GradScaler, averaged weights.

    optim_helpers.py start FOLDER    writes FOLDER/helpers.pt, see below
    optim_helpers.py load FOLDER     loads what the lab made of the scaler, FOLDER/scaler.pt {state:
                                     {case: state_dict}}, into a GradScaler and prints what it gives

helpers.pt holds
  gradients  {key: tensor}, of very different sizes
  norm       {"TYPE MAX": {norm, gradients}}, of clip_grad_norm_
  value      {"MAX": gradients}, of clip_grad_value_
  scaler     {case: {settings, steps: [{gradients, unscaled, found_inf, state}]}}: scaled gradients, and
             what unscale_, step and update made of them
  ema        {"DECAY": {weights: [{key: tensor}], averages: [{key: tensor}]}}: a model's parameters and
             buffers at each update of an AveragedModel, and the average after it
"""

import json
import os
import sys

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

SHAPES = {"weight": (6, 5), "bias": (5,), "scale": ()}
generator = torch.Generator().manual_seed(3)


def draw(shape):
    sizes = 10 ** torch.randn(shape, generator=generator)
    return torch.randn(shape, generator=generator) * sizes


def with_gradients(gradients):
    parameters = {key: torch.nn.Parameter(torch.zeros(it.shape)) for key, it in gradients.items()}
    for key, parameter in parameters.items():
        parameter.grad = gradients[key].clone()
    return parameters


def gradients_of(parameters):
    return {key: parameter.grad.clone() for key, parameter in parameters.items()}


def clip_norm(gradients, kind, limit):
    parameters = with_gradients(gradients)
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), limit, norm_type=kind)
    return {"norm": norm.clone(), "gradients": gradients_of(parameters)}


def clip_value(gradients, limit):
    parameters = with_gradients(gradients)
    torch.nn.utils.clip_grad_value_(parameters.values(), limit)
    return gradients_of(parameters)


def scale(settings, odd):
    """Steps with gradients of which some, by the step, have one number that is none."""
    scaler = torch.amp.GradScaler("cpu", **settings)
    steps = []
    for step in range(12):
        gradients = {key: draw(shape) * scaler.get_scale() for key, shape in SHAPES.items()}
        if step in odd:
            gradients["weight"][step % 6, step % 5] = odd[step]
        parameters = with_gradients(gradients)
        optimizer = torch.optim.SGD(parameters.values(), lr=0.1)
        scaler.scale(torch.zeros(()))
        scaler.unscale_(optimizer)
        found = sum(it.item() for it in scaler._found_inf_per_device(optimizer).values())
        unscaled = gradients_of(parameters)
        scaler.step(optimizer)
        scaler.update()
        steps.append(
            {
                "gradients": gradients,
                "unscaled": unscaled,
                "found_inf": bool(found),
                "state": scaler.state_dict(),
            }
        )
    return {"settings": settings, "steps": steps}


def average(decay):
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    weights, averages = [], []
    for _ in range(10):
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
        averaged.update_parameters(model)
        for states, of in (weights, model), (averages, averaged.module):
            items = of.state_dict().items()
            states.append({key: it.clone() for key, it in items if it.is_floating_point()})
    return {"weights": weights, "averages": averages}


command, folder = sys.argv[1:]
inf, nan = float("inf"), float("nan")
if command == "start":
    gradients = {key: draw(shape) for key, shape in SHAPES.items()}
    kinds = [(kind, limit) for kind in (1.0, 2.0, inf) for limit in (0.5, 1e6)]
    usual = {"init_scale": 1024.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 3}
    other = {"init_scale": 3.0, "growth_factor": 1.7, "backoff_factor": 0.3, "growth_interval": 1}
    large = {"init_scale": 2.0**126, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 1}
    made = {
        "gradients": gradients,
        "norm": {f"{kind} {limit}": clip_norm(gradients, kind, limit) for kind, limit in kinds},
        "value": {str(limit): clip_value(gradients, limit) for limit in (0.1, 1e6)},
        "scaler": {
            "none odd": scale(usual, {}),
            "inf and NaN": scale(usual, {2: inf, 6: -inf, 7: nan}),
            "uneven factors": scale(other, {0: nan, 5: inf}),
            "as large as can be": scale(large, {}),
        },
        "ema": {str(decay): average(decay) for decay in (0.999, 0.9, 0.3, 0.0, 1.0)},
    }
    torch.save(made, os.path.join(folder, "helpers.pt"))
else:
    states = torch.load(os.path.join(folder, "scaler.pt"), weights_only=True)["state"]
    given = {}
    for case, state in states.items():
        scaler = torch.amp.GradScaler("cpu")
        scaler.load_state_dict(state)
        given[case] = [[key, type(value).__name__, value] for key, value in scaler.state_dict().items()]
    print(json.dumps(given))
