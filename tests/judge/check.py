"""Runs the lines of Python that the page gives for its check, on the digits sample, in FOLDER. They
write check.pt. Beside it: check.npz, the same for NumPy's readers; check_input.pt, whose input is
another one; check_layer.pt, of a model whose last layer has other weights.

    check.py FOLDER < lines
"""

import importlib.util
import os
import pathlib
import sys

import numpy as np
import torch

sample = pathlib.Path(__file__).resolve().parent.parent.parent / "public" / "samples" / "digits"
spec = importlib.util.spec_from_file_location("source", sample / "model.py")
source = importlib.util.module_from_spec(spec)
spec.loader.exec_module(source)
lines = sys.stdin.read()
os.chdir(sys.argv[1])
torch.manual_seed(6)


def trained():
    model = source.DigitsCNN()
    model.load_state_dict(torch.load(sample / "last.pth", weights_only=True)["model"])
    return model


def made(model):
    exec(lines, {"torch": torch, "model": model})
    return torch.load("check.pt", weights_only=True)


other = trained()
torch.nn.init.normal_(other.fc.weight)
torch.save(made(other), "check_layer.pt")
wrong = made(trained())
wrong["inputs"][0] = wrong["inputs"][0] * 0.5
torch.save(wrong, "check_input.pt")
right = made(trained())
activations = {f"activations.{name}": tensor for name, tensor in right["activations"].items() if name}
np.savez("check.npz", input=right["inputs"][0], output=right["output"], **activations)
