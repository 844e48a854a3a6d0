"""The relay: PyTorch trains N steps and saves; the lab resumes N steps on the same batches; PyTorch
resumes from the lab's file for N more. Against it stands PyTorch alone for 3 N steps.

    relay.py start alone --steps N --out FOLDER CASE …
    relay.py finish compare --steps N --out FOLDER CASE …

A CASE is MODEL-OPTIMIZER, such as cnn-adamw; its files are in FOLDER/CASE. One or several commands
run in order; JSON is printed, a line a case, an object with what each command gives by its name.
finish and compare run for each of the lab's files, FOLDER/CASE/lab-*.pt in order, a line each.

start    trains steps 0 to N and writes FOLDER/start.pth {model, optimizer, epoch, losses}, and
         FOLDER/batches.npz: inputs (3N, batch, …) float32 and labels (3N, batch) int64.
         Gives {losses}.
alone    trains steps 0 to 3N twice, in float32 and in float64, and writes alone_single.pth and
         alone_double.pth, and both as they were after 2N steps (…_middle.pth).
         Gives {losses, losses_double, distance: {tensor: relative error of float32}}.
finish   loads the lab's FILE (strictly, and its param_groups must be what they were), trains steps
         2N to 3N and writes FOLDER/finish.pth. Gives {losses}.
compare  sets the lab's FILE (after 2N steps) and finish.pth (after 3N) against `alone`. Gives
         {lab, relay: {tensor: {error, own}}, losses: {relay, alone}}; `own` is PyTorch's distance of
         float32 from float64 after the same steps.

The loss is the cross entropy of the logits; the models are those of the samples, without dropout.
"""

import argparse
import importlib.util
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

samples = pathlib.Path(__file__).resolve().parent.parent.parent / "public" / "samples"

# A ReLU or a maximum that rounding tips to its other side makes a step in the gradient, which
# training amplifies: with momentum and a rate of 0.01 the CNN's float32 leaves its float64 by
# percents within 60 steps, and nothing could be judged. With this seed, batch and rate PyTorch's own
# distance for the CNN with sgd, adam and adamw is below 1e-5, and so were 30 runs with rounding
# noise put in from outside. Others, such as adam_decay, tip over: judge those with the MLP.
SEED = 2
BATCH = {"mlp": 16, "cnn": 8}
SGD_RATE = {"mlp": 0.05, "cnn": 0.002}
SGD = {
    "sgd_plain": {},
    "sgd": {"momentum": 0.9, "weight_decay": 1e-4},
    "sgd_dampening": {"momentum": 0.9, "dampening": 0.1},
    "sgd_nesterov": {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-2},
    "sgd_maximize": {"lr": 1e-4, "momentum": 0.9, "maximize": True},
}
ADAM = {
    "adam": {},
    "adam_decay": {"weight_decay": 1e-2},
    "adam_amsgrad": {"amsgrad": True},
}
ADAMW = {
    "adamw": {"weight_decay": 0.05},
    "adamw_amsgrad": {"betas": (0.8, 0.99), "amsgrad": True},
}
OPTIMIZERS = [*SGD, *ADAM, *ADAMW]


def make_optimizer(name, model_name, model):
    if name in SGD:
        options = {"lr": SGD_RATE[model_name], **SGD[name]}
        return torch.optim.SGD(model.parameters(), **options)
    if name in ADAM:
        return torch.optim.Adam(model.parameters(), lr=1e-3, **ADAM[name])
    return torch.optim.AdamW(model.parameters(), lr=1e-3, **ADAMW[name])


def load_model(sample):
    spec = importlib.util.spec_from_file_location("model", samples / sample / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_model(name):
    torch.manual_seed(SEED)
    if name == "mlp":
        return load_model("mlp").model
    return load_model("digits").DigitsCNN(dropout=0.0)


def make_batches(name, steps):
    if name == "mlp":
        data = np.load(samples / "mlp" / "data.npz")
        inputs, labels = data["train_inputs"], data["train_labels"]
    else:
        data = np.load(samples / "digits" / "digits.npz")
        inputs = data["train_images"][:, None].astype(np.float32) / np.float32(255)
        labels = data["train_labels"].astype(np.int64)
    chosen = np.random.default_rng(5).permutation(len(labels))
    chosen = np.resize(chosen, (steps, BATCH[name]))
    return inputs[chosen], labels[chosen]


def train(model, optimizer, inputs, labels, first, end):
    """Steps `first` to `end`, on batches in the model's own precision. Gives the losses."""
    dtype = next(model.parameters()).dtype
    model.train()
    losses = []
    for step in range(first, end):
        optimizer.zero_grad()
        loss = F.cross_entropy(
            model(torch.from_numpy(inputs[step]).to(dtype)), torch.from_numpy(labels[step])
        )
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def save(path, model, optimizer, losses):
    saved = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 1,
        "losses": losses,
    }
    torch.save(saved, path)
    return saved


def start(args):
    inputs, labels = make_batches(args.model, 3 * args.steps)
    np.savez(args.out / "batches.npz", inputs=inputs, labels=labels)
    model = make_model(args.model)
    optimizer = make_optimizer(args.optimizer, args.model, model)
    losses = train(model, optimizer, inputs, labels, 0, args.steps)
    save(args.out / "start.pth", model, optimizer, losses)
    return {"losses": losses}


def finish(args):
    inputs, labels = make_batches(args.model, 3 * args.steps)
    model = make_model(args.model)
    optimizer = make_optimizer(args.optimizer, args.model, model)
    groups = [
        {key: value for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]
    saved = torch.load(args.checkpoint, weights_only=True)
    model.load_state_dict(saved["model"], strict=True)
    optimizer.load_state_dict(saved["optimizer"])
    for before, group in zip(groups, optimizer.param_groups):
        after = {key: value for key, value in group.items() if key != "params"}
        assert before == after, f"param_groups changed: {before} became {after}"
        assert list(before) == list(after), "param_groups changed their order"
    losses = train(model, optimizer, inputs, labels, 2 * args.steps, 3 * args.steps)
    save(args.out / "finish.pth", model, optimizer, losses)
    return {"losses": losses}


def relative_error(values, reference):
    """max |difference| over max |reference|; 0 where both are all zero."""
    values, reference = values.double(), reference.double()
    assert values.shape == reference.shape, f"{values.shape} is not {reference.shape}"
    difference = (values - reference).abs().max().item()
    return difference / reference.abs().max().item() if difference else 0.0


def tensors_of(saved):
    """The model's tensors and the optimizer's, by path."""
    tensors = {f"model.{key}": tensor for key, tensor in saved["model"].items()}
    for index, state in saved["optimizer"]["state"].items():
        for name, value in state.items():
            if value is not None:  # SGD without momentum
                tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value)
    return tensors


def alone(args):
    inputs, labels = make_batches(args.model, 3 * args.steps)
    saved = {}
    for name, dtype in (("single", torch.float32), ("double", torch.float64)):
        model = make_model(args.model).to(dtype)
        optimizer = make_optimizer(args.optimizer, args.model, model)
        losses = train(model, optimizer, inputs, labels, 0, 2 * args.steps)
        save(args.out / f"alone_{name}_middle.pth", model, optimizer, losses)
        losses += train(model, optimizer, inputs, labels, 2 * args.steps, 3 * args.steps)
        saved[name] = save(args.out / f"alone_{name}.pth", model, optimizer, losses)
    single, double = saved["single"], saved["double"]
    return {
        "losses": single["losses"],
        "losses_double": double["losses"],
        "distance": distances(tensors_of(single), tensors_of(double)),
    }


def distances(tensors, reference):
    assert tensors.keys() == reference.keys(), sorted(tensors.keys() ^ reference.keys())
    return {key: relative_error(tensors[key], reference[key]) for key in reference}


def compare(args):
    def load(name):
        return torch.load(args.out / name, weights_only=True)

    def against(saved, suffix):
        single, double = load(f"alone_single{suffix}.pth"), load(f"alone_double{suffix}.pth")
        error = distances(tensors_of(saved), tensors_of(single))
        own = distances(tensors_of(single), tensors_of(double))
        return {key: {"error": error[key], "own": own[key]} for key in error}

    finished, reference = load("finish.pth"), load("alone_single.pth")["losses"]
    steps = len(finished["losses"])
    return {
        "lab": against(torch.load(args.checkpoint, weights_only=True), "_middle"),
        "relay": against(finished, ""),
        "losses": {"relay": finished["losses"], "alone": reference[2 * steps :]},
    }


if __name__ == "__main__":
    commands = {"start": start, "alone": alone, "finish": finish, "compare": compare}
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="+", metavar="COMMAND … CASE …")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    given = parser.parse_args()
    chosen = [word for word in given.words if word in commands]
    torch.set_num_threads(1)
    for case in given.words[len(chosen) :]:
        model, optimizer = case.split("-")
        assert model in BATCH and optimizer in OPTIMIZERS, case
        args = argparse.Namespace(
            model=model, optimizer=optimizer, steps=given.steps, out=given.out / case
        )
        args.out.mkdir(parents=True, exist_ok=True)
        of_lab = sorted(args.out.glob("lab-*.pt")) if "finish" in chosen else [None]
        for args.checkpoint in of_lab:
            gives = {name: commands[name](args) for name in chosen}
            file = args.checkpoint and args.checkpoint.name
            print(json.dumps({"case": case, "file": file, **gives}))
