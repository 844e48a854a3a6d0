"""A checkpoint for the table: ties, views, overlaps, damage, dead layers and an optimizer."""

import sys

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.blocks = nn.ModuleList(nn.Linear(32, 32) for _ in range(6))
        self.tokens = nn.Embedding(100, 32)
        self.head = nn.Linear(32, 100, bias=False)
        self.head.weight = self.tokens.weight


torch.manual_seed(0)
net = Net()
optimizer = torch.optim.AdamW(net.parameters())
for parameter in net.parameters():
    parameter.grad = torch.randn_like(parameter)
net.conv.bias.grad.zero_()
optimizer.step()
with torch.no_grad():
    net.conv.weight[5] = 0
    net.blocks[1].weight[0, 0] = float("nan")
    net.blocks[2].weight *= 40
large = torch.randn(1000, 50)
buffer = torch.randn(20, 20)
torch.save(
    {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "extra": {
            "slice": large[:2],
            "left": buffer[:, :12],
            "right": buffer[:, 8:],
            "repeated": torch.ones(1).expand(16, 16),
            "copy": net.blocks[0].weight.detach().clone(),
            "nothing": torch.empty(0, 4),
            "shape": torch.empty(4, 4, device="meta"),
        },
        "epoch": 3,
    },
    sys.argv[1],
)
