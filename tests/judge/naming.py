"""Writes one model as training scripts keep it, each time with the same tensors in the same order.

    naming.py FOLDER

FOLDER gets bare.safetensors, and a .pt for each kind of wrapping; blocks_a.pt and blocks_b.pt hold 1,000
tensors by the names of transformers and of timm, those of the second a little trained.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

folder = Path(sys.argv[1])
torch.manual_seed(3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
        self.head = nn.Linear(2, 2)

    def forward(self, x):
        return self.head(self.encoder(x))


class Wrapper(nn.Module):
    """As DistributedDataParallel names its module."""

    def __init__(self, module):
        super().__init__()
        self.module = module


def save(name, value):
    torch.save(value, folder / f"{name}.pt")


model = Net()
state = model.state_dict()
save_file({key: tensor.contiguous() for key, tensor in state.items()}, folder / "bare.safetensors")
optimizer = torch.optim.AdamW(model.parameters())
model(torch.randn(5, 4)).sum().backward()
optimizer.step()
state = model.state_dict()
save("nested", {"model": state, "optimizer": optimizer.state_dict(), "epoch": 3})
save("ddp", Wrapper(model).state_dict())
compiled = torch.compile(model)
save("compiled", {"model_state_dict": compiled.state_dict()})
save("ddp_compiled", {"state_dict": Wrapper(compiled).state_dict()})
save("averaged", AveragedModel(model).state_dict())
save("with_ema", {"state_dict": state, "state_dict_ema": {k: v * 0.9 for k, v in state.items()}})
lightning = {f"model.{key}": tensor for key, tensor in state.items()}
save("lightning", {"state_dict": lightning, "epoch": 1, "pytorch-lightning_version": "2.5.0"})
model.encoder = torch.compile(model.encoder)
save("part_compiled", model.state_dict())
pair = {f"{which}.{key}": tensor for which in ("student", "teacher") for key, tensor in state.items()}
save("two", {"state_dict": pair})

blocks_a, blocks_b = {}, {}
names = {
    "attention.attention.query.weight": "attn.q.weight",
    "attention.attention.key.weight": "attn.k.weight",
    "attention.attention.value.weight": "attn.v.weight",
    "attention.output.dense.weight": "attn.proj.weight",
    "layernorm_before.weight": "norm1.weight",
    "layernorm_before.bias": "norm1.bias",
    "intermediate.dense.weight": "mlp.fc1.weight",
    "output.dense.weight": "mlp.fc2.weight",
}
for block in range(125):
    for long, short in names.items():
        shape = (64,) if "norm" in long else (256, 64) if "fc1" in short else (64, 256) if "fc2" in short else (64, 64)
        tensor = torch.randn(shape)
        blocks_a[f"vit.encoder.layer.{block}.{long}"] = tensor
        blocks_b[f"blocks.{block}.{short}"] = tensor + 0.05 * torch.randn(shape)
save("blocks_a", blocks_a)
save("blocks_b", dict(sorted(blocks_b.items())))
