"""Makes matrices and says what NumPy and PyTorch find in them.

    matrices.py FOLDER

writes the storage of each tensor into FOLDER, and prints a line of JSON for each: where it lies, with
its singular values, or with the rows nearest to one of its rows.
"""

import json
import pathlib
import sys

import numpy as np
import torch

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(7)


def write(name, tensor, **found):
    """Writes all of the storage that a tensor looks into."""
    size = tensor.untyped_storage().nbytes() // tensor.itemsize
    whole = tensor.as_strided([size], [1], 0)
    path = folder / f"{name}.bin"
    path.write_bytes(bytes(whole.view(torch.uint8).numpy()))
    layout = {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "strides": list(tensor.stride()),
        "offset": tensor.storage_offset(),
    }
    print(json.dumps({"name": name, "path": str(path), **layout, **found}))


def singular(name, tensor):
    matrix = tensor.double().reshape(tensor.shape[0], -1).numpy()
    write(name, tensor, singularValues=np.linalg.svd(matrix, compute_uv=False).tolist())


def normal(*shape):
    return torch.from_numpy(rng.normal(size=shape))


singular("square", normal(200, 200).float())
singular("tall", normal(333, 41).float())
singular("wide", normal(37, 500))
singular("convolution", normal(16, 8, 3, 3).float())
singular("half", normal(60, 90).half())
singular("bfloat16", normal(90, 60).bfloat16())
singular("float8", normal(30, 30).to(torch.float8_e4m3fn))
singular("integers", (normal(50, 20) * 40).to(torch.int8))
singular("turned view", normal(300, 120).float().T[3:90, ::2])
singular("low rank", (normal(150, 7) @ normal(7, 130)))
singular("zeros", torch.zeros(20, 30))
singular("with zero rows and columns", torch.nn.functional.pad(normal(20, 20), (3, 4, 5, 6)))
singular("equal values", torch.linalg.qr(normal(80, 80))[0] * 3)
singular("identity", torch.eye(33))
singular("a diagonal", torch.diag(torch.tensor([3.0, -7, 0, 1e-9, 5, 5])))
singular("Hilbert", torch.from_numpy(1.0 / (1 + np.add.outer(np.arange(60), np.arange(60)))))
singular("graded", normal(80, 80) * torch.logspace(0, -200, 80, dtype=torch.float64))
singular("large numbers", normal(20, 12) * 1e250)
singular("small numbers", normal(12, 20) * 1e-250)
singular("one column", normal(9, 1))
singular("one row", normal(1, 9))
singular("one number", torch.tensor([[-2.5]]))
singular("ones", torch.ones(64, 50))


def nearest(name, tensor, row, k=7):
    x = tensor.double()
    cosine = torch.nn.functional.cosine_similarity(x, x[row : row + 1])
    distance = (x - x[row]).norm(dim=1)
    others = torch.arange(len(x)) != row
    others &= x.isfinite().all(1)

    def order(keys):
        rows = np.flatnonzero(others.numpy())
        return [int(at) for at in rows[np.argsort(keys.numpy()[rows], kind="stable")][:k]]

    found = {
        by: [{"row": at, "cosine": float(cosine[at]), "distance": float(distance[at])} for at in order(keys)]
        for by, keys in [("cosine", -cosine), ("distance", distance)]
    }
    write(name, tensor, row=row, nearest=found)


embedding = normal(500, 24).float()
embedding[17] = 0
embedding[40, 3] = float("nan")
embedding[41, 3] = float("inf")
embedding[99] = embedding[3] * 2
nearest("embedding", embedding, 3)
nearest("zero row", embedding, 17)
nearest("last row", normal(60, 5).half(), 59)
nearest("view", normal(40, 300).float().T[:, 3:], 150)
nearest("few rows", normal(4, 6), 0)
# Rows that begin in one chunk of 8 MiB and end in the next.
nearest("large", normal(2300, 1001).float(), 2100)
