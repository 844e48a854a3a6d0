"""Writes a few of the sample's digits: a software GPU takes seconds for one step of the CNN.

    small_digits.py TO
"""

import sys

import numpy as np

digits = np.load("public/samples/digits/digits.npz")
counts = {"train": 32, "test": 16}
np.savez_compressed(
    sys.argv[1],
    **{name: array[: counts[name.split("_")[0]]] for name, array in digits.items()},
)
