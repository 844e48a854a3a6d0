"""Checkpoints of models that real code builds, with what they compute: torchvision's, where it is
installed. Weights are seeded, BatchNorm's statistics and heads random, so that nothing is trivially
right. Reads a list of [name, image size or null] as JSON from standard input; null asks for the
state_dict alone. Writes FOLDER/NAME.pt: {state, inputs, outputs}.

    families.py FOLDER < names.json
"""

import json
import pathlib
import sys
from unittest import mock

import torch
import torchvision

folder = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)


def randomise(model):
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2)
    for name, parameter in model.named_parameters():
        if name.endswith("layer_scale"):
            torch.nn.init.uniform_(parameter, 0.1, 0.5)
        elif not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)


def untouched(tensor, *arguments, **keywords):
    return tensor


# Numbers that nobody looks at need not be drawn.
without_numbers = mock.patch.multiple(
    torch.Tensor, uniform_=untouched, normal_=untouched, erfinv_=untouched, fill_=untouched
)

for name, size in json.load(sys.stdin):
    torch.manual_seed(7)
    build = getattr(torchvision.models, name)
    if size:
        extra = {"image_size": size} if name.startswith("vit") else {}
        model = build(num_classes=10, **extra).eval()
        randomise(model)
        saved = {"state": model.state_dict(), "inputs": [torch.randn(1, 3, size, size)]}
        with torch.no_grad():
            saved["outputs"] = [model(*saved["inputs"])]
    else:
        with without_numbers:
            model = build(num_classes=10)
        # The shapes alone: all elements of a tensor are one.
        state = {key: value.new_zeros(()).expand(value.shape) for key, value in model.state_dict().items()}
        saved = {"state": state}
    torch.save(saved, folder / f"{name}.pt")
