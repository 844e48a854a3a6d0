"""Says of each file whether the library that its format belongs to reads it: `numpy.load` without
pickles for .npy, safetensors' own reader for .safetensors, each tensor. A line of JSON a file:
null, or the error.

    refuse.py FILE …
"""

import json
import resource
import sys
import warnings

import numpy as np

# What a file claims to need is not taken from this machine.
resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30, 16 * 2**30))
warnings.simplefilter("ignore")


def read(path):
    if path.endswith(".npy"):
        np.load(path, allow_pickle=False)
        return
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        for name in file.keys():
            file.get_tensor(name)


for path in sys.argv[1:]:
    try:
        read(path)
        verdict = None
    except BaseException as error:  # a panic of Rust is no Exception
        verdict = f"{type(error).__name__}: {error}"
    print(json.dumps(verdict))
