"""Makes a checkpoint, and says what is in it.

    tensor.py FOLDER

writes FOLDER/tensors.pt and FOLDER/slice.npy, and prints the texts that the lab should show.
"""

import json
import sys
from pathlib import Path

import numpy
import torch

folder = Path(sys.argv[1])
torch.manual_seed(0)
weight = torch.randn(300, 200)
weight[3, 5] = float("nan")
weight[7, 1] = float("inf")
weight[1] = 0
weight[2, 2] = 1e-40
half = torch.randn(40, 8).bfloat16()
half[7] = half[3] * 2
state = {
    "weight": weight,
    "conv": torch.randn(4, 3, 5, 5),
    "half": half,
    "steps": torch.tensor([2**62 + 1, -5, 7]),
}
torch.save(state, folder / "tensors.pt")
numpy.save(folder / "slice.npy", half[::3, 2:].float().numpy())
corner = state["conv"][3, :, 0, 0].tolist()
finite = weight[weight.isfinite()].double().numpy()
singular = torch.linalg.svdvals(half.double())
print(
    json.dumps(
        {
            "last": str(numpy.float32(weight[299, 199])),
            "median": float(numpy.quantile(finite, 0.5)),
            "distinct": len(set(weight[~weight.isnan()].tolist())) + 1,
            "largest": float(singular[0]),
            "corner": "[3, :, 0, 0] = " + ", ".join(f"{it:#.5g}" for it in corner),
        }
    )
)
