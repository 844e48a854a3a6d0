"""Makes data and a checkpoint for exported projects, and runs these with PyTorch.

    project.py      does what standard input says as JSON and prints what came of it as such:
                          start     projects that get the last.pt of a run that a plain loop began;
                                    `started` is what the loop would go on to
                          lint      a folder of projects; `lint` is what the Python files import and
                                    do not use, use and do not define, and the texts in them
                          snippets  [{optimizer, groups, scheduler, functions, criterion}, …];
                                    `snippets` is what each of them makes when it is executed, with
                                    functions out of `helpers`, a train.py
                          jobs      [{folder, argv, processes}, …]: projects to run, one after the
                                    other, by torchrun where processes are given; `states` is what
                                    lies there afterwards, with the examples that data.py makes where
                                    `examples` is true

A project runs in a process forked from this one, since importing torch takes seconds.
"""

import ast
import builtins
import contextlib
import copy
import csv
import fnmatch
import io
import json
import math
import os
import pathlib
import runpy
import shutil
import subprocess
import sys
import tempfile
import traceback

import numpy as np
import torch
import torch.nn.parallel
import torch.utils.data
from torch import nn

if torch.__version__.startswith("1.13"):
    # Its weights_only refuses floats; the projects ask for 2.0, and run in it apart from that.
    load = torch.load
    torch.load = lambda *args, weights_only, **options: load(*args, **options)
with contextlib.suppress(ImportError):
    import torch._dynamo  # an optimizer's first step does, and it takes as long as torch


def start(project, *others):
    """Trains three epochs in a loop of its own; last.pt is how things stood after the first."""
    sys.path.insert(0, str(project))
    from model import Net

    options = json.loads((project / "start.json").read_text())
    data = np.load(project.parent / "data" / "points.npz")
    train_x, train_y = (torch.from_numpy(data[f"train_{name}"]) for name in ("inputs", "labels"))
    test_x, test_y = (torch.from_numpy(data[f"test_{name}"]) for name in ("inputs", "labels"))
    torch.manual_seed(0)
    model = Net(6, 3)
    ema = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options["lr"])
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=options["lr"], total_steps=options["total_steps"])
    step, metrics = 0, []
    for epoch in range(1, 4):
        generator = torch.Generator()
        generator.manual_seed(options["seed"] + epoch)
        order = torch.randperm(len(train_x), generator=generator)
        losses = []
        for batch in order.split(options["batch"]):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(train_x[batch]), train_y[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), options["max_norm"])
            optimizer.step()
            scheduler.step()
            with torch.no_grad():
                for average, value in zip(ema.parameters(), model.parameters()):
                    average.mul_(options["decay"]).add_(value, alpha=1 - options["decay"])
            losses.append(loss.item() * len(batch))
            step += 1
        with torch.no_grad():
            outputs = model(test_x)
        metrics.append({
            "epoch": epoch,
            "step": step,
            "train_loss": sum(losses) / len(train_x),
            "val_loss": nn.functional.cross_entropy(outputs, test_y).item(),
            "val_accuracy": (outputs.argmax(1) == test_y).float().mean().item(),
        })
        if epoch == 1:
            torch.save({
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict(),
                "ema": ema.state_dict(),
                "epoch": 1,
                "step": step,
                "run": {"best": {"epoch": 1, "metric": "val_loss", "mode": "min", "value": metrics[0]["val_loss"]}},
            }, project / "last.pt")
            for other in others:
                shutil.copy(project / "last.pt", other)
    return {
        "metrics": metrics,
        "weights": {key: value.tolist() for key, value in model.state_dict().items()},
        "ema": {key: value.tolist() for key, value in ema.state_dict().items()},
    }


def forked(work):
    """What `work` gives, in a process of its own."""
    with tempfile.TemporaryFile("w+") as file:
        child = os.fork()
        if child == 0:
            try:
                result = work()
            except BaseException:
                result = {"error": traceback.format_exc()}
            json.dump(result, file)
            file.flush()
            os._exit(0)
        os.waitpid(child, 0)
        file.seek(0)
        return json.load(file)


def launch(folder, argv, processes):
    command = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}", "train.py"]
    done = subprocess.run(
        [sys.executable, *command, *argv], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return {"out": done.stdout, **({"error": done.stderr} if done.returncode else {})}


def run(folder, argv, examples=False):
    os.chdir(folder)
    sys.argv = ["train.py", *argv]
    sys.path.insert(0, str(folder))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        module = runpy.run_path("train.py", run_name="__main__")
    if not examples:
        return {"out": out.getvalue()}
    found = module["load_data"](pathlib.Path(argv[argv.index("--data") + 1]))
    model = module["make_model"]()
    groups = module["make_optimizer"](model).param_groups
    listed = {id(parameter) for group in groups for parameter in group["params"]}
    optimized = [key for key, parameter in model.named_parameters() if id(parameter) in listed]
    return {"out": out.getvalue(), "optimized": optimized, "examples": [
        {"count": len(part), "first": [[as_json(tensor) for tensor in part[at]] for at in (0, 1, len(part) - 1)]}
        for part in found
    ]}


def as_json(value):
    tensor = torch.as_tensor(value)
    return {"shape": list(tensor.shape), "dtype": str(tensor.dtype), "values": tensor.double().flatten().tolist()}


def state(folder):
    """What lies in a project: its files, last.pt without the numbers, the rows of metrics.csv."""
    found = {"files": sorted(path.name for path in folder.iterdir())}
    if "last.pt" in found["files"]:
        saved = torch.load(folder / "last.pt", map_location="cpu", weights_only=True)
        found["checkpoint"] = {
            key: value for key, value in saved.items() if isinstance(value, (int, float, str, dict))
            and key not in ("model", "ema", "optimizer", "scheduler", "scaler")
        }
        found["keys"] = list(saved)
        found["model"] = {key: value.double().tolist() for key, value in saved["model"].items()}
        if "ema" in saved:
            found["ema"] = {key: value.double().tolist() for key, value in saved["ema"].items()}
    if "metrics.csv" in found["files"]:
        with open(folder / "metrics.csv", newline="") as file:
            found["metrics"] = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return found


def snippet(given, helpers):
    """What a project's statements make of a model of two layers; `helpers` is a train.py's text."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    names = {"__name__": "train", "__file__": "train.py", "math": math, "torch": torch, "nn": nn, "model": model}
    if given["groups"]:
        tree = ast.parse(helpers)
        tree.body = [it for it in tree.body if getattr(it, "name", "") in ("takes", "group_parameters")]
        names["fnmatchcase"] = fnmatch.fnmatchcase
        exec(compile(tree, "train.py", "exec"), names)
        exec(given["groups"], names)
    names["optimizer"] = optimizer = eval(given["optimizer"], names)
    groups = [{**group, "params": len(group["params"])} for group in optimizer.param_groups]
    result = {"groups": groups, "count": sum(group["params"] for group in groups)}
    if "scheduler" in given:
        exec(given["functions"] or "", names)
        scheduler = eval(given["scheduler"], names)
        result["scheduler"] = type(scheduler).__name__
        result["rates"] = []
        for _ in range(12):
            result["rates"].append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if result["scheduler"] == "ReduceLROnPlateau":
                own = scheduler.state_dict().items()
                result["attributes"] = {key: value for key, value in own if value not in (math.inf, -math.inf)}
                result["attributes"]["min_lr"] = scheduler.min_lrs[0]
                break
            if len(result["rates"]) < 12:
                scheduler.step()
        scheduler.load_state_dict(scheduler.state_dict())
    if "criterion" in given:
        criterion = eval(given["criterion"], names)
        result["criterion"] = {key: value for key, value in vars(criterion).items() if not key.startswith("_")}
        result["criterion"].update({key: value.tolist() for key, value in criterion.named_buffers()})
        result["criterion"]["name"] = type(criterion).__name__
    return result


def lint(path):
    """Names that a file imports and does not use, and that it uses and nothing defines."""
    tree = ast.parse(path.read_text())
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names
    }
    defined = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    constants = {name for name in made if name.isupper()}
    methods = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    entry = {"load_data", "main"} | {name for name in defined if name.startswith("__")}
    unused = (imported | constants) - used | (defined - used - methods - entry)
    if path.name != "train.py":
        unused -= defined
    return {
        "unused": sorted(unused),
        "undefined": sorted(used - made - imported - defined - arguments - set(dir(builtins)) - {"__file__", "__name__"}),
        "texts": sorted({node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}),
        "long": [line for line in path.read_text().split("\n") if len(line) > 110],
    }


def main(wish):
    result = {"states": []}
    if "start" in wish:
        result["started"] = forked(lambda: start(*map(pathlib.Path, wish["start"])))
    for job in wish.get("jobs", []):
        folder = pathlib.Path(job["folder"])
        if "processes" in job:
            done = launch(folder, job["argv"], job["processes"])
        else:
            done = forked(lambda: run(folder, job["argv"], job.get("examples")))
        result["states"].append({**done, **state(folder)})
    if "lint" in wish:
        files = sorted(pathlib.Path(wish["lint"]).glob("*/*.py"))
        result["lint"] = [{"path": f"{file.parent.name}/{file.name}", **lint(file)} for file in files]
    if "snippets" in wish:
        helpers = pathlib.Path(wish["helpers"]).read_text()
        result["snippets"] = [snippet(given, helpers) for given in wish["snippets"]]
    return result


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(main(json.load(sys.stdin))))
