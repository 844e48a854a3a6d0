"""What adapters that are merged should give, done in Python, as edit_cases.py has it."""

import torch
from merge_cases import state

wanted = {}
apart = {}


def case(make):
    wanted[make.__name__] = make
    return make


def adapter():
    torch.manual_seed(9)
    pairs = {
        "base_model.model.head.lora_A.weight": torch.randn(2, 4),
        "base_model.model.head.lora_B.weight": torch.randn(6, 2),
        "base_model.model.conv.lora_A.weight": torch.randn(3, 4, 3, 3),
        "base_model.model.conv.lora_B.weight": torch.randn(5, 3, 1, 1),
        "base_model.model.half.lora_A.weight": torch.randn(2, 3).half(),
        "base_model.model.half.lora_B.weight": torch.randn(7, 2).half(),
        "base_model.model.conv.bias": torch.randn(5),
    }
    return pairs


def merged_adapter(state, pairs, scaling):
    """W + scaling B A: of a convolution as PEFT has it."""
    for name in ("head", "conv", "half"):
        key = name + ".weight"
        a, b = (pairs[f"base_model.model.{name}.lora_{part}.weight"].float() for part in "AB")
        # Summed in doubles, then rounded: what torch's sums are off by depends on the machine.
        update = (b.flatten(1).double() @ a.flatten(1).double()).float() * scaling
        weight = state[key]
        state[key] = (weight.float() + update.view(weight.shape)).to(weight.dtype)
    state["conv.bias"] = pairs["base_model.model.conv.bias"]
    return state


def make_files(folder):
    base = state(1)
    base["half.weight"] = base.pop("half")
    torch.save(base, folder / "lora.pt")
    torch.save(adapter(), folder / "adapter.pt")


@case
def lora(load):
    return merged_adapter(load("lora"), load("adapter"), 16 / 3)
