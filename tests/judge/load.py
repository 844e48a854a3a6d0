"""Loads files as their users would and prints what is in each, a line of JSON a file, as
`describe.py` says: `torch.load(weights_only=True)`, safetensors' own reader for .safetensors,
`numpy.load` for .npy and .npz, `tars.py` for .tar. A file that is refused gives {"error": …}.

    load.py [--written] FILE …

With --written, the files are the lab's own: PyTorch also maps zips of its own (`mmap=True`), Python's
zipfile tests the CRC-32 of all zips, and what PyTorch 1.13 refuses to take with `weights_only=True`, as
it does floats, it takes without: {"mapped": error or null, "damaged": name or null, "weights_only": bool}.
"""

import json
import pickle
import sys
import zipfile

import numpy as np
import torch

from describe import describe, describe_array, modern
from tars import load_tar


def load(path):
    if path.endswith(".safetensors"):
        from safetensors import safe_open

        with safe_open(path, framework="pt") as file:
            root = {name: file.get_tensor(name) for name in file.keys()}
            return {"root": describe(root, layout=False), "metadata": file.metadata()}
    if path.endswith(".npy"):
        return {"root": describe_array(np.load(path, allow_pickle=False))}
    if path.endswith(".npz"):
        with np.load(path, allow_pickle=False) as arrays:
            entries = [[{"str": name}, describe_array(arrays[name])] for name in arrays.files]
        return {"root": {"dict": entries, "type": "dict", "attributes": None}}
    if path.endswith(".tar"):
        return {"root": describe(load_tar(path))}
    return {"root": describe(torch.load(path, map_location="cpu", weights_only=True))}


def judge(path):
    """What there is to say of a file that the lab wrote."""
    try:
        judged = {**load(path), "weights_only": True}
    except pickle.UnpicklingError:
        if modern:
            raise
        root = describe(torch.load(path, map_location="cpu"))
        judged = {"root": root, "weights_only": False}
    with open(path, "rb") as file:
        is_zip = file.read(4) == b"PK\3\4"
    if is_zip:
        judged["damaged"] = zipfile.ZipFile(path).testzip()
    if is_zip and modern and not path.endswith(".npz"):
        root = describe(torch.load(path, map_location="cpu", weights_only=True, mmap=True))
        judged["mapped"] = None if root == judged["root"] else "mapped, it is different"
    return judged


paths = sys.argv[1:]
written = paths[:1] == ["--written"]
for path in paths[written:]:
    try:
        described = judge(path) if written else load(path)
    except Exception as error:
        described = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"torch": str(torch.__version__), **described}))
