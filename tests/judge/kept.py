"""Checkpoints as training scripts write them, before and after the lab has put a state of its own
into them.

    kept.py write FOLDER    writes one file for each kind of script
    kept.py read FOLDER     loads what the lab made of them (KIND.kept.pt) with weights_only, takes
                            model, optimizer, scheduler, scaler and averaged weights up as the script
                            would, and prints the rest as JSON
"""

import copy
import json
import sys

import torch

torch.manual_seed(4)
mode, folder = sys.argv[1:]


def make():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5)
    return model, optimizer, scheduler


def trained(model, optimizer, scheduler, steps=2):
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(5, 3)).square().mean().backward()
        optimizer.step()
        scheduler.step()


SCALER = {"scale": 1024.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 9, "_growth_tracker": 3}


def kinds():
    """What each kind of script saves, and how it takes it up: keys of model, optimizer, scheduler,
    scaler, averaged weights."""
    model, optimizer, scheduler = make()
    trained(model, optimizer, scheduler)
    state, steps, rates = model.state_dict(), optimizer.state_dict(), scheduler.state_dict()
    average = torch.optim.swa_utils.AveragedModel(model)
    average.update_parameters(model)
    # torchvision's references
    yield "references", {
        "model": state, "optimizer": steps, "lr_scheduler": rates, "epoch": 7, "args": {"lr": 0.01},
        "model_ema": average.state_dict(), "scaler": SCALER,
    }  # fmt: skip
    # PyTorch's ImageNet example, under DataParallel; its best_acc1 is a tensor
    yield "imagenet", {
        "epoch": 7, "arch": "net", "state_dict": {f"module.{key}": value for key, value in state.items()},
        "best_acc1": torch.tensor(71.25), "optimizer": steps, "scheduler": rates,
    }  # fmt: skip
    # the tutorial
    yield "tutorial", {
        "epoch": 7, "model_state_dict": state, "optimizer_state_dict": steps, "loss": 0.5,
        "scheduler_state_dict": None, "best_val_loss": 0.375, "global_step": 40,
    }  # fmt: skip
    # Lightning
    yield "lightning", {
        "epoch": 7, "global_step": 40, "state_dict": {f"model.{key}": value for key, value in state.items()},
        "optimizer_states": [steps], "lr_schedulers": [rates], "best_score": 0.5,
    }  # fmt: skip
    yield "bare", state


def found(value):
    return value[0] if isinstance(value, list) else value


def read(path, before):
    made = torch.load(path, weights_only=True)
    model, optimizer, scheduler = make()
    weights = next(made[key] for key in ("model", "state_dict", "model_state_dict") if key in made)
    plain = {key.removeprefix("module.").removeprefix("model."): value for key, value in weights.items()}
    model.load_state_dict(plain)
    optimizer.load_state_dict(found(next(value for key, value in made.items() if "optim" in key)))
    rates = found(next((value for key, value in made.items() if "sched" in key), None))
    if rates:
        scheduler.load_state_dict(rates)
    averaged = next((value for key, value in made.items() if "ema" in key), None)
    if averaged and "n_averaged" in averaged:
        average = torch.optim.swa_utils.AveragedModel(model)
        average.load_state_dict(averaged)
    elif averaged:
        copy.deepcopy(model).load_state_dict({key.removeprefix("module.").removeprefix("model."): value for key, value in averaged.items()})
    trained(model, optimizer, scheduler)
    simple = {
        key: value
        for key, value in made.items()
        if isinstance(value, (int, float, str, bool)) or value is None or key in ("metrics", "run", "versions", "scaler")
    }
    return {
        "keys": list(made),
        "kept": [key for key in before if key in made] if isinstance(before, dict) else [],
        "first": plain["0.weight"][0][0].item(),
        "simple": simple,
        "rate": rates and rates["last_epoch"],
        "averaged": averaged and next(value for key, value in averaged.items() if key.endswith("0.weight"))[0][0].item(),
    }


if mode == "write":
    for kind, saved in kinds():
        torch.save(saved, f"{folder}/{kind}.pt")
else:
    print(json.dumps({kind: read(f"{folder}/{kind}.kept.pt", saved) for kind, saved in kinds()}))
