"""Says what conversions lose, by comparing what PyTorch, safetensors and NumPy load before and after.

    losses.py make FOLDER   everything.pt: what a checkpoint may hold; flat.pt: tensors in an order of their own; alone.pt: one;
                            objects.pt: what weights_only refuses, and objects.want.pt: what it becomes
    losses.py judge FILE …  the first is the original; of each of the others a line of JSON with what it
                            lacks, {"lost": {kind: number}, "wrong": names of tensors}; `-KEY` after a file
                            says that this was dropped on purpose

Files that hold nothing but tensors are a .safetensors, an .npz, or a .zip of shards with an index.
"""

import itertools
import json
import pathlib
import sys
import tempfile
import zipfile
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import torch
from safetensors.torch import load_file


def everything():
    torch.manual_seed(0)
    twice = {"w": torch.randn(2), "n": 3}
    listed = [torch.ones(2), {"deep": torch.zeros(1)}]
    whole, tied = torch.arange(12.0), torch.randn(3)
    parameter = torch.nn.Parameter
    model = OrderedDict(w=parameter(torch.randn(2, 2)), b=parameter(torch.ones(2), requires_grad=False))
    model._metadata = OrderedDict([("", {"version": 1})])
    marked, marked_parameter = torch.randn(2), parameter(torch.randn(2))
    marked.note = "hello"
    marked_parameter.extra = {"t": torch.ones(1)}
    ragged = [torch.ones(2, 3), torch.zeros(1, 3)]
    return {
        "model": model,
        "types": {"ordered": OrderedDict(a=torch.ones(1)), "counter": Counter(a=1)},
        "twice": twice,
        "again": twice,
        "listed": listed,
        "listed_again": listed,
        "tuples": (torch.ones(1), 2, (torch.ones(1),)),
        "tied": tied,
        "tied_too": tied,
        "row": whole[2:5],
        "over": whole[4:8],
        "column": torch.randn(4, 2)[:, 0],
        "turned": torch.randn(2, 3).t(),
        "repeated": torch.ones(1).expand(4),
        "needs": torch.randn(2, requires_grad=True),
        "marked": marked,
        "marked_parameter": marked_parameter,
        "sparse": torch.eye(3).to_sparse(),
        "sparse_parameter": parameter(torch.eye(2).to_sparse_csr()),
        "nested": torch.nested.nested_tensor(ragged),
        "small": torch.quantize_per_tensor(torch.randn(4), 0.1, 3, torch.qint8),
        "channels": torch.quantize_per_channel(
            torch.randn(2, 4), torch.tensor([0.1, 0.2]), torch.tensor([0, 1]), 0, torch.quint8
        ),
        "conj": torch.tensor([1 + 2j]).conj(),
        "neg": torch.tensor([1 + 2j]).conj().imag,
        "scalar": torch.tensor(3.0),
        "empty": torch.zeros(0, 2),
        1: torch.ones(1),
        (1, "a"): torch.ones(1),
        None: torch.ones(1),
        2.5: torch.ones(1),
        "x" * 70_000: torch.ones(1),
        "plain": [None, b"\0x", bytearray(b"xy"), {1, 2}, torch.Size([1]), torch.float16, 1 - 2j],
        "more": [float("nan"), -0.0, 2**70, "é\0", True, {}, [], (), torch.device("cpu")],
    }


class Thing:
    """Of a class that nobody else has."""


def objects():
    thing, w = Thing(), torch.ones(2)
    thing.inner = torch.ones(1)
    before = {
        "w": w,
        "array": np.arange(3.0),
        "number": np.float64(2.5),
        "default": defaultdict(list, a=[1]),
        "frozen": frozenset([1]),
        "thing": thing,
        "list": [thing, 1, w],
        "module": torch.nn.Linear(2, 2),
    }
    module = OrderedDict((key, it.detach()) for key, it in before["module"].named_parameters())
    after = {
        "w": w,
        "array": torch.arange(3.0, dtype=torch.float64),
        "number": torch.tensor(2.5, dtype=torch.float64),
        "default": {"a": [1]},
        "frozen": {1},
        "list": [None, 1, w],
        "module": module,
    }
    return before, after


def make(folder):
    folder = pathlib.Path(folder)
    torch.save(everything(), folder / "everything.pt")
    before, after = objects()
    torch.save({"z": torch.ones(1), "a": torch.ones(2), "m": torch.ones(3)}, folder / "flat.pt")
    torch.save(torch.ones(2), folder / "alone.pt")
    torch.save(before, folder / "objects.pt")
    torch.save(after, folder / "objects.want.pt")


def load(path):
    """A dict, and whether the file has tensors' own layout."""
    path = pathlib.Path(path)
    if path.suffix == ".safetensors":
        return load_file(path), False
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}, False
    if path.suffix == ".zip":
        return load_shards(path)
    return torch.load(path, weights_only=True), True


def load_shards(path):
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        [index] = pathlib.Path(folder).glob("*/*.index.json")
        weight_map = json.loads(index.read_text())["weight_map"]
        files = {name: load(index.parent / name) for name in set(weight_map.values())}
        is_torch = any(layout for _, layout in files.values())
        read = {key: files[name][0][key] for key, name in weight_map.items()}
        if not is_torch:
            return read, False
        files = {name: torch.load(index.parent / name, weights_only=True) for name in files}
        return {key: files[name][key] for key, name in weight_map.items()}, True


class Facts:
    """What a tree is made of beside named tensors, and these."""

    def __init__(self, root, layout):
        self.count = Counter()
        self.tensors = {}
        self.seen, self.alive, self.storages = set(), [], {}
        self.visit(root, [])
        if layout:
            self.sharing()

    def visit(self, value, path):
        name = ".".join(path)
        if isinstance(value, torch.Tensor):
            return self.tensor(value, path)
        is_container = isinstance(value, (dict, list, tuple, set)) and len(value) > 0
        if not is_container:
            self.count["values"] += 1
            return
        if not isinstance(value, tuple):
            if id(value) in self.seen:
                self.count["again"] += 1
                return
            self.seen.add(id(value))
            self.alive.append(value)
        if isinstance(value, dict):
            self.count["types"] += type(value) is not dict
            self.count["attributes"] += len(getattr(value, "__dict__", {}))
            self.count["keys"] += sum(not isinstance(key, str) for key in value)
            items = [(key_text(key), item) for key, item in value.items()]
        else:
            items = [(str(at), item) for at, item in enumerate(value)]
        for key, item in items:
            self.visit(item, [*path, key])

    def tensor(self, tensor, path):
        name = ".".join(path)
        is_parameter = isinstance(tensor, torch.nn.Parameter)
        self.count["parameters"] += is_parameter
        self.count["gradients"] += tensor.requires_grad and not is_parameter
        if tensor.is_nested or tensor.layout != torch.strided:
            self.count["made"] += 1
            for part in parts(tensor.detach()):
                self.look(part)
            return
        self.count["nested"] += len(path) > 1
        self.count["marks"] += len(tensor.__dict__)
        self.tensors[name] = tensor.detach()
        self.look(tensor)

    def look(self, tensor):
        self.storages.setdefault(tensor.untyped_storage()._cdata, []).append(tensor)

    def sharing(self):
        for group in self.storages.values():
            first = group[0]
            nbytes = sum(tensor.nbytes for tensor in group)
            views = {(tensor.storage_offset(), tensor.stride(), tensor.shape) for tensor in group}
            if len(group) > 1:
                self.count["ties" if len(views) == 1 else "overlap"] += len(group)
            elif nbytes < first.untyped_storage().nbytes() or not first.is_contiguous():
                self.count["views"] += 1


def parts(tensor):
    """Of what a sparse tensor is made; a nested one's parts are just that."""
    if tensor.layout == torch.sparse_coo:
        return [tensor._indices(), tensor._values()]
    if tensor.layout == torch.sparse_csr:
        return [tensor.crow_indices(), tensor.col_indices(), tensor.values()]
    return []


def key_text(key):
    """As the lab names what is no text."""
    if isinstance(key, tuple):
        return f"({', '.join(key_text(item) for item in key)})"
    return str(key)


def judge(original, *paths):
    for at, path in enumerate(paths):
        if path.startswith("-"):
            continue
        root, layout = load(original)
        for text in itertools.takewhile(lambda it: it.startswith("-"), paths[at + 1 :]):
            del root[text[1:]]
        before, after = Facts(root, layout), Facts(*load(path))
        lost = {kind: count - after.count[kind] for kind, count in before.count.items()}
        named = [name for name in before.tensors if name in after.tensors]
        lost["order"] = named != [name for name in after.tensors if name in before.tensors]
        wrong = [
            name
            for name, tensor in before.tensors.items()
            if name not in after.tensors or not equal(tensor, after.tensors[name])
        ]
        print(json.dumps({"lost": {kind: int(it) for kind, it in lost.items() if it}, "wrong": wrong}))


def equal(one, other):
    if one.dtype != other.dtype or one.is_quantized and one.qscheme() != other.qscheme():
        return False
    return torch.equal(one.resolve_conj(), other.resolve_conj())


{"make": make, "judge": judge}[sys.argv[1]](*sys.argv[2:])
