"""Loads files as their users would and prints what is in each, a line of JSON a file, as
`describe.py` says: `torch.load(weights_only=True)`, safetensors' own reader for .safetensors,
`numpy.load` for .npy and .npz. A file that is refused gives {"error": …}.

    load.py FILE …
"""

import json
import sys
import zipfile

import numpy as np
import torch

from describe import describe, describe_array


def load(path):
    if path.endswith(".safetensors"):
        from safetensors import safe_open

        with safe_open(path, framework="pt") as file:
            root = {name: file.get_tensor(name) for name in file.keys()}
            return {"root": describe(root, layout=False), "metadata": file.metadata()}
    if path.endswith(".npy"):
        return {"root": describe_array(np.load(path, allow_pickle=False))}
    if path.endswith(".npz"):
        if damaged := zipfile.ZipFile(path).testzip():
            raise ValueError(f"{damaged} is damaged")
        with np.load(path, allow_pickle=False) as arrays:
            entries = [[{"str": name}, describe_array(arrays[name])] for name in arrays.files]
        return {"root": {"dict": entries, "type": "dict", "attributes": None}}
    return {"root": describe(torch.load(path, map_location="cpu", weights_only=True))}


for path in sys.argv[1:]:
    try:
        described = load(path)
    except Exception as error:
        described = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"torch": str(torch.__version__), **described}))
