"""torch.optim.lr_scheduler on its own: rates and momenta at every step, and state_dicts.

    schedulers.py run FOLDER < CASES
    schedulers.py resume FOLDER < CASES

CASES is JSON, {steps, more, cases}; a case has an id, an optimizer's name and its param_groups'
options, a scheduler's settings as the lab has them, and metrics, one for each step. JSON is printed:
an object by id, its values {rates: [[[lr, momentum], … of groups], … of steps]}, or {error}.

run      makes each scheduler, notes what it set, takes `steps` steps and `more` of them, and writes
         FOLDER/torch.pt: by id {before, fresh, stepped}, each {optimizer, scheduler} as state_dicts
         before the scheduler, after its constructor and after `steps` steps. Gives rates from the
         constructor on.
resume   makes the same, loads FOLDER/lab.pt, which is {optimizer, scheduler} by id after `steps`
         steps, checks that torch then has that state itself, and takes `more`. Gives their rates.

Runs with PyTorch 2.13 and 1.13; the latter cannot save all schedulers, which is an error here.
"""

import io
import json
import math
import pathlib
import sys
import warnings

import torch
from torch.optim import lr_scheduler

warnings.simplefilter("ignore")  # of schedulers that step without their optimizer

INTS = {"step_size", "total_iters", "milestones", "T_max", "T_0", "T_mult", "total_steps", "epochs"}
INTS |= {"steps_per_epoch", "patience", "cooldown", "last_epoch"}


def argument(key, value):
    """JSON does not tell 1.0 from 1."""
    if isinstance(value, list):
        return [argument(key, item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int) or key in INTS:
        return value
    return float(value)


def warm_up(after, warmup, total):
    def factor(epoch):
        if epoch < warmup:
            return epoch / max(1, warmup)
        span = max(1, total - warmup)
        if after == "constant":
            return 1.0
        if after == "linear":
            return max(0.0, (total - epoch) / span)
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (epoch - warmup) / span)))

    return factor


def make_optimizer(case):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(2))], **group} for group in case["groups"]]
    for group in groups:
        if "betas" in group:
            group["betas"] = tuple(group["betas"])
    return getattr(torch.optim, case["optimizer"])(groups, lr=0.1)


def make_scheduler(settings, optimizer):
    options = {key: argument(key, value) for key, value in settings["options"].items()}
    if "lambda" in settings:
        options["lr_lambda"] = warm_up(**settings["lambda"])
    parts = [make_scheduler(part, optimizer) for part in settings.get("schedulers", [])]
    scheduler_class = getattr(lr_scheduler, settings["name"])
    if settings["name"] == "ChainedScheduler":
        return scheduler_class(parts)
    if parts:
        options["schedulers"] = parts
    return scheduler_class(optimizer, **options)


def take(scheduler, optimizer, metrics):
    """Steps once for each metric. Gives the rates after each."""
    plateau = isinstance(scheduler, lr_scheduler.ReduceLROnPlateau)
    rates = []
    for metric in metrics:
        scheduler.step(metric) if plateau else scheduler.step()
        rates.append(rates_of(optimizer))
    return rates


def rates_of(optimizer):
    return [
        [group["lr"], group["betas"][0] if "betas" in group else group["momentum"]]
        for group in optimizer.param_groups
    ]


def copied(saved):
    """As it is now, and only what can be saved."""
    buffer = io.BytesIO()
    torch.save(saved, buffer)
    buffer.seek(0)
    new = int(torch.__version__.split(".")[0]) > 1
    return torch.load(buffer, **({"weights_only": False} if new else {}))


def state_of(optimizer, scheduler=None):
    saved = {"optimizer": optimizer.state_dict()}
    if scheduler is not None:
        saved["scheduler"] = scheduler.state_dict()
    return copied(saved)


def run(case, steps):
    optimizer = make_optimizer(case)
    saved = {"before": state_of(optimizer)}
    scheduler = make_scheduler(case["settings"], optimizer)
    rates = [rates_of(optimizer)]
    saved["fresh"] = state_of(optimizer, scheduler)
    rates += take(scheduler, optimizer, case["metrics"][:steps])
    saved["stepped"] = state_of(optimizer, scheduler)
    rates += take(scheduler, optimizer, case["metrics"][steps:])
    return saved, rates


def same(a, b, path):
    """Equal with equal types, in the same order."""
    assert type(a) is type(b), f"{path}: {type(a).__name__} became {type(b).__name__}"
    if isinstance(a, dict):
        assert list(a) == list(b), f"{path}: {list(a)} became {list(b)}"
        for key in a:
            same(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), path
        for index, pair in enumerate(zip(a, b)):
            same(*pair, f"{path}[{index}]")
    else:
        assert a == b, f"{path}: {a} became {b}"


def resume(case, saved, steps):
    optimizer = make_optimizer(case)
    scheduler = make_scheduler(case["settings"], optimizer)
    optimizer.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(copied(saved["scheduler"]))
    same(saved["scheduler"], scheduler.state_dict(), "scheduler")
    return take(scheduler, optimizer, case["metrics"][steps:])


if __name__ == "__main__":
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    given = json.load(sys.stdin)
    results, files = {}, {}
    of_lab = torch.load(folder / "lab.pt", weights_only=True) if command == "resume" else None
    for case in given["cases"]:
        try:
            if command == "run":
                files[case["id"]], rates = run(case, given["steps"])
            else:
                rates = resume(case, of_lab[case["id"]], given["steps"])
            results[case["id"]] = {"rates": rates}
        except Exception as error:
            results[case["id"]] = {"error": f"{type(error).__name__}: {error}"}
    if command == "run":
        torch.save(files, folder / "torch.pt")
    print(json.dumps(results))
