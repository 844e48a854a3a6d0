"""Does in Python what the lab's edits do, and says whether the contents are the same.

    edits.py cast FOLDER     elements of every dtype that were cast to another one
    edits.py make FOLDER     checkpoints to edit, and of each edit what it should give: NAME.want.pt
    edits.py compare FOLDER  NAME.got.pt with NAME.want.pt
"""

import copy
import json
import math
import pathlib
import sys
from collections import OrderedDict

import torch

from describe import describe

folder = pathlib.Path(sys.argv[2])


def elements(name, dtype):
    data = bytearray((folder / name).read_bytes())
    return torch.frombuffer(data, dtype=torch.uint8).view(getattr(torch, dtype))


def bits(tensor):
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return tensor.view(integers[tensor.element_size()])


def cast():
    """Of each file `FROM.TO`: how many elements differ from `FROM`, cast; a NaN is a NaN."""
    for path in sorted(folder.glob("*.*")):
        source, target = path.name.split(".")
        given = elements(source, source)
        wanted, got = given.to(getattr(torch, target)), elements(path.name, target)
        nans = wanted.double().isnan() & got.double().isnan()
        wrong = ~nans & (bits(wanted) != bits(got))
        first = wrong.nonzero()[0].item() if wrong.any() else None
        # What is beyond the range: NaN or infinite, or cut to the largest number, but was not before.
        print(
            json.dumps(
                {
                    "from": source,
                    "to": target,
                    "count": given.numel(),
                    "wrong": int(wrong.sum()),
                    "first": first and [str(given[first]), str(wanted[first]), str(got[first])],
                    "underflowed": int(((wanted.double() == 0) & (given.double() != 0)).sum()),
                    "overflowed": overflowed(given.double(), wanted.double(), target),
                }
            )
        )


def overflowed(given, wanted, target):
    """Numbers that the dtype has not, even where the largest one stands for them."""
    if target == "float8_e4m3fn":
        return int((given.abs().float() > 464).sum())
    return int((~wanted.isfinite() & ~given.isnan() & (wanted != given)).sum())


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(6, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.conv = torch.nn.Conv2d(4, 5, 3)
        self.head = torch.nn.Linear(4, 6, bias=False)
        self.act = torch.nn.ReLU()
        self.head.weight = self.embed.weight


def state(seed):
    torch.manual_seed(seed)
    net = Net()
    dict_ = net.state_dict()
    dict_["norm.num_batches_tracked"] += seed
    dict_["half"] = torch.randn(7, 3).half()
    dict_["brain"] = torch.randn(5).bfloat16() * 100
    dict_["double"] = torch.randn(3, 2, dtype=torch.float64)
    dict_["turned"] = torch.randn(3, 4).t()
    return dict_


def training():
    torch.manual_seed(0)
    model = torch.nn.DataParallel(Net())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    (model.module.conv(torch.randn(2, 4, 5, 5)).sum() + model.module.norm.weight.sum()).backward()
    optimizer.step()
    big = torch.arange(1000.0)
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "views": OrderedDict(row=big[10:20], column=big[::100], tied=big[10:20]),
        "scale": torch.tensor([1e6, 1e-9, 1.0]),
    }


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


def renamed(checkpoint):
    from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

    consume_prefix_in_state_dict_if_present(checkpoint["model"], "module.")
    return checkpoint


def cast_tied(checkpoint, dtype):
    """Each storage is cast once, so that views and ties stay."""
    storages = {}

    def one(tensor):
        if not tensor.is_floating_point():
            return tensor
        data = tensor.untyped_storage()
        whole = torch.empty(0, dtype=tensor.dtype).set_(data)
        new = storages.setdefault(data._cdata, whole.to(dtype))
        return new.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())

    for key in ("model", "views"):
        for name, tensor in list(checkpoint[key].items()):
            checkpoint[key][name] = one(tensor)
    checkpoint["scale"] = one(checkpoint["scale"])
    return checkpoint


def compacted(checkpoint):
    views = checkpoint["views"]
    views["row"] = views["row"].clone()
    views["column"] = views["column"].clone()
    views["tied"] = views["row"].view(-1)
    return checkpoint


def combined(states, combine):
    """Of each tensor of floats what `combine` makes of float32 (or float64) ones; ties stay."""
    result, known = copy.copy(states[0]), {}
    for name, tensor in states[0].items():
        if not tensor.is_floating_point():
            continue
        wide = torch.float64 if tensor.dtype == torch.float64 else torch.float32
        key = (tensor.untyped_storage()._cdata, tensor.storage_offset())
        if key not in known:
            values = [state[name].to(wide).contiguous() for state in states]
            known[key] = combine(*values).to(tensor.dtype)
        result[name] = known[key].view(-1).view(tensor.shape)
    return result


def slerp(a, b, t):
    one, two = (x / x.norm() if x.norm() > 1e-8 else x for x in (a.double(), b.double()))
    cosine = (one * two).sum()
    if abs(cosine) > 0.9995:
        return a * (1 - t) + b * t
    angle = math.acos(cosine)
    one, two = math.sin(angle - t * angle) / math.sin(angle), math.sin(t * angle) / math.sin(angle)
    return a * one + b * two


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


def with_half(state):
    state["half.weight"] = state.pop("half")
    return state


def make():
    states = [state(seed) for seed in (1, 2, 3)]
    for name, value in zip("abc", states):
        torch.save(value, folder / f"{name}.pt")
    torch.save(with_half(state(1)), folder / "lora.pt")
    torch.save(adapter(), folder / "adapter.pt")
    torch.save(training(), folder / "training.pt")

    def load(name="training"):
        return torch.load(folder / f"{name}.pt", weights_only=True)

    def without(checkpoint, *names):
        return {key: value for key, value in checkpoint.items() if key not in names}

    a, b, c = load("a"), load("b"), load("c")
    wanted = {
        "rename": renamed(load()),
        "drop": without(load(), "optimizer", "epoch"),
        "keep": {"views": load()["views"]},
        "half": cast_tied(load(), torch.float16),
        "float8": cast_tied(load(), torch.float8_e5m2),
        "compact": compacted(load()),
        "extract": load()["model"],
        "set": {**load(), "epoch": 4, "note": ["x", (1, 2.5)]},
        "put": {**load(), "extra": load("a")["double"]},
        "average": combined([a, b], lambda x, y: x * 0.5 + y * 0.5),
        "weighted": combined([a, b, c], lambda x, y, z: x * 0.2 + y * 0.3 + z * 0.5),
        "ema": combined(
            [a, b, c], lambda x, y, z: (x * 0.9 + y * (1 - 0.9)) * 0.9 + z * (1 - 0.9)
        ),
        "task": combined([a, b, c], lambda x, y, z: x + (y - z) * 0.7),
        "slerp": combined([a, b], lambda x, y: slerp(x, y, 0.3)),
        "lora": merged_adapter(load("lora"), load("adapter"), 16 / 3),
    }
    for name, value in wanted.items():
        torch.save(value, folder / f"{name}.want.pt")
    print(json.dumps(list(wanted)))


def compare():
    """What the first difference is, or null. Of slerp, up to a unit in the last place."""
    for path in sorted(folder.glob("*.want.pt")):
        name = path.name.split(".")[0]
        want, got = (
            torch.load(folder / f"{name}.{kind}.pt", weights_only=True) for kind in ("want", "got")
        )
        if name == "slerp":
            for key in want:
                near(want[key], got[key])
                want[key] = got[key]
        texts = [json.dumps(describe(value)) for value in (want, got)]
        at = next((at for at, (x, y) in enumerate(zip(*texts)) if x != y), None)
        same = texts[0] == texts[1]
        found = None if same else [text[max(0, (at or 0) - 200) : (at or 0) + 80] for text in texts]
        print(json.dumps({"name": name, "difference": found}))


def near(want, got):
    if want.dtype == torch.float64:
        return torch.testing.assert_close(got, want, rtol=1e-14, atol=0)
    if want.is_floating_point():
        apart = (bits(want.contiguous()).long() - bits(got.contiguous()).long()).abs().max().item()
        assert apart <= 1, apart


{"cast": cast, "make": make, "compare": compare}[sys.argv[1]]()
