"""Writes two checkpoints with a tensor of every pair of dtypes, and how each pair differs.

    compare.py FOLDER

FOLDER gets a.pt, b.pt and expected.json: by "dtype-dtype" what Python's float64 says (Python's own
integers, where both are of 64 bits): counts, and over the places where both are finite the largest and
mean |b - a|, the norms, and the cosine.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

DTYPES = """float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool
complex32 complex64 complex128
float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu""".split()
COUNT = 300
SPECIAL = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.0]
LONGS = ("int64", "uint64")


def values(name, generator):
    """Random numbers of a dtype, with what is special about it."""
    dtype = getattr(torch, name)
    if name == "bool":
        return torch.rand(COUNT, generator=generator) < 0.5
    if not dtype.is_floating_point and not dtype.is_complex:
        info = torch.iinfo(dtype)
        low, high = max(info.min, -(2**62)), min(info.max, 2**62)
        numbers = torch.randint(low, high, (COUNT,), generator=generator, dtype=torch.int64)
        numbers[: COUNT // 2] %= 100
        tensor = numbers.to(dtype)
        tensor[:2] = torch.tensor([info.min, info.max], dtype=dtype)
        return tensor
    parts = torch.randn(COUNT, 2, generator=generator, dtype=torch.float64)
    special = torch.tensor(SPECIAL, dtype=torch.float64)
    for part in (0, 1):
        places = torch.randint(0, COUNT, (40,), generator=generator)
        parts[places, part] = special[torch.randint(0, len(SPECIAL), (40,), generator=generator)]
    # The first places hold every special number against every other.
    parts[:36] = 0
    parts[:36, 0] = special[torch.arange(36) % 6 if generator.initial_seed() % 2 else torch.arange(36) // 6]
    if dtype.is_complex:
        return torch.view_as_complex(parts.contiguous()).to(dtype)
    if name == "float8_e8m0fnu":
        parts = parts.abs()
    return parts[:, 0].to(torch.float32).to(dtype) if "8" in name else parts[:, 0].to(dtype)


def numbers(tensor):
    if str(tensor.dtype).removeprefix("torch.") in LONGS:
        return np.array(tensor.tolist(), dtype=object)
    return tensor.to(torch.complex128 if tensor.dtype.is_complex else torch.float64).numpy()


def expected(a, b):
    both_long = all(str(it.dtype).removeprefix("torch.") in LONGS for it in (a, b))
    x, y = numbers(a), numbers(b)
    if not both_long:
        kind = np.complex128 if a.is_complex() or b.is_complex() else np.float64
        x, y = x.astype(kind), y.astype(kind)
        nans = [np.isnan(x), np.isnan(y)]
        infinite = [np.isinf(x) & ~nans[0], np.isinf(y) & ~nans[1]]
        finite = ~(nans[0] | nans[1] | infinite[0] | infinite[1])
        equal = (x == y) | (nans[0] & nans[1])
    else:
        nans = infinite = [np.zeros(len(x), bool)] * 2
        finite = np.ones(len(x), bool)
        equal = np.array([one == other for one, other in zip(x, y)])
    result = {
        "count": len(x),
        "changed": int((~equal).sum()),
        "unmeasured": int((~equal & ~finite).sum()),
        "nans": [int(it.sum()) for it in nans],
        "infinities": [int(it.sum()) for it in infinite],
    }
    x, y = x[finite], y[finite]
    delta = np.abs(y - x).astype(np.float64)
    if both_long:
        x, y = x.astype(np.float64), y.astype(np.float64)
    norms = [float(np.linalg.norm(it)) for it in (x, y)]
    result["measured"] = {
        "max": float(delta.max()),
        "mean": float(delta.mean()),
        "relative": float(delta.max() / np.abs(x).max()),
        "norm": float(np.linalg.norm(delta)),
        "norms": norms,
        "cosine": float(np.vdot(x, y).real / (norms[0] * norms[1])),
    }
    result["deltas"] = [float(it) for it in delta]
    result["places"] = [int(it) for it in np.flatnonzero(finite)]
    return result


folder = Path(sys.argv[1])
generator = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
a, b, judged = {}, {}, {}
for left in DTYPES:
    for right in DTYPES:
        name = f"{left}-{right}"
        a[name], b[name] = values(left, generator[0]), values(right, generator[1])
        judged[name] = expected(a[name], b[name])
# Views that do not lie in order, and equal ones.
a["strided"] = torch.arange(24.0).reshape(4, 6).t()
b["strided"] = torch.arange(24.0).reshape(4, 6).t().contiguous() + torch.eye(6, 4)
judged["strided"] = expected(a["strided"].flatten(), b["strided"].flatten())
a["equal"] = b["equal"] = torch.randn(1000, generator=generator[0])
judged["equal"] = expected(a["equal"], b["equal"])
torch.save(a, folder / "a.pt")
torch.save(b, folder / "b.pt")
(folder / "expected.json").write_text(json.dumps(judged))
