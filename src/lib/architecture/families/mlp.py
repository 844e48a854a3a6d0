"""Linear layers with an activation between them, under the names that the file gives."""
import torch
from torch import nn


class Group(nn.Module):
    """Holds modules under any name."""


def place(root, path, module):
    *groups, name = path.split(".")
    for group in groups:
        if not hasattr(root, group):
            root.add_module(group, Group())
        root = getattr(root, group)
    root.add_module(name, module)


class MLP(nn.Module):
    def __init__(self, layers, activation="relu"):
        """layers: (name, inputs, outputs, has a bias) of each"""
        super().__init__()
        self.linears = []
        for name, inputs, outputs, biased in layers:
            linear = nn.Linear(inputs, outputs, bias=biased)
            place(self, name, linear)
            self.linears = [*self.linears, linear]
        activations = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "sigmoid": nn.Sigmoid}
        self.activation = activations[activation]()

    def forward(self, x):
        x = torch.flatten(x, 1)
        for number, linear in enumerate(self.linears):
            x = linear(x)
            if number + 1 < len(self.linears):
                x = self.activation(x)
        return x
