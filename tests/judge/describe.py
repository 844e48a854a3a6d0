"""Describes a loaded checkpoint as JSON, exactly and with nothing left out, so that TypeScript can
compare it with what the lab read. `tests/fixtures/describe.ts` writes the same description of the
lab's own values. Runs on PyTorch 1.13 and 2.13.

    None {"none": true}    True {"bool": true}    7 {"int": "7"}    "a" {"str": "a"}
    1.5 {"float": "3ff8000000000000"} (the bits, so that -0.0 and NaN count)
    {"list": […]}  {"tuple": […], "type": "tuple" | "torch.Size"}  {"set": [… sorted], "frozen": …}
    {"dict": [[key, value], …], "type": …, "attributes": null | [[name, value], …]}
    {"tensor": {"dtype", "shape", "hex": row-major little-endian bytes, "strides", "offset",
                "storage": number of the storage in order of appearance, "requires_grad", "parameter"}}
        and where they apply "conj", "neg" (hex is of the resolved elements), "quantization" (hex is of
        the integers), "meta" (without hex), "subclass", "state", "numpy"
    {"sparse": {"layout", "shape", "parts": [[name, tensor], …], "coalesced"?, "parameter", …}}
    {"storage": {"dtype", "hex", "number"}}
    {"global": [module, name]}  {"call": {"callable", "args", "how", "state"?, "appended"?, "entries"?}}
    {"ref": n}: the n-th list, dict or set in order of appearance, from 0, once more.
"""

import copyreg
import json
import struct
import sys
import types
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import torch

assert sys.byteorder == "little"

modern = not torch.__version__.startswith("1.")  # older files do not say what is coalesced
SETS = (set, frozenset)
DICTS = {dict: "dict", OrderedDict: "OrderedDict", Counter: "Counter", defaultdict: "defaultdict"}
UNTYPED = getattr(torch.storage, "UntypedStorage", None) or torch._UntypedStorage
STORAGES = (UNTYPED, getattr(torch.storage, "TypedStorage", UNTYPED))
# As pickle's protocol 2 names the modules that Python 3 renamed.
OLD_MODULES = {"builtins": "__builtin__"}


def float_bits(value):
    return struct.pack(">d", value).hex()


def name_of(dtype):
    return str(dtype).replace("torch.", "")


def storage_of(tensor):
    if hasattr(tensor, "untyped_storage"):
        return tensor.untyped_storage()
    return tensor.storage().untyped()


def tensor_bytes(tensor):
    tensor = tensor.detach().as_subclass(torch.Tensor).resolve_conj().resolve_neg()
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    tensor = tensor.contiguous().reshape(-1)
    try:
        return tensor.numpy().tobytes()
    except TypeError:  # numpy lacks the dtype
        return tensor.view(torch.uint8).numpy().tobytes()


def has_elements(tensor):
    """False on the device meta, and for subclasses that only wrap other tensors."""
    if type(tensor) in (torch.Tensor, torch.nn.Parameter):
        return tensor.device.type != "meta"
    own = getattr(type(tensor), "__torch_dispatch__", None)
    return own is getattr(torch._C, "_disabled_torch_dispatch_impl", None)


def is_opaque(tensor):
    """Nested tensors, and those of which a byte holds several elements: what they are made of counts."""
    return tensor.is_nested or tensor.dtype in (torch.quint4x2, torch.quint2x4)


def describe_array(array):
    """A numpy array as a tensor without a layout: what counts is dtype, shape and elements."""
    array = np.asarray(array)
    bytes_ = array.astype(array.dtype.newbyteorder("<")).tobytes(order="C")
    return {"tensor": {"dtype": array.dtype.name, "shape": list(array.shape), "hex": bytes_.hex()}}


class Description:
    def __init__(self, layout=True):
        self.layout = layout
        self.containers = {}  # id -> number
        self.storages = {}  # _cdata -> number
        self.reduced = {}  # id -> what __reduce_ex__ gave; pickle asks an object once, too
        self.alive = []  # ids stay unique while their objects live

    def tensor(self, tensor):
        if tensor.layout != torch.strided:
            return self.sparse(tensor)
        described = {"dtype": name_of(tensor.dtype), "shape": list(tensor.shape)}
        present = has_elements(tensor)
        if present:
            described["hex"] = tensor_bytes(tensor).hex()
        else:
            described["meta"] = True
        if self.layout:
            if present:
                described["storage"] = self.storage(storage_of(tensor))
                described["offset"] = tensor.storage_offset()
            described["strides"] = list(tensor.stride())
            described["requires_grad"] = tensor.requires_grad
            described["parameter"] = isinstance(tensor, torch.nn.Parameter)
        if tensor.is_conj():
            described["conj"] = True
        if tensor.is_neg():
            described["neg"] = True
        if tensor.is_quantized:
            described["quantization"] = self.quantization(tensor)
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
            described["subclass"] = self.globally(type(tensor).__module__, type(tensor).__qualname__)
        state = {key: item for key, item in tensor.__dict__.items()}
        if state:
            described["state"] = self.value(state)
        return {"tensor": described}

    def storage(self, storage):
        self.alive.append(storage)
        return self.storages.setdefault(storage._cdata, len(self.storages))

    def quantization(self, tensor):
        scheme = str(tensor.qscheme()).replace("torch.", "")
        if scheme == "per_tensor_affine":
            scale, zero_point = tensor.q_scale(), tensor.q_zero_point()
            return {"scheme": scheme, "scale": float_bits(scale), "zero_point": zero_point}
        return {
            "scheme": scheme,
            "scales": tensor_bytes(tensor.q_per_channel_scales()).hex(),
            "zero_points": tensor_bytes(tensor.q_per_channel_zero_points()).hex(),
            "axis": tensor.q_per_channel_axis(),
        }

    def sparse(self, tensor):
        layout = str(tensor.layout).replace("torch.", "")
        row, column = ("crow", "col") if layout in ("sparse_csr", "sparse_bsr") else ("ccol", "row")
        if layout == "sparse_coo":
            parts = {"indices": tensor._indices(), "values": tensor._values()}
        else:
            names = [f"{row}_indices", f"{column}_indices", "values"]
            parts = {name: getattr(tensor.detach(), name)() for name in names}
        return {
            "sparse": {
                "layout": layout,
                "shape": list(tensor.shape),
                "parts": [[name, self.value(part.detach())] for name, part in parts.items()],
                **({"coalesced": tensor.is_coalesced()} if layout == "sparse_coo" and modern else {}),
                "parameter": isinstance(tensor, torch.nn.Parameter),
                "requires_grad": tensor.requires_grad,
            }
        }

    def bare_storage(self, storage):
        untyped = storage if isinstance(storage, UNTYPED) else storage.untyped()
        number = self.storage(untyped)
        dtype = "untyped" if storage is untyped else name_of(storage.dtype)
        dtype = "uint8" if dtype == "untyped" else dtype  # torch.load gives both as bytes
        return {"storage": {"dtype": dtype, "hex": bytes(untyped.tolist()).hex(), "number": number}}

    def array(self, array):
        """A NumPy array or scalar: what pickle keeps of it."""
        array = np.asarray(array)
        described = describe_array(array)["tensor"]
        return {"tensor": {**described, "numpy": True}}

    def container(self, value):
        if id(value) in self.containers:
            return {"ref": self.containers[id(value)]}
        self.containers[id(value)] = len(self.containers)
        self.alive.append(value)
        if isinstance(value, list):
            return {"list": [self.value(item) for item in value]}
        if isinstance(value, SETS):
            items = [self.value(item) for item in value]
            key = lambda item: json.dumps(item, separators=(",", ":"), ensure_ascii=False)
            return {"set": sorted(items, key=key), "frozen": isinstance(value, frozenset)}
        entries = [[self.value(key), self.value(item)] for key, item in value.items()]
        attributes = getattr(value, "__dict__", None) or None
        return {
            "dict": entries,
            "type": DICTS[type(value)],
            "attributes": attributes
            and [[name, self.value(item)] for name, item in attributes.items()],
        }

    def call(self, value):
        """Anything else, as the pickle of protocol 2 would make it."""
        if id(value) not in self.reduced:
            self.alive.append(value)
            self.reduced[id(value)] = value.__reduce_ex__(2)
        reduced = self.reduced[id(value)]
        if isinstance(reduced, str):
            return self.globally(value.__module__ if hasattr(value, "__module__") else "torch", reduced)
        callable_, args, state, items, pairs = (tuple(reduced) + (None,) * 5)[:5]
        how = "reduce"
        if callable_ is copyreg.__newobj__:
            callable_, args, how = args[0], args[1:], "new"
        described = {"callable": self.value(callable_), "args": self.value(args), "how": how}
        if state is not None:
            described["state"] = self.value(state)
        if items is not None:
            described["appended"] = [self.value(item) for item in items]
        if pairs is not None:
            described["entries"] = [[self.value(key), self.value(item)] for key, item in pairs]
        return {"call": described}

    def globally(self, module, name):
        return {"global": [OLD_MODULES.get(module, module), name]}

    def value(self, value):
        if value is None:
            return {"none": True}
        kind = type(value)
        if kind is bool:
            return {"bool": value}
        if kind is int:
            return {"int": str(value)}
        if kind is float:
            return {"float": float_bits(value)}
        if kind is str:
            return {"str": value}
        if kind in (bytes, bytearray):
            return {"bytes": value.hex(), "mutable": kind is bytearray}
        if kind is complex:
            return {"complex": [float_bits(value.real), float_bits(value.imag)]}
        if kind is tuple or kind is torch.Size:
            type_ = "torch.Size" if kind is torch.Size else "tuple"
            return {"tuple": [self.value(item) for item in value], "type": type_}
        if kind is list or kind in SETS or kind in DICTS:
            return self.container(value)
        if isinstance(value, torch.Tensor):
            return self.call(value) if is_opaque(value) else self.tensor(value)
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiubc":
            return self.array(value)
        if isinstance(value, STORAGES):
            return self.bare_storage(value)
        if isinstance(value, torch.dtype):
            return self.globally("torch", name_of(value))
        if isinstance(value, torch.layout):  # pickled by a reducer of torch.serialization
            args = {"tuple": [{"str": str(value)}], "type": "tuple"}
            callable_ = self.globally("torch.serialization", "_get_layout")
            return {"call": {"callable": callable_, "args": args, "how": "reduce"}}
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
            return self.globally(value.__module__, value.__qualname__)
        return self.call(value)


def describe(value, layout=True):
    return Description(layout).value(value)
