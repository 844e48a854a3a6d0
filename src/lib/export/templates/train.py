"""Trains the model, in one process or in one for each device:

    python train.py
    torchrun --nproc_per_node=2 train.py

A run goes on from last.pt, where there is one, for so many epochs more. It writes last.pt, best.pt and
metrics.csv beside this file.
"""

import argparse
import copy  #: if ema
import csv
import json  #: if split_file
import math
import os
import random
import re  #: if newest
import sys  #: if sys_path
from contextlib import nullcontext  #: if accumulate
from fnmatch import fnmatchcase  #: if globs
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, Subset

from _DATA_MODULE_ import load_data
from _EDITS_MODULE_ import _EDITS_NAMES_  #: if edits
_MODEL_IMPORT_  #: if not sys_path

HERE = Path(__file__).resolve().parent
#: if sys_path
_SYS_PATH_
_MODEL_IMPORT_  # noqa: E402
#: end

NAME = _NAME_  #: if every
EPOCHS = _EPOCHS_
BATCH_SIZE = _BATCH_SIZE_  # of all processes together
ACCUMULATE = _ACCUMULATE_  # batches for each step of the optimizer  #: if accumulate
SEED = _SEED_
MONITOR = _MONITOR_  # what best.pt is chosen by
PATIENCE, MIN_DELTA = _PATIENCE_, _MIN_DELTA_  # epochs without a better value that end a run  #: if early_stopping
EMA_DECAY = _EMA_DECAY_  #: if ema
SAVE_STEPS = _SAVE_STEPS_  # steps between saves within an epoch  #: if save_steps
KEEP_EVERY = _KEEP_EVERY_  # epochs between files of their own  #: if every
KEEP_NEWEST = _KEEP_NEWEST_  # so many of them stay  #: if newest
IGNORE_INDEX = _IGNORE_INDEX_  #: if indices
CLASSES = _CLASSES_  #: if f1


#: if freeze
def freeze(model, globs):
    """Takes parameters out of training; `!` before a glob puts back, the last one that fits counts."""
    frozen = set()
    for glob in globs:
        for key, parameter in model.named_parameters(remove_duplicate=False):
            if fnmatchcase(key, glob.removeprefix("!")):
                (frozen.discard if glob.startswith("!") else frozen.add)(parameter)
    for parameter in frozen:
        parameter.requires_grad_(False)


#: end
def make_model():
    #: if changed
    model = _MODEL_
    _EDITS_
    return model
    #: else
    return _MODEL_
    #: end


#: if groups
def takes(globs, key):
    """Whether the last of the globs that fits is one without `!` before it."""
    fits = [glob for glob in globs if fnmatchcase(key, glob.removeprefix("!"))]
    return bool(fits) and not fits[-1].startswith("!")


def group_parameters(model, groups):
    """param_groups: each parameter in the first whose globs take it, or in one for the rest."""
    grouped = [{"params": [], **options} for _, options in groups] + [{"params": []}]
    for key, parameter in model.named_parameters():
        #: if trained_only
        if not parameter.requires_grad:
            continue
        #: end
        taken = [takes(globs, key) for globs, _ in groups] + [True]
        grouped[taken.index(True)]["params"].append(parameter)
    return [group for group in grouped if group["params"]]


#: end
def make_optimizer(model):
    _OPTIMIZER_GROUPS_  #: if groups
    return _OPTIMIZER_


#: if scheduler
def make_scheduler(optimizer):
    _SCHEDULER_PARTS_  #: if scheduler_parts
    return _SCHEDULER_


#: end
def make_criterion():
    return _CRITERION_


#: if pick
def pick(outputs, *path):
    """One of the tensors that a model gives in tuples, dicts or dataclasses."""
    for key in path:
        if isinstance(outputs, dict):
            outputs = outputs[key]
        elif key.isdigit():
            outputs = outputs[int(key)]
        else:
            outputs = getattr(outputs, key)
    return outputs


#: end
class Meter:
    """Sums over the batches of an epoch, from which the metrics of all its examples come."""

    def __init__(self, device):
        zeros = dict(dtype=torch.float64, device=device)
        self.loss = torch.zeros((), **zeros)
        self.weight = torch.zeros((), **zeros)
        #: if accuracy
        self.right = torch.zeros((), **zeros)
        self.counted = torch.zeros((), **zeros)
        #: end
        self.top5 = torch.zeros((), **zeros)  #: if top5
        self.matches = torch.zeros(3, CLASSES, **zeros)  # right, predicted, there  #: if f1
        self.targets = torch.zeros(3, _OUTPUTS_, **zeros)  # number, sum, sum of squares  #: if r2
        self.residuals = torch.zeros(_OUTPUTS_, **zeros)  #: if r2

    def add_loss(self, loss, weight):
        """`loss` is a mean, of what `weight` says."""
        self.loss += loss.detach() * weight
        self.weight += weight

    #: if outputs_counted
    def add_outputs(self, outputs, targets):
        #: if indices
        outputs = outputs.movedim(1, -1).flatten(0, -2)  #: if places
        targets = targets.flatten()  #: if places
        counted = targets != IGNORE_INDEX
        outputs, targets = outputs[counted], targets[counted]
        predicted = outputs.argmax(1)
        self.right += (predicted == targets).sum()
        self.counted += len(targets)
        #: if top5
        own = outputs.gather(1, targets[:, None])
        self.top5 += ((outputs > own).sum(1) < 5).sum()
        #: end
        #: if f1
        for row, classes in enumerate((targets[predicted == targets], predicted, targets)):
            self.matches[row] += torch.bincount(classes, minlength=CLASSES)[:CLASSES]
        #: end
        #: end
        #: if binary
        self.right += ((outputs > _MIDDLE_) == (targets > 0.5)).sum()
        self.counted += targets.numel()
        #: end
        #: if r2
        outputs, targets = outputs.double().flatten(1), targets.double().flatten(1)
        self.targets += torch.stack([torch.ones_like(targets), targets, targets**2]).sum(1)
        self.residuals += ((targets - outputs) ** 2).sum(0)
        #: end

    #: end
    def metrics(self):
        if dist.is_initialized():
            for total in vars(self).values():
                dist.all_reduce(total)
        loss = (self.loss / self.weight).item()
        metrics = {"loss": loss}
        metrics["perplexity"] = math.exp(loss)  #: if perplexity
        #: if outputs_counted
        metrics["accuracy"] = (self.right / self.counted).item()  #: if accuracy
        metrics["top5_accuracy"] = (self.top5 / self.counted).item()  #: if top5
        #: if f1
        right, predicted, there = self.matches
        f1 = 2 * right / (predicted + there)
        metrics["f1"] = f1[predicted + there > 0].mean().item()  # of the classes that occur
        #: end
        #: if r2
        number, total, squares = self.targets
        metrics["r2"] = (1 - self.residuals / (squares - total**2 / number)).mean().item()
        #: end
        #: end
        return metrics


class Trainer:
    """A run's model, optimizer and all else that a checkpoint holds."""

    def __init__(self, device):
        self.device = device
        self.model = make_model().to(device)
        self.criterion = make_criterion().to(device)
        self.optimizer = make_optimizer(self.model)
        self.scheduler = make_scheduler(self.optimizer)  #: if scheduler
        self.scaler = _SCALER_  #: if scaler
        self.ema = None  # the averaged model, from the first step on  #: if ema
        self.epoch = 0  # whole epochs behind it
        self.batch = 0  # batches of the epoch in progress behind it  #: if partial
        self.step = 0  # steps of the optimizer behind it
        self.best = None  # epoch, metric, mode and value
        self.stale = 0  # epochs since it got better  #: if early_stopping
        self.metrics = {}

    def load(self, path):
        checkpoint = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(checkpoint["model"])
        if "optimizer" in checkpoint:
            self.optimizer.load_state_dict(checkpoint["optimizer"])
        #: if scheduler
        if checkpoint.get("scheduler") is not None:
            self.scheduler.load_state_dict(checkpoint["scheduler"])
        #: end
        #: if scaler
        if checkpoint.get("scaler"):
            self.scaler.load_state_dict(checkpoint["scaler"])
        #: end
        #: if ema
        if checkpoint.get("ema"):
            self.ema = copy.deepcopy(self.model).requires_grad_(False)
            self.ema.load_state_dict(checkpoint["ema"])
        #: end
        self.epoch = checkpoint.get("epoch", 0)
        self.step = checkpoint.get("step", 0)
        self.metrics = checkpoint.get("metrics", {})
        run = checkpoint.get("run", {})
        self.batch = run.get("batch", 0)  #: if partial
        if run.get("best", {}).get("metric") == MONITOR:
            self.best = run["best"]
            self.stale = run.get("stale", 0)  #: if early_stopping

    def save(self, path):
        """Never leaves half a file: the finished one takes the place of the old one."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),  #: if scheduler
            "scaler": self.scaler.state_dict(),  #: if scaler
            "ema": self.ema.state_dict(),  #: if ema
            "epoch": self.epoch,
            "step": self.step,
            "metrics": self.metrics,
            "run": {
                "best": self.best or {},
                "batch": self.batch,  #: if partial
                "stale": self.stale,  #: if early_stopping
            },
            "versions": {"torch": torch.__version__.split("+")[0]},
        }
        temporary = path.with_name(path.name + ".tmp")
        with open(temporary, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)

    #: if forward
    def forward(self, net, inputs):
        #: if scaler
        with torch.autocast(self.device.type, torch.float16, self.device.type == "cuda"):
            outputs = net(inputs)
        #: else
        outputs = net(inputs)
        #: end
        outputs = _OUTPUT_  #: if output
        outputs = outputs.reshape(-1, outputs.shape[-1])  # (N, T, V) to (N * T, V)  #: if tokens
        return outputs.float()  #: if scaler
        return outputs  #: if not scaler

    #: end
    #: if weight_function
    def weight(self, targets):
        """What the mean of a loss is divided by."""
        #: if class_weights
        return self.criterion.weight[targets[targets != IGNORE_INDEX]].sum()
        #: else
        return (targets != IGNORE_INDEX).sum()
        #: end

    #: end
    def train_epoch(self, net, loader):
        net.train()
        meter = Meter(self.device)
        self.optimizer.zero_grad()
        for index, (inputs, targets) in enumerate(loader):
            #: if partial
            if index < self.batch:  # it was trained on before the checkpoint was saved
                continue
            #: end
            inputs = inputs.to(self.device, non_blocking=True)
            targets = targets.to(self.device, non_blocking=True)
            targets = targets.flatten()  #: if tokens
            #: if accumulate
            steps = (index + 1) % ACCUMULATE == 0 or index + 1 == len(loader)
            waits = dist.is_initialized() and not steps
            with net.no_sync() if waits else nullcontext():
                loss = self.criterion(_TRAINED_FORWARD_, targets)
                _SCALED_LOSS_.backward()
            #: else
            loss = self.criterion(_TRAINED_FORWARD_, targets)
            _SCALED_LOSS_.backward()
            #: end
            meter.add_loss(loss, _WEIGHT_)
            #: if accumulate
            if not steps:
                continue
            #: end
            self.scaler.unscale_(self.optimizer)  #: if unscale
            _CLIP_  #: if clip
            #: if scaler
            self.scaler.step(self.optimizer)
            self.scaler.update()
            #: else
            self.optimizer.step()
            #: end
            self.optimizer.zero_grad()
            self.step += 1
            self.scheduler.step()  #: if step_scheduler
            self.update_ema()  #: if ema
            #: if save_steps
            if self.step % SAVE_STEPS == 0 and index + 1 < len(loader) and is_first():
                self.batch = index + 1
                self.save(HERE / "last.pt")
            #: end
        self.batch = 0  #: if partial
        return meter.metrics()["loss"]

    #: if ema
    @torch.no_grad()
    def update_ema(self):
        if self.ema is None:
            self.ema = copy.deepcopy(self.model).requires_grad_(False)
            return
        for average, value in zip(self.ema.parameters(), self.model.parameters()):
            average.lerp_(value, 1 - EMA_DECAY)
        for average, value in zip(self.ema.buffers(), self.model.buffers()):
            average.copy_(value)

    #: end
    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        meter = Meter(self.device)
        for inputs, targets in loader:
            inputs, targets = inputs.to(self.device), targets.to(self.device)
            targets = targets.flatten()  #: if tokens
            outputs = _EVALUATED_FORWARD_
            meter.add_loss(self.criterion(outputs, targets), _WEIGHT_)
            meter.add_outputs(outputs, targets)  #: if outputs_counted
        return meter.metrics()

    def is_best(self):
        """Whether the last epoch was the best one; remembers it."""
        value, best = self.metrics[MONITOR], self.best
        #: if early_stopping
        is_progress = best is None or value < best["value"] - MIN_DELTA  #: if lower
        is_progress = best is None or value > best["value"] + MIN_DELTA  #: if not lower
        self.stale = 0 if is_progress else self.stale + 1
        #: end
        is_better = best is None or value < best["value"]  #: if lower
        is_better = best is None or value > best["value"]  #: if not lower
        if math.isnan(value) or not is_better:
            return False
        self.best = {"epoch": self.epoch, "metric": MONITOR, "mode": _MODE_, "value": value}
        return True

    #: if every
    def keep(self):
        """A file of this epoch's own."""
        value = f"{self.metrics[MONITOR]:.4f}"
        self.save(HERE / f"{NAME}_epoch{self.epoch}_{MONITOR.replace('_', '')}{value}.pt")
        #: if newest
        pattern = re.compile(re.escape(NAME) + r"_epoch(\d+)_.*\.pt")
        kept = {path: pattern.fullmatch(path.name) for path in HERE.iterdir()}
        by_epoch = sorted((int(match[1]), path) for path, match in kept.items() if match)
        for _, path in by_epoch[:-KEEP_NEWEST]:
            path.unlink()
        #: end

    #: end


def append_metrics(row):
    """Adds a row to metrics.csv, in the columns that it has."""
    path = HERE / "metrics.csv"
    columns = list(row)
    if path.exists():
        with open(path, newline="", encoding="utf-8") as file:
            columns = next(csv.reader(file), columns)
    is_new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def is_first():
    """Whether this process is the one that writes files."""
    return not dist.is_initialized() or dist.get_rank() == 0


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def set_up(name):
    """Joins the other processes of torchrun. Gives this one's rank, their number, and the device."""
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    world_size = int(os.environ.get("WORLD_SIZE", 1))
    if world_size == 1:
        return 0, 1, device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return dist.get_rank(), world_size, device


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=HERE / "data", help="folder with the data files")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="how many more")
    parser.add_argument("--device", help="cuda, cpu; a GPU where there is one")
    parser.add_argument("--resume", type=Path, help="checkpoint to go on from instead of last.pt")
    parser.add_argument("--workers", type=int, default=_WORKERS_, help="processes that read data")
    args = parser.parse_args()

    rank, world_size, device = set_up(args.device)
    seed_everything(SEED)
    trainer = Trainer(device)
    resume = args.resume or HERE / "last.pt"
    if args.resume or resume.exists():
        trainer.load(resume)

    training, validation = load_data(args.data)
    #: if split_file
    split = json.loads((HERE / "split.json").read_text())
    training, validation = Subset(training, split["train"]), Subset(validation, split["validation"])
    #: end
    #: if split_ranges
    training, validation = Subset(training, _TRAIN_RANGE_), Subset(validation, _VALIDATION_RANGE_)
    #: end
    # Each process takes its part of every batch, and validates its share of the examples.
    sampler = DistributedSampler(training, world_size, rank, shuffle=True, seed=SEED)
    options = dict(
        batch_size=max(1, round(BATCH_SIZE / world_size)),
        num_workers=args.workers,
        pin_memory=device.type == "cuda",
    )
    train_loader = DataLoader(training, sampler=sampler, **options)
    share = Subset(validation, range(rank, len(validation), world_size))
    validation_loader = DataLoader(share, **options)

    net = trainer.model
    if world_size > 1:
        #: if batch_norm
        if device.type == "cuda":  # statistics of the whole batch; on CPUs each has its own
            net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
        #: end
        net = DistributedDataParallel(net, device_ids=[device] if device.type == "cuda" else None)

    for epoch in range(trainer.epoch + 1, trainer.epoch + args.epochs + 1):
        sampler.set_epoch(epoch)
        seed_everything(SEED + epoch * world_size + rank)  # dropout's masks differ
        train_loss = trainer.train_epoch(net, train_loader)
        validated = trainer.evaluate(validation_loader)
        trainer.metrics = {"lr": trainer.optimizer.param_groups[0]["lr"], "train_loss": train_loss}
        trainer.metrics.update({f"val_{name}": value for name, value in validated.items()})
        trainer.epoch = epoch
        trainer.scheduler.step(_PLATEAU_)  #: if epoch_scheduler
        is_best = trainer.is_best()
        if is_first():
            trainer.save(HERE / "last.pt")
            #: if every
            if epoch % KEEP_EVERY == 0:
                trainer.keep()
            #: end
            if is_best:
                trainer.save(HERE / "best.pt")
            append_metrics({"epoch": epoch, "step": trainer.step, **trainer.metrics})
            print(f"epoch {epoch}:", ", ".join(f"{k} {v:.4g}" for k, v in trainer.metrics.items()))
        #: if early_stopping
        if trainer.stale >= PATIENCE:
            break
        #: end

    if dist.is_initialized():
        dist.barrier()  # the first process may still be writing
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
