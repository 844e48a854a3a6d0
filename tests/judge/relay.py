"""The relay: PyTorch trains two epochs and saves; the lab resumes for two on the same batches;
PyTorch resumes from the lab's file for two more. Against it stands PyTorch alone for six.

    relay.py FOLDER start alone < CASES
    relay.py FOLDER finish compare < CASES

CASES is JSON, {steps, cases}, with the optimizer steps of an epoch and what `tests/parity/relay.cases.ts`
draws: an id, a model, a seed, settings of optimizer, scheduler, scaler and clipping as the lab has
them, and the batches whose gradients a step takes. A case's files are in FOLDER/ID. The commands run
in order, all cases in one process; JSON is printed, a line a case, an object with what each command
gives by its name. finish and compare run for each of the lab's files, FOLDER/ID/lab-*.pt.

start    trains epochs 0 and 1 and writes start.pth {model, optimizer, scheduler, scaler, epoch} and
         batches.npz, inputs (batches, examples, …) and targets. Gives {losses}, one for each batch.
alone    trains six epochs twice, in float32 and in float64, and keeps both after four and after six.
         Gives {losses, distance}: the largest of a loss in float32 from that in float64.
finish   loads the lab's file into a fresh model (strictly), optimizer, scheduler and scaler, trains
         epochs 4 and 5 and writes finish-*.pth. Gives {losses}.
compare  sets the lab's file and what `finish` made of it against `alone`. Gives {differences,
         tensors: [[name, error, own]]}: what is not the same in keys, their order, types, shapes and
         by 1e-5 in numbers, and of each tensor the error, and PyTorch's own, of float32 from float64.

The distance of tensors is the largest difference over the largest reference.
"""

import argparse
import fnmatch
import json
import pathlib
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F

import relay_models
from schedulers import make_scheduler

warnings.simplefilter("ignore")  # of schedulers that are made before the optimizer's first step

EXAMPLES = 6
INPUTS = {"MLP": (12,), "CNN": (1, 8, 8), "LSTM": (6, 5)}
BLOCK, VOCABULARY = 7, 11


def make_model(case):
    torch.manual_seed(case["seed"])
    return getattr(relay_models, case["model"])()


def make_batches(case, count):
    draw = np.random.default_rng(case["seed"])
    if case["model"] == "GPT":
        text = draw.integers(0, VOCABULARY, (count, EXAMPLES, BLOCK + 1))
        return text[..., :-1], text[..., 1:]
    inputs = draw.standard_normal((count, EXAMPLES, *INPUTS[case["model"]])).astype(np.float32)
    if case["overflow"]:  # saturates tanh and sigmoid: the loss is finite, its gradients are not
        inputs[count // 6 :: count // 3].flat[:: inputs[0].size] = np.inf
    return inputs, draw.integers(0, 4, (count, EXAMPLES))


def floats(options):
    """JSON does not tell 1.0 from 1; no option of an optimizer is an int."""
    return {
        key: tuple(value)
        if isinstance(value, list)
        else float(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else value
        for key, value in options.items()
    }


def make_optimizer(case, model):
    """param_groups by globs, as the lab has them; by name in the file, where the case says so."""
    settings = case["optimizer"]
    left = dict(model.named_parameters())
    groups = []
    for group in [*settings["groups"], {"parameters": ["*"], "options": {}}]:
        own = [
            name
            for name in left
            if any(fnmatch.fnmatchcase(name, glob) for glob in group["parameters"])
        ]
        members = [(name, left.pop(name)) for name in own]
        if members:
            params = members if case["named"] else [parameter for _, parameter in members]
            groups.append({"params": params, **floats(group["options"])})
    return getattr(torch.optim, settings["name"])(groups, **floats(settings["options"]))


class Run:
    """A model in training, with everything that its checkpoint keeps."""

    def __init__(self, case, dtype=torch.float32):
        self.case = case
        self.model = make_model(case).to(dtype)
        self.dtype = dtype
        self.optimizer = make_optimizer(case, self.model)
        self.scheduler = None
        if case["scheduler"]:
            settings = {key: value for key, value in case["scheduler"].items() if key != "interval"}
            self.scheduler = make_scheduler(settings, self.optimizer)
        self.scaler = None
        if case["scaler"]:
            interval = case["scaler"]["growth_interval"]
            options = {**floats(case["scaler"]), "growth_interval": interval}
            self.scaler = torch.amp.GradScaler("cpu", **options)
        self.skipped = 0

    def parts(self):
        parts = {"optimizer": self.optimizer, "scheduler": self.scheduler, "scaler": self.scaler}
        return {name: part for name, part in parts.items() if part is not None}

    def train(self, batches, steps, first, end):
        """Epochs `first` to `end`, of `steps` optimizer steps each. Gives the loss of each batch."""
        case, losses = self.case, []
        self.model.train()
        inputs, targets = (torch.from_numpy(array) for array in batches)
        if inputs.is_floating_point():
            inputs = inputs.to(self.dtype)
        per_epoch = steps * case["accumulate"]
        for at in range(first * per_epoch, end * per_epoch):
            loss = F.cross_entropy(self.model(inputs[at]).flatten(0, -2), targets[at].flatten())
            losses.append(loss.item())
            scaled = loss / case["accumulate"]
            (self.scaler.scale(scaled) if self.scaler else scaled).backward()
            if (at + 1) % case["accumulate"] == 0:
                self.step(losses[-case["accumulate"] :])
            if (at + 1) % per_epoch == 0 and self.steps_by("epoch"):
                self.step_scheduler(losses[-per_epoch:])
        return losses

    def step(self, losses):
        if self.scaler:
            self.scaler.unscale_(self.optimizer)
        clip = self.case["clip"]
        if clip and clip["kind"] == "norm":
            torch.nn.utils.clip_grad_norm_(
                self.model.parameters(), clip["maxNorm"], float(clip["normType"])
            )
        elif clip:
            torch.nn.utils.clip_grad_value_(self.model.parameters(), clip["clipValue"])
        if self.scaler:
            scale = self.scaler.get_scale()
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.skipped += self.scaler.get_scale() < scale
        else:
            self.optimizer.step()
        self.optimizer.zero_grad()
        if self.steps_by("step"):
            self.step_scheduler(losses)

    def steps_by(self, interval):
        return self.scheduler is not None and self.case["scheduler"]["interval"] == interval

    def step_scheduler(self, losses):
        if isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(sum(losses) / len(losses))
        else:
            self.scheduler.step()

    def save(self, path, epoch):
        saved = {name: part.state_dict() for name, part in self.parts().items()}
        torch.save({"model": self.model.state_dict(), **saved, "epoch": epoch}, path)

    def load(self, path):
        saved = torch.load(path, weights_only=True)
        self.model.load_state_dict(saved["model"], strict=True)
        for name, part in self.parts().items():
            part.load_state_dict(saved[name])


def start(args, case):
    batches = make_batches(case, 6 * args.steps * case["accumulate"])
    np.savez(args.out / "batches.npz", inputs=batches[0], targets=batches[1])
    run = Run(case)
    losses = run.train(batches, args.steps, 0, 2)
    assert run.skipped == int(case["overflow"]), f"{run.skipped} steps were left out"
    run.save(args.out / "start.pth", 2)
    return {"losses": losses}


def alone(args, case):
    batches = make_batches(case, 6 * args.steps * case["accumulate"])
    losses = {}
    for dtype in (torch.float32, torch.float64):
        run = Run(case, dtype)
        losses[dtype] = run.train(batches, args.steps, 0, 4)
        run.save(args.out / f"alone-{dtype}-4.pth", 4)
        losses[dtype] += run.train(batches, args.steps, 4, 6)
        run.save(args.out / f"alone-{dtype}-6.pth", 6)
    single, double = losses.values()
    distance = max(abs(a - b) / max(1, abs(b)) for a, b in zip(single, double))
    return {"losses": single, "distance": distance}


def finish(args, case):
    batches = make_batches(case, 6 * args.steps * case["accumulate"])
    run = Run(case)
    run.load(args.out / args.file)
    losses = run.train(batches, args.steps, 4, 6)
    run.save(args.out / f"finish-{args.file}", 6)
    return {"losses": losses}


def compare(args, case):
    tensors, differences = [], []
    for file, epoch in ((args.file, 4), (f"finish-{args.file}", 6)):
        saved, single, double = (
            torch.load(args.out / name, weights_only=True)
            for name in (
                file,
                f"alone-{torch.float32}-{epoch}.pth",
                f"alone-{torch.float64}-{epoch}.pth",
            )
        )
        for name in ("model", "optimizer", "scheduler", "scaler"):
            if name in single:
                differences += differences_of(saved[name], single[name], f"{epoch} {name}")
        for key, tensor in tensors_of(single).items():
            error = relative_error(tensors_of(saved)[key], tensor)
            own = relative_error(tensor, tensors_of(double)[key])
            tensors.append([f"{epoch} {key}", error, own])
    return {"tensors": tensors, "differences": differences}


def differences_of(value, reference, path):
    """The same structure, order and types; numbers nearly. Tensors are measured elsewhere."""
    kind, expected = type(value).__name__, type(reference).__name__
    if kind != expected:
        return [f"{path}: {kind} instead of {expected}"]
    if isinstance(reference, dict):
        if list(value) != list(reference):
            return [f"{path}: {list(value)} instead of {list(reference)}"]
        pairs = [(value[key], reference[key], f"{path}.{key}") for key in reference]
    elif isinstance(reference, (list, tuple)):
        if len(value) != len(reference):
            return [f"{path}: {len(value)} items instead of {len(reference)}"]
        pairs = [(*pair, f"{path}[{at}]") for at, pair in enumerate(zip(value, reference))]
    else:
        if isinstance(reference, torch.Tensor):
            same = value.dtype == reference.dtype and value.shape == reference.shape
        elif isinstance(reference, float) and value != reference:
            same = abs(value - reference) <= 1e-5 * max(1, abs(reference))
        else:
            same = value == reference
        return [] if same else [f"{path}: {value} instead of {reference}"]
    return [difference for pair in pairs for difference in differences_of(*pair)]


def tensors_of(saved):
    """The model's tensors and the optimizer's, by path."""
    tensors = {f"model.{key}": tensor for key, tensor in saved["model"].items()}
    for index, state in saved["optimizer"]["state"].items():
        for name, value in state.items():
            if value is not None:  # SGD without momentum
                tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value)
    return tensors


def relative_error(values, reference):
    """max |difference| over max |reference|; 0 where both are all zero."""
    values, reference = values.double(), reference.double()
    difference = (values - reference).abs().max().item()
    return difference / reference.abs().max().item() if difference else 0.0


if __name__ == "__main__":
    commands = {"start": start, "alone": alone, "finish": finish, "compare": compare}
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("commands", nargs="+", choices=commands)
    given = parser.parse_args()
    torch.set_num_threads(1)
    read = json.load(sys.stdin)
    for case in read["cases"]:
        out = given.folder / case["id"]
        out.mkdir(exist_ok=True)
        files = sorted(path.name for path in out.glob("lab-*.pt"))
        for file in files if "finish" in given.commands else [None]:
            args = argparse.Namespace(out=out, steps=read["steps"], file=file)
            gives = {name: commands[name](args, case) for name in given.commands}
            print(json.dumps({"id": case["id"], "file": file, **gives}))
