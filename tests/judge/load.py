"""Loads files as their users would and prints what is in each, a line of JSON a file, as
`describe.py` says: `torch.load(weights_only=True)`, or `safetensors.torch.load_file` for
.safetensors. A file that is refused gives {"error": …}.

    load.py FILE …
"""

import json
import sys

import torch

from describe import describe


def load(path):
    if path.endswith(".safetensors"):
        from safetensors import safe_open

        with safe_open(path, framework="pt") as file:
            root = {name: file.get_tensor(name) for name in file.keys()}
            return {"root": describe(root, layout=False), "metadata": file.metadata()}
    return {"root": describe(torch.load(path, map_location="cpu", weights_only=True))}


for path in sys.argv[1:]:
    try:
        described = load(path)
    except Exception as error:
        described = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"torch": str(torch.__version__), **described}))
