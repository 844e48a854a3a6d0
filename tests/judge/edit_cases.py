"""What edits of one checkpoint should give, done in Python: `wanted` by the name of the case, each a
function of `load`, which reads a file that `make_files` has written.
"""

import re
from collections import OrderedDict

import numpy as np
import torch
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

wanted = {}
apart = {}


def case(make):
    wanted[make.__name__] = make
    return make


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(6, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.conv = torch.nn.Conv2d(4, 5, 3)
        self.head = torch.nn.Linear(4, 6, bias=False)
        self.act = torch.nn.ReLU()
        self.head.weight = self.embed.weight


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


def things():
    """Tensors of every kind, in containers of every kind."""
    torch.manual_seed(3)
    twice = [torch.randn(2), {"inner": torch.ones(3, dtype=torch.int8)}]
    rows = torch.randn(4, 4)
    return {
        "list": [torch.randn(2), None, (torch.randn(1), 5), twice],
        "same": twice,
        1: {"x": torch.zeros(0, 3), True: torch.tensor(2.5)},
        "sparse": torch.eye(3).to_sparse(),
        "rows": torch.eye(3).to_sparse_csr(),
        "jagged": torch.nested.nested_tensor([torch.ones(2, 3), torch.zeros(1, 3)]),
        "small": torch.quantize_per_tensor(torch.randn(4), 0.1, 3, torch.qint8),
        "conj": torch.tensor([1 + 2j, 3 - 1j]).conj(),
        "neg": torch.tensor([1 + 2j, 3 - 1j]).conj().imag,
        "parameter": torch.nn.Parameter(torch.randn(3)),
        "needs": torch.randn(2, requires_grad=True),
        "upper": rows[:2],
        "turned": rows.t(),
        "alike": rows[:2],
        "equal": rows[:2].clone(),
    }


def plain():
    torch.manual_seed(4)
    names = ["module.layers.0.attn.weight", "module.layers.0.attn.bias", "module.norm.gamma"]
    return {"state": {name: torch.randn(2) for name in names}, "module.note": "module."}


def attention():
    """Query, key and value apart, by layer, in several layouts; and in one."""
    torch.manual_seed(5)
    state = OrderedDict()
    for layer in range(2):
        state[f"layer.{layer}.query.weight"] = torch.randn(3, 4).bfloat16()
        state[f"layer.{layer}.query.bias"] = torch.randn(3)
        state[f"layer.{layer}.key.weight"] = torch.randn(4, 3).bfloat16().t()
        state[f"layer.{layer}.key.bias"] = torch.randn(12)[::4]
        state[f"layer.{layer}.value.weight"] = torch.randn(5, 8).bfloat16()[:2, ::2]
        state[f"layer.{layer}.value.bias"] = torch.randn(2)
    state["blocks.10.qkv.weight"] = torch.randn(6, 2)
    state["blocks.10.qkv.bias"] = torch.randn(12)[::2]
    return {"state": state}


def make_files(folder):
    torch.save(attention(), folder / "attention.pt")
    torch.save(training(), folder / "training.pt")
    torch.save(things(), folder / "things.pt")
    torch.save(plain(), folder / "plain.pt")
    net = Net()
    torch.save({"net": net, "epoch": 1}, folder / "whole.pt")
    torch.save(net.state_dict(), folder / "whole.state.pt")
    names = {"model.fc.weight": torch.randn(2, 2), "model.fc.bias": torch.randn(2), "epoch": 4}
    torch.save(names, folder / "dotted.pt")
    np.save(folder / "array.npy", np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)))
    np.savez(folder / "arrays.npz", scalar=np.float64(0.1), turned=np.ones((2, 3), np.float16).T)


# --- Names -----------------------------------------------------------------------------------


@case
def rename(load):
    checkpoint = load("training")
    consume_prefix_in_state_dict_if_present(checkpoint["model"], "module.")
    return checkpoint


@case
def rename_rules(load):
    checkpoint = load("plain")

    def name(key):
        return re.sub(r"layers\.(\d+)\.", r"h.\1.", "net." + key.removeprefix("module."))

    checkpoint["state"] = {name(key): tensor for key, tensor in checkpoint["state"].items()}
    return checkpoint


@case
def rename_in(load):
    checkpoint = load("plain")
    state = checkpoint["state"]
    checkpoint["state"] = {key.replace("gamma", "weight"): state[key] for key in state}
    return checkpoint


@case
def rename_paths(load):
    checkpoint = load("attention")

    def name(key):
        key = re.sub(r"^layer\.(\d+)\.query\.", lambda it: f"h{int(it[1]) + 1}.q.", key)
        return re.sub(r"^blocks\.(\d+)\.qkv\.", lambda it: f"layers.{int(it[1]) - 1}.", key)

    state = checkpoint["state"]
    checkpoint["state"] = OrderedDict((name(key), it) for key, it in state.items())
    return checkpoint


@case
def cat(load):
    checkpoint = load("attention")
    state = checkpoint["state"]
    joined = OrderedDict()
    for layer in range(2):
        for name in ("weight", "bias"):
            keys = [f"layer.{layer}.{part}.{name}" for part in ("query", "key", "value")]
            joined[f"blocks.{layer}.qkv.{name}"] = torch.cat([state.pop(key) for key in keys])
    checkpoint["state"] = OrderedDict(**joined, **state)
    return checkpoint


@case
def chunk(load):
    checkpoint = load("attention")
    state = checkpoint["state"]
    for name in ("weight", "bias"):
        parts = state.pop(f"blocks.10.qkv.{name}").chunk(3)
        keys = [f"layer.9.{part}.{name}" for part in ("query", "key", "value")]
        state.update(zip(keys, parts))
    return checkpoint


@case
def names(load):
    checkpoint = load("plain")
    table = {"module.layers.0.attn.weight": "module.layers.0.attn.bias"}
    table |= {new: old for old, new in table.items()}
    checkpoint["state"] = {table.get(key, key): it for key, it in checkpoint["state"].items()}
    return checkpoint


@case
def flatten(load):
    flat = {}

    def add(value, path):
        for key, item in value.items():
            if isinstance(item, dict):
                add(item, [*path, str(key)])
            else:
                flat["/".join([*path, str(key)])] = item

    add(load("training"), [])
    return flat


@case
def unflatten(load):
    dotted = load("dotted")
    fc = {"weight": dotted["model.fc.weight"], "bias": dotted["model.fc.bias"]}
    return {"model": {"fc": fc}, "epoch": dotted["epoch"]}


@case
def flatten_unflatten(load):
    """Every dict comes back as a plain one, its keys texts."""

    def nested(value):
        return {str(key): nested(it) if isinstance(it, dict) else it for key, it in value.items()}

    return nested(load("training"))


# --- What stays ------------------------------------------------------------------------------


def without(checkpoint, *names):
    return {key: value for key, value in checkpoint.items() if key not in names}


@case
def drop(load):
    return without(load("training"), "optimizer", "epoch")


@case
def drop_many(load):
    """Containers that are left empty go, and in a list the others move up."""
    checkpoint = without(load("things"), 1, "sparse", "rows", "jagged")
    del checkpoint["list"][1]
    del checkpoint["list"][0]
    return checkpoint


@case
def keep(load):
    return {"views": load("training")["views"]}


@case
def keep_but(load):
    checkpoint = load("training")
    model = checkpoint["model"]
    for name in [name for name in model if name.endswith("bias")]:
        del model[name]
    return {"model": model, "epoch": checkpoint["epoch"]}


@case
def delete(load):
    checkpoint = load("training")
    del checkpoint["model"]["module.conv.bias"]
    del checkpoint["optimizer"]["state"][3]
    del checkpoint["optimizer"]["param_groups"][0]["params"][1]
    return checkpoint


@case
def extract(load):
    return load("training")["model"]


@case
def extract_deep(load):
    return load("training")["optimizer"]["state"][1]


@case
def extract_item(load):
    return load("things")["list"][2][0]


@case
def extract_whole(load):
    """Without `_metadata`: the versions of modules stand in their classes, not in the file."""
    return OrderedDict(load("whole.state"))


# --- Values and tensors ----------------------------------------------------------------------


@case
def set_value(load):
    return {**load("training"), "epoch": 4, "note": ["x", (1, 2.5)]}


@case
def set_values(load):
    checkpoint = load("training")
    group = checkpoint["optimizer"]["param_groups"][0]
    group |= {"lr": 1e-3, "betas": (0.5, 0.9), "params": [3, -1], "foreach": False}
    checkpoint["optimizer"]["state"][7] = {"deep": {1: [None, True], "é\n": -0.0}}
    checkpoint["views"] = 2**70
    checkpoint["inf"] = [1e400, -1e400, 1e-320]
    return checkpoint


@case
def put(load):
    return {**load("training"), "extra": load("things")["turned"]}


@case
def put_values(load):
    """From an array of NumPy, and tensors of every kind, into a dict and a list."""
    checkpoint, things = load("training"), load("things")
    checkpoint["epoch"] = torch.arange(6, dtype=torch.int16).reshape(2, 3).t().contiguous().t()
    checkpoint["model"]["module.conv.bias"] = things["upper"]
    checkpoint["optimizer"]["param_groups"][0]["params"][2] = things["turned"]
    for name in ("sparse", "rows", "conj", "small", "parameter"):
        checkpoint[name] = things[name]
    checkpoint["scale"] = torch.tensor(0.1, dtype=torch.float64)
    return checkpoint


# --- Storages --------------------------------------------------------------------------------


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


@case
def half(load):
    return cast_tied(load("training"), torch.float16)


@case
def float8(load):
    return cast_tied(load("training"), torch.float8_e5m2)


@case
def cast_named(load):
    """An optimizer's tensors and integers, where they are named."""
    checkpoint = load("training")
    checkpoint["model"]["module.norm.num_batches_tracked"] = torch.tensor(0.0)
    for state in checkpoint["optimizer"]["state"].values():
        state["exp_avg"] = state["exp_avg"].bfloat16()
    return checkpoint


@case
def cast_things(load):
    """Views and ties stay; of what is made of tensors the values are cast; what is packed stays."""
    checkpoint = load("things")
    new = {}

    def one(tensor):
        data = tensor.untyped_storage()
        whole = new.setdefault(data._cdata, torch.empty(0).set_(data).double())
        cast = whole.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())
        if isinstance(tensor, torch.nn.Parameter):
            return torch.nn.Parameter(cast)
        return cast.requires_grad_(tensor.requires_grad)

    first, none, pair, (twice, inner) = checkpoint["list"]
    both = [one(twice), inner]
    checkpoint["list"] = [one(first), none, (one(pair[0]), pair[1]), both]
    checkpoint["same"] = both
    checkpoint[1] = {key: one(tensor) for key, tensor in checkpoint[1].items()}
    checkpoint["neg"] = checkpoint["neg"].resolve_neg().double()
    for name in "parameter needs upper turned alike equal".split():
        checkpoint[name] = one(checkpoint[name])
    checkpoint["jagged"] = checkpoint["jagged"].double()
    coo, csr = checkpoint["sparse"], checkpoint["rows"]
    parts = (coo.indices(), coo.values().double(), coo.shape)
    checkpoint["sparse"] = torch.sparse_coo_tensor(*parts, is_coalesced=True)
    parts = (csr.crow_indices(), csr.col_indices(), csr.values().double(), csr.shape)
    checkpoint["rows"] = torch.sparse_csr_tensor(*parts)
    return checkpoint


@case
def compact(load):
    checkpoint = load("training")
    views = checkpoint["views"]
    views["row"] = views["row"].clone()
    views["column"] = views["column"].clone()
    views["tied"] = views["row"].view(-1)
    return checkpoint


@case
def compact_named(load):
    checkpoint = load("training")
    checkpoint["views"]["column"] = checkpoint["views"]["column"].clone()
    return checkpoint


@case
def untie(load):
    checkpoint = load("training")
    for key in ("embed.weight", "head.weight"):
        checkpoint["model"][f"module.{key}"] = checkpoint["model"][f"module.{key}"].clone()
    checkpoint["views"] = OrderedDict((key, it.clone()) for key, it in checkpoint["views"].items())
    return checkpoint


@case
def untie_named(load):
    checkpoint = load("training")
    checkpoint["model"]["module.head.weight"] = checkpoint["model"]["module.head.weight"].clone()
    return checkpoint


@case
def tie(load):
    checkpoint = load("things")
    tied = checkpoint["upper"].clone()
    checkpoint |= {name: tied.view(2, 4) for name in ("upper", "alike", "equal")}
    return checkpoint


@case
def untie_tie(load):
    checkpoint = load("training")
    model = checkpoint["model"]
    model["module.head.weight"] = model["module.embed.weight"].clone()
    model["module.embed.weight"] = model["module.head.weight"].view(6, 4)
    return checkpoint
