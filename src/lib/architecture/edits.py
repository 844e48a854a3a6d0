"""Changes of a built model: a head of another size, and LoRA beside linear layers."""
import math

import torch.nn as nn


def replace_head(model, path, outputs):
    """A linear layer, or a convolution that classifies, made anew with so many outputs."""
    old = model.get_submodule(path)
    bias = old.bias is not None
    if isinstance(old, nn.Linear):
        before = old.out_features
        new = nn.Linear(old.in_features, outputs, bias=bias)
    else:
        before = old.out_channels
        new = nn.Conv2d(old.in_channels, outputs, old.kernel_size, old.stride, old.padding, bias=bias)
    model.set_submodule(path, new)
    # Some forwards ask the model for the number of its classes.
    for name in ("num_classes", "num_labels"):
        if getattr(model, name, None) == before:
            setattr(model, name, outputs)


class LoraLinear(nn.Module):
    """A linear layer and beside it an update of low rank, under PEFT's names.

    `turned` is for layers whose weight lies (inputs, outputs), as that of GPT-2's Conv1D.
    """

    def __init__(self, base_layer, rank, alpha, dropout, turned):
        super().__init__()
        first, second = base_layer.weight.shape
        inputs, outputs = (first, second) if turned else (second, first)
        self.base_layer = base_layer
        drop = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.lora_dropout = nn.ModuleDict({"default": drop})
        self.lora_A = nn.ModuleDict({"default": nn.Linear(inputs, rank, bias=False)})
        self.lora_B = nn.ModuleDict({"default": nn.Linear(rank, outputs, bias=False)})
        self.scaling = alpha / rank
        nn.init.kaiming_uniform_(self.lora_A["default"].weight, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B["default"].weight)

    @property
    def weight(self):
        return self.base_layer.weight

    @property
    def bias(self):
        return self.base_layer.bias

    def forward(self, x):
        update = self.lora_A["default"](self.lora_dropout["default"](x))
        return self.base_layer(x) + self.lora_B["default"](update) * self.scaling


def add_lora(model, paths, rank, alpha, dropout):
    for path in paths:
        layer = model.get_submodule(path)
        turned = not isinstance(layer, nn.Linear)
        model.set_submodule(path, LoraLinear(layer, rank, alpha, dropout, turned))
